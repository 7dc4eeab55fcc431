"""Submit packs to a cluster, follow them, and import the artifacts that it returns.

Checks before a submission are in `preflight`. What each hold of HTCondor means is in `holds.py` of the
executor (condor/executor).
"""
