"""How a run ends."""

import threading

from anisweep.workflow import life_cycle


def test_a_run_that_is_over_waits_for_no_timer() -> None:
    timer = threading.Timer(3600, lambda: None)
    timer.start()

    life_cycle.end_at_once()
    timer.join(60)
    assert not timer.is_alive()
