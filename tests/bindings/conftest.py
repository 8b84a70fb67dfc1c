"""Tests of this folder see the helpers of tests/support and the oracle."""
import pathlib
import sys

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / name) for name in ("support", "oracle", "structure")]
