"""Run a test pool: a real HTCondor pool on one Debian machine, whose nodes share nothing but a network.

    from condor.pool import Pool

    pool = Pool.start("mine")
    print(pool.run("condor_status").stdout)
    pool.stop()

`make pool` does the same from a shell; README.md says how it is made.
"""

from condor.pool.machine import why_no_memory_limits, why_not
from condor.pool.nodes import ACCESS_POINT, BUILD, EXECUTE_POINTS, Bind, Node, User
from condor.pool.pool import Pool, PoolError
from condor.pool.system import SystemPool

__all__ = [
    "ACCESS_POINT",
    "BUILD",
    "EXECUTE_POINTS",
    "Bind",
    "Node",
    "Pool",
    "PoolError",
    "SystemPool",
    "User",
    "why_no_memory_limits",
    "why_not",
]
