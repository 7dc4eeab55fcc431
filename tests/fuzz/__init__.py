"""Fuzzers: made-up inputs, one module for each reader. ``PYTHONPATH=tests python -m fuzz --help`` runs them.

A fault is any exception that a reader does not raise on purpose, an input that takes more than ten seconds or
two gigabytes, and an answer that differs from that of a simple reader beside it.
"""
