"""Describe files by many jobs: cut them into shards, compute those that are new, and join all."""
