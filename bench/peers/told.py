"""The report in words: for the terminal, and as a page of Markdown whose first table is for the README."""

import report
from peers import cases, claims, memory, reckon

COUNTED = """Counted: medians of samples taken in turn, a sample being the median of as many calls as fit into 20 ms (spread:
half the distance between the quartiles of samples, of the worse side). The reads, steps and products of ours and of
OpenBLAS are looped in C, PyTorch and JAX in Python as people run them, dispatch included. cells, sequence, training: one
call of ours against one call or loop of theirs. The best of a peer's forms counts, and of OpenBLAS the best kernels and
number of threads up to ours (the figures also have 2 threads where ours has one). ceilings: percent of the read ceiling,
or of the flops, that ours and the peer reach. + reaches its target, - does not. weak: slower than this peer, well
written, ought to be here. i8*: ours int8, the peer bfloat16."""


def machine(figures):
    about = figures["machine"]
    read = ", ".join(f"{report.bytes_text(size)} {gbps:.0f}" for size, gbps in figures["ceilings"]["read"][::2])
    return [f"{about['processor']}, {about['cores']} cores, {about['system']}, {about['time']}", about["build_info"],
            about["blas"], f"one core: {figures['ceilings']['flops']:.0f} Gflop/s; reads in GB/s: {read}"]


def disturbed(figures):
    others = figures["machine"]["others"]
    return [f"Other programs took {others:.1f} processors meanwhile: figures are worse than this machine's own."] \
        if others and others > 0.1 else []


def weak(figures):
    return [f"weak peer: {row['group']} {row['against']} {reckon.shape_text(row)}, {row['peer']}: "
            f"{reckon.time_text(row['peer_ns'])}, expected {reckon.time_text(row['expected_peer_ns'])}"
            for row in figures["peers"] if row["weak"]]


def against_peers(figures):
    return [f"memory of training, {row['length']} steps: ours {report.bytes_text(row['ours_bytes'])}, {row['peer']} "
            f"{report.bytes_text(row['peer_bytes'])} ({row['peer_bytes'] / row['ours_bytes']:.1f} times)"
            for row in figures["peers"] if row.get("peer_bytes")]


def rest(figures):
    """What has no peer."""
    parts = against_peers(figures)
    if figures["memory"]:
        parts.append(memory.text(figures["memory"]))
    if figures["text"]:
        parts += ["", report.text_table(figures["text"])]
        parts += [f"  {row['allowed_bytes_per_second']:>9,.0f} bytes/s  are what counted bytes and flops allow"
                  for row in figures["text"]]
    if figures["drift"]:
        parts += ["", report.drift_table(figures["drift"])]
    return parts


def terminal(figures):
    parts = machine(figures) + [reckon.table(figures["peers"], cases.GROUPS), "", COUNTED, "", *rest(figures), ""]
    rows = claims.judged(figures)
    if rows:
        parts += ["targets (held, what, target, measured, spread at the worst, of the least samples)",
                  claims.terminal(rows)]
    return "\n".join(parts + weak(figures) + disturbed(figures))


def page(figures):
    parts = ["# This library and its peers", "", "; ".join(machine(figures)) + ".", *disturbed(figures), "",
             claims.markdown(claims.judged(figures)), "", "## Every row", "", "```",
             reckon.table(figures["peers"], cases.GROUPS).strip("\n"), "", COUNTED, "", *rest(figures), *weak(figures), "```"]
    return "\n".join(parts) + "\n"
