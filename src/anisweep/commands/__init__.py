"""Commands that are more than a few lines over the library; one file for what belongs together."""
