"""Our side of every case, and what is called from C: OpenBLAS, the read ceiling."""

import pathlib
import sys

import numpy as np

from peers import data, reckon

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from learn import LIBRARY, Model, Trainer, _own, _pointer, build_info, call, ffi, lib  # noqa: E402, F401

ffi.cdef("""
double peers_attend(float *, const float *, const arnn_rows *, size_t, size_t, int32_t, float, size_t);
double peers_steps(arnn_state *, float *, const float *, const int32_t *, size_t, size_t, size_t);
void *peers_plain_create(const float *, size_t, size_t);
double peers_plain(void *, float *, size_t, const float *, int, size_t);
void peers_plain_destroy(void *);
double peers_sgemm(float *, const float *, const float *, const float *, int, int, int, size_t);
const char *peers_core(void);
void *peers_ceiling_create(const char *, size_t);
double peers_ceiling_ns(void *, size_t);
void peers_ceiling_destroy(void *);
double peers_read_ceiling(size_t);
double peers_flop_ceiling(void);
""")
timing = ffi.dlopen(str(LIBRARY.parent.parent / "bench/libbench_peers.so"))
TYPES = {"f32": 0, "f16": 1, "bf16": 2, "i8": 3}
STEPS = 16  # single steps from the given past on


def convert(rows, name):
    """Rows as the tape types hold them."""
    if name == "bf16":
        bits = rows.view(np.uint32)
        return ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype(np.uint16)
    if name == "i8":
        return np.rint(rows * 127).astype(np.int8)
    return rows.astype({"f32": np.float32, "f16": np.float16}[name])


def read(one):
    rows, queries = data.tape(one)
    rows = data.place(convert(rows, one["tape"]))
    contexts = np.empty_like(queries)
    descs = ffi.new("arnn_rows[]", [(ffi.cast("void *", part.ctypes.data), one["length"], 0) for part in rows])

    def run(repeats):
        spent = timing.peers_attend(_pointer("float", contexts), _pointer("float", queries), descs, one["streams"],
                                    one["hidden"], TYPES[one["tape"]], 1.0, repeats)
        assert spent > 0 and rows is not None
        return spent
    run.rows = rows
    return run, lambda: contexts


def ceiling(one):
    """Ours, and loops that only load its rows."""
    run, result = read(one)
    rows = run.rows
    loops = ffi.gc(timing.peers_ceiling_create(_pointer("char", rows), rows.nbytes), timing.peers_ceiling_destroy)
    return {"ours": (run, result), "loads alone": (lambda repeats: timing.peers_ceiling_ns(loops, repeats), lambda: None)}


def thread_counts(one):
    """Not more than the other side has count; what the others would reach is measured as well."""
    return sorted({1, one["threads"], 2})


def form(threads):
    core = ffi.string(timing.peers_core()).decode()
    return f"{core}, {reckon.many(threads, 'thread')}"


def blas(one):
    """Not ours: the peer that is called from C."""
    rows, queries = data.tape(one)
    context = np.empty(one["hidden"], np.float32)
    plain = timing.peers_plain_create(_pointer("float", rows), one["length"], one["hidden"])
    plain = ffi.gc(plain, timing.peers_plain_destroy)

    def made(threads):
        return lambda repeats: timing.peers_plain(plain, _pointer("float", context), one["hidden"],
                                                  _pointer("float", queries), threads, repeats)
    return {form(threads): (made(threads), lambda: context[None]) for threads in thread_counts(one)}


def sgemm(one):
    """Not ours: the same step by OpenBLAS; what the input gives is in the bias."""
    parameters, n = data.parameters(one), one["hidden"]
    weights, before = data.place(parameters["weight_hh_l0"]), data.place(data.tape(one)[1])
    bias = parameters["bias_hh_l0"] + parameters["bias_ih_l0"] + parameters["weight_ih_l0"].sum(1)
    after = data.place(np.empty_like(before))

    def made(threads):
        return lambda repeats: timing.peers_sgemm(
            _pointer("float", after), _pointer("float", before), _pointer("float", weights), _pointer("float", bias),
            one["streams"], n, threads, repeats)
    return {form(threads): (made(threads), lambda: after) for threads in thread_counts(one)}


def model(one, **options):
    made = Model(1, cell="rnn_relu" if one["cell"] == "relu" else one["cell"], wiring=one["wiring"], hidden=one["hidden"],
                 inputs=one["hidden"], scale=0.25 if one["wiring"] != "none" else 1, **options)
    given = data.parameters(one)
    if "vocab" in options:
        given["embed.weight"] = np.ones((options["vocab"], one["hidden"]), np.float32)
    for name, values in given.items():
        call("arnn_model_write", made.handle, name.encode(), _pointer("float", values), values.size)
    return made


def state(one, made, rows):
    desc = ffi.new("arnn_cache_desc *")
    call("arnn_cache_desc_default", desc, ffi.sizeof("arnn_cache_desc"))
    desc.tape_type, desc.threads = TYPES[one["tape"]], one["threads"]
    cache = _own("cache", "arnn_cache_create", made.handle, desc)
    if one["wiring"] != "none":
        call("arnn_cache_reserve", cache, one["streams"], rows)
    return _own("state", "arnn_state_create", made.handle, cache, one["streams"])


def step(one):
    made = model(one)
    call("arnn_model_set_weight_type", made.handle, TYPES[one["weights"]])
    streams = state(one, made, one["length"] + STEPS)
    rows, _ = data.tape(one)
    x, _ = data.inputs(one, STEPS)
    s = np.empty((one["streams"], one["hidden"]), np.float32)

    def once():
        call("arnn_state_reset", streams, ffi.NULL, 0)
        for j in range(one["streams"]):
            call("arnn_state_append", streams, j, _pointer("float", rows[j]), ffi.NULL, one["length"])
        spent = timing.peers_steps(streams, _pointer("float", s), _pointer("float", x), ffi.NULL, one["hidden"],
                                   one["streams"], STEPS)
        assert spent > 0
        return spent

    def run(repeats):
        return float(np.median([once() for _ in range(repeats)]))
    return run, lambda: s


def product(one):
    """The step of a plain cell whose inputs are all ones, looked up as the one token that there is."""
    made = model(one, vocab=1)
    streams, before = state(one, made, 0), data.tape(one)[1]
    s, tokens = np.empty((one["streams"], one["hidden"]), np.float32), np.zeros(one["streams"], np.int32)

    def run(repeats):
        for stream, values in enumerate(before):
            call("arnn_state_set", streams, lib.ARNN_VALUE_S, 0, stream, _pointer("float", values))
        spent = timing.peers_steps(streams, _pointer("float", s), ffi.NULL, _pointer("int32_t", tokens), one["hidden"],
                                   one["streams"], repeats)
        assert spent > 0
        return spent
    return run, lambda: s


def forward(one):
    """A whole sequence, from empty streams."""
    made = model(one)
    streams = state(one, made, one["length"])
    x, _ = data.inputs(one, one["length"])
    h = np.empty_like(x)
    given = ffi.new("arnn_input *", {"struct_size": ffi.sizeof("arnn_input"), "x": _pointer("float", x)})
    out = ffi.new("arnn_output *", {"struct_size": ffi.sizeof("arnn_output")})
    out.h.data = _pointer("float", h)
    parts = one["length"] if one["unit"] == "step" else 1

    def once():
        call("arnn_state_reset", streams, ffi.NULL, 0)
        call("arnn_forward", streams, out, given, ffi.NULL, ffi.NULL, one["length"], one["streams"])

    def run(repeats):
        return data.median_ns(once, repeats) / parts
    run.kept = x, h  # C uses them: a pointer keeps nothing alive
    return run, lambda: h[:64]


def gradient(made, trainer, one):
    """Of some parameters, as the last update left it."""
    floats = ffi.buffer(lib.arnn_trainer_gradient(trainer.handle), 4 * made.parameters())
    flat, parts = np.frombuffer(floats, np.float32), []
    name, rank, shape, offset = ffi.new("char **"), ffi.new("size_t *"), ffi.new("size_t[2]"), ffi.new("size_t *")
    for index in range(lib.arnn_model_parameter_count(made.handle)):
        call("arnn_model_parameter", made.handle, ffi.cast("const char **", name), rank, shape, index)
        if ffi.string(name[0]).decode() in data.compared(one):
            call("arnn_model_parameter_offset", made.handle, offset, index)
            parts.append((ffi.string(name[0]).decode(), flat[offset[0]:][:shape[0] * shape[1]].copy()))
    return np.concatenate([dict(parts)[name] for name in data.compared(one)])


def training(one):
    made = model(one)
    trainer = Trainer(made, loss="squared_error", clip=0, threads=one["threads"], streams=one["streams"],
                      steps=one["length"])
    x, wanted = data.inputs(one, one["length"])
    examples = ffi.new("arnn_examples *", {
        "struct_size": ffi.sizeof("arnn_examples"), "x": _pointer("float", x), "values": _pointer("float", wanted),
        "steps": one["length"], "count": one["streams"]})
    told = ffi.new("arnn_training *", {"struct_size": ffi.sizeof("arnn_training")})
    first = []
    parts = one["length"] if one["unit"] == "step" else 1

    def once():
        call("arnn_trainer_step", trainer.handle, told, examples, 1e-4)
        if not first:
            first.append(gradient(made, trainer, one))

    def run(repeats):
        return data.median_ns(once, repeats) / parts
    run.kept = x, wanted
    return run, lambda: first[0]


def counted(one):
    """Bytes that a training step takes: its record, and what is kept for every parameter."""
    desc, size = ffi.new("arnn_record_desc *"), ffi.new("size_t *")
    call("arnn_record_desc_default", desc, ffi.sizeof("arnn_record_desc"))
    desc.threads, desc.streams, desc.steps = one["threads"], one["streams"], one["length"]
    call("arnn_record_bytes", model(one).handle, desc, size)
    return size[0]


OURS = {"step": step, "threads": step, "product": product, "cells": forward, "sequence": forward, "training": training,
        "memory": training}
CALLED_FROM_C = {"ceiling": ceiling, "blas": blas, "sgemm": sgemm}


def make(one, side):
    """The forms of a side: ours, or one of those that are called from C."""
    if side in CALLED_FROM_C:
        return CALLED_FROM_C[side](one)
    return {side: OURS.get(one["group"], read)(one if side == "ours" else {**one, "threads": 1})}
