"""The kernel table under test is ARNN_ISA, `ref` unless the environment says otherwise."""
import os
import re

import pytest

os.environ.setdefault("ARNN_ISA", "ref")


def pytest_report_header():
    import library

    return f"ARNN_ISA={os.environ['ARNN_ISA']}: {library.build_info()}"


# What takes long and rests on kernels that have tests of their own: for the table that a new model would get, once.
LONG = {"test_training.py", "test_gradient_runs.py", "test_tools.py", "test_autograd.py"}


# Of these the best table gets every case, ref every second one, and blas (and any table between) the others.
SHARED = {"test_steps.py", "test_gradients.py", "test_company.py", "test_pages.py"}


def pytest_collection_modifyitems(items):
    import library

    skip = pytest.mark.skip(reason="takes its time: run with the best table")
    table, best = os.environ["ARNN_ISA"], re.search(r"\(of (\w+)", library.build_info())[1]
    if table == best:
        return
    long, shared = ([item for item in items if item.path.name in names] for names in (LONG, SHARED))
    for item in long + shared[int(table == "ref")::2]:
        item.add_marker(skip)


@pytest.fixture
def exact():
    """Whether results are the same to the last bit in any company: with every table but blas."""
    return os.environ["ARNN_ISA"] != "blas"
