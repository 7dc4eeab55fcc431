from collections.abc import Iterator

import pytest
from threadpoolctl import threadpool_limits


@pytest.fixture(autouse=True, scope="package")
def one_thread() -> Iterator[None]:
    """BLAS takes one thread: for matrices as small as those of tests, several wait for one another."""
    with threadpool_limits(1):
        yield
