import pytest


@pytest.fixture(scope="module")
def one_thread():
    """Torch takes one thread: for tensors as small as those of tests, several wait for one another."""
    torch = pytest.importorskip("torch", reason="no torch")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
