"""The installed package is tested: tests/run builds the wheel, installs it into a venv of its own and sets ARNN_WHEEL."""
import pathlib
import sys

TESTS = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TESTS / name) for name in ("structure", "bindings")]
