"""Answer what the Snakefile asks: inputs of rules, what a run does first and last, what it prints."""
