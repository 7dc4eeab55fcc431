"""Sites that are clusters: what a job is, how packs go out without a controller, and what comes home."""
