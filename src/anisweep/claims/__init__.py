"""The claims that earlier work made, each with our measurement and a verdict.

``config/claims`` holds what is claimed, under which conditions, and how it is measured; the tables of all
studies decide. `ledger` puts them together.
"""

from anisweep.claims.claim import Bound, Claim, ClaimedRow, ClaimedTable, Source, load_claims
from anisweep.claims.ledger import Line, Verdict, ledger, read, verdict, write
from anisweep.claims.quantities import Figure

__all__ = [
    "Bound",
    "Claim",
    "ClaimedRow",
    "ClaimedTable",
    "Figure",
    "Line",
    "Source",
    "Verdict",
    "ledger",
    "load_claims",
    "read",
    "verdict",
    "write",
]
