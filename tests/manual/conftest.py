"""Tests of this folder see the helpers of tests/support and the readers of the header."""
import pathlib
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TOP / folder) for folder in ("tests/support", "tests/structure", "include/manual")]
