"""The kernel table under test is ARNN_ISA, `ref` unless the environment says otherwise."""
import os

import pytest

os.environ.setdefault("ARNN_ISA", "ref")


def pytest_report_header():
    import library

    return f"ARNN_ISA={os.environ['ARNN_ISA']}: {library.build_info()}"


@pytest.fixture
def exact():
    """Whether results are the same to the last bit in any company: with every table but blas."""
    return os.environ["ARNN_ISA"] != "blas"
