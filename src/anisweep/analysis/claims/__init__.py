"""Judge the claims that earlier work made, each with our measurement and a verdict.

``config/claims`` holds what is claimed, under which conditions, and how it is measured (`claim`); the tables
of all studies decide (`judging`). What comes of it is the ledger, which is all that a report needs.
"""

from anisweep.analysis.claims.ledger import Line, Verdict, read, write

__all__ = ["Line", "Verdict", "read", "write"]
