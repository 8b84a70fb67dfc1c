"""What the peers took, well written, on a machine whose ceilings are known (two cores with AVX-512, 2 MiB L2 a core, a large
L3; PyTorch 2.13 with MKL and oneDNN, JAX 0.10, OpenBLAS 0.3.21 with kernels for SkylakeX). One that is more than a fifth
slower here, after the ceilings of both machines, is written badly, or runs the wrong kernels."""

ALLOWED = 1.2
FLOPS = 225  # Gflop/s a core
US, MS, S = 1e3, 1e6, 1e9

# group, against, form: {key of the shape: ns, as the rows count}
READS = {  # ns a past state, by (streams, length)
    ("blas", "f32"): {(1, 8192): 145, (1, 65536): 290},
    ("sdpa", "f32"): {(8, 1024): 115, (1, 8192): 113, (1, 65536): 180},
    ("sdpa", "bf16"): {(8, 1024): 75, (1, 8192): 72, (1, 131072): 77},
    ("usual", "f32"): {(8, 1024): 237, (1, 8192): 167, (1, 65536): 290},
}
CELLS = {  # us a step on two cores, by (hidden, streams): forward, forward and backward
    "rnn": {(128, 1): (6.5, 39), (128, 32): (25, 84), (512, 1): (16, 102), (512, 8): (48, 173), (512, 32): (207, 533)},
    "gru": {(128, 1): (15, 97), (128, 32): (59, 252), (512, 1): (49, 400), (512, 8): (141, 693), (512, 32): (557, 1870)},
    "lstm": {(128, 1): (4.6, 15), (128, 32): (40, 123), (512, 1): (56, 167), (512, 8): (178, 447), (512, 32): (426, 1653)},
}
PRODUCTS = {1: 13, 4: 86, 8: 100, 16: 130, 32: 193}  # us, by streams; hidden 512, one core
SEQUENCES = {  # s, by length; rnn, after, dot, 8 streams, hidden 256, two cores
    ("sequence", "torch"): {256: 0.036, 512: 0.118, 1024: 0.41, 2048: 1.26},
    ("sequence", "jax"): {256: 0.03, 512: 0.10, 1024: 0.39},
    ("training", "autograd"): {256: 0.77, 512: 4.3, 1024: 53},
    ("training", "blocked"): {256: 0.115, 512: 0.33, 1024: 1.02, 2048: 3.06},
    ("training", "flash"): {512: 0.20, 1024: 0.62, 2048: 2.1},
    ("training", "jax"): {256: 0.37, 512: 1.34},
}


def known_ns(one):
    """What the peer of a case took there; None where it was not measured."""
    group, shape = one["group"], (one["streams"], one["length"])
    if group in ("blas", "sdpa", "usual"):
        found = READS.get((group, one["peer_tape"]), {}).get(shape)
        return found and found * one["streams"] * one["length"]
    if group == "product":
        return PRODUCTS.get(one["streams"]) and PRODUCTS[one["streams"]] * US
    if one["wiring"] == "none":
        found = CELLS[one["cell"]].get((one["hidden"], one["streams"])) if one["threads"] == 2 else None
        return found and found[group == "training"] * US
    found = SEQUENCES.get((group, one["against"]), {}).get(one["length"])
    return found and found * S


def known_read(size):
    """Gbyte/s of one core there."""
    return 175 if size <= 1 << 20 else 30 if size < 128 << 20 else 15


def expected_ns(one, size, read, flops):
    """What the peer may take here. A machine is as much slower as the slower one of its two ceilings says."""
    found = known_ns(one)
    return found and found * max(known_read(size) / read, FLOPS / flops if flops else 1)
