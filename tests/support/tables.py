"""Prints the kernel tables that this machine has, those named in section 8 of arnn.h under which the library (its path is the
argument) attends: each that is worth a run of its own, or --all."""
import ctypes
import os
import pathlib
import re
import sys

HEADER = pathlib.Path(__file__).resolve().parents[2] / "include" / "arnn.h"
named = re.search(r"ARNN_ISA chooses another:\n(.*?)\n\s+The table stays", HEADER.read_text(), flags=re.S).group(1)
library = ctypes.CDLL(sys.argv[1])


class Rows(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("count", ctypes.c_size_t), ("stride", ctypes.c_size_t)]


def works(table):
    os.environ["ARNN_ISA"] = table
    context, query, rows = (ctypes.c_float * 1)(), (ctypes.c_float * 1)(), Rows(None, 0, 0)
    size = ctypes.c_size_t
    return library.arnn_attend(context, None, None, query, ctypes.byref(rows), size(1), size(1), size(0), 0,
                               ctypes.c_float(1)) == 0


# A table with a suffix is another with one kernel more, which the tests of kernels compare: it stands for both.
found = [table for table in re.findall(r"^     (\w+)  ", named, flags=re.M) if works(table)]
print(*[table for table in found if "--all" in sys.argv or not any(other.startswith(table + "_") for other in found)])
