"""What a row is to reach, and the table."""


def target(row):
    """The ratio that a row is to reach; None where there is none."""
    group, tape, megabytes = row["group"], row["tape"], row["length"] * row["hidden"] * 4 / 2**20
    if group == "a" and row["length"] >= 8192:
        return {"f32": 1.9, "f16": 3.5, "bf16": 3.5, "i8": 5.5}[tape]
    if group == "b" and row["length"] >= 1024 and megabytes <= 32:
        return 1.5
    if group == "b" and megabytes >= 128:
        return {"f32": 1.2, "bf16": 1.05, "i8": 1.5}[tape]
    if group == "b step":
        return 6.0 if row["hidden"] == 128 else 4.0 if row["weights"] != "f32" else 1.3
    if group == "train":
        return 100.0 if row["peer"].startswith("autograd") and row["length"] >= 1024 else (
            20.0 if row["peer"].startswith("lax") and row["length"] == 512 else None)
    return {"d": 1.3, "e": 5.0, "f": 5.0, "train d": 1.2}.get(group)


GROUPS = {"a": "a read, against two OpenBLAS gemv and a softmax over float32 rows",
          "b": "a read, against PyTorch's SDPA with K = V = H", "c": "a read, against a key cache and bmm",
          "b step": "a step with 128 past states, against the same written in PyTorch",
          "d": "ordinary cells, forward, 100 steps", "e": "whole sequences, against lax.scan",
          "f": "whole sequences, against a PyTorch loop over preallocated tensors",
          "train": "forward, backward and Adam of an attending rnn", "train d": "the same of ordinary cells"}


def time_text(ns):
    for unit, size in (("s", 1e9), ("ms", 1e6), ("us", 1e3)):
        if ns >= size:
            return f"{ns / size:.3g} {unit}"
    return f"{ns:.3g} ns"


def line(row):
    wanted = target(row)
    what = f"{row['cell']} {row['hidden']} x{row['streams']} T {row['length']:,} {row['tape']}"
    if row.get("weights", "f32") != "f32":
        what += f" weights {row['weights']}"
    mark = "" if wanted is None else f"  (to reach {wanted:g})" + ("" if row["ratio"] >= wanted else " *")
    return (f"  {what:<34}{row['threads']} thr  {time_text(row['ours_ns']):>9}  {time_text(row['peer_ns']):>9}"
            f"  {row['ratio']:6.2f} x{mark}  {row['peer']}")


def table(rows):
    lines = []
    for group, title in GROUPS.items():
        own = [row for row in rows if row["group"] == group]
        if own:
            lines += ["", title, *map(line, own)]
    return "\n".join(lines)
