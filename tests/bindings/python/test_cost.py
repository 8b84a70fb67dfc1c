"""What a step costs over the C call, which a loop in C makes on the same state, buffers and library. Prints a table (-s)."""
import ctypes
import subprocess
import time

import arnn
import header
import numpy as np
import pytest
from arnn._base import ffi, lib

NUMBER, REPEATS = 500, 60 # the least of many short loops: whatever else runs here only adds


@pytest.fixture(scope="module")
def loop(tmp_path_factory):
    shared = tmp_path_factory.mktemp("loop") / "step_loop.so"
    subprocess.run(["cc", "-std=c11", "-O2", "-shared", "-fPIC", "-D_POSIX_C_SOURCE=200809L", "-I", header.TOP / "include",
                    header.TOP / "tests/bindings/python/step_loop.c", "-o", shared], check=True)
    function = ctypes.CDLL(str(shared)).step_loop
    function.restype, function.argtypes = ctypes.c_double, [ctypes.c_void_p] * 4 + [ctypes.c_int32]
    return function


def seconds(function):
    begin = time.perf_counter()
    for _ in range(NUMBER):
        function()
    return time.perf_counter() - begin


def address(pointer):
    return int(ffi.cast("uintptr_t", pointer))


def test_a_step_costs_less_than_a_microsecond_over_c(loop):
    state = arnn.Model(wiring="none", inputs=8, hidden=8, seed=1).state()
    x, wide = np.zeros((1, 8), np.float32), np.zeros((1, 8))
    step, y = state.stepper(x)
    call = step.arrays[0]
    c_arguments = [*map(address, (ffi.addressof(lib, "arnn_step"), state._c, call.output, call.input)), NUMBER]
    ways = {"C": lambda: loop(*c_arguments), "stepper": lambda: seconds(step),
            "step, out=": lambda: seconds(lambda: state.step(x, out=y)), "step": lambda: seconds(lambda: state.step(x)),
            "step of float64": lambda: seconds(lambda: state.step(wide))}
    least = dict.fromkeys(ways, float("inf"))
    for _ in range(REPEATS):
        for name, way in ways.items():
            least[name] = min(least[name], way() / NUMBER)
    for name, cost in least.items():
        print(f"{name:16} {1e6 * cost:6.2f} us, {1e6 * (cost - least['C']):6.2f} us over C")
    assert least["C"] > 0 and least["stepper"] - least["C"] < 1e-6
    assert least["step"] - least["C"] < 8e-6
