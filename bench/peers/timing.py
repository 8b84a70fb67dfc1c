"""Two things timed in turn, so that what disturbs one disturbs the other."""

import statistics
import time


def once(run, least):
    """ns of a call, from as many calls as fill `least` ns."""
    count = 1
    while True:
        start = time.perf_counter_ns()
        for _ in range(count):
            run()
        spent = time.perf_counter_ns() - start
        if spent >= least:
            return spent / count
        count = max(2 * count, int(count * 1.1 * least / max(spent, 1)))


def best_form(forms, least):
    """The name of the fastest of several ways of doing the same."""
    for run in forms.values():
        run()
    return min(forms, key=lambda name: min(once(forms[name], least) for _ in range(2)))


def versus(ours, peer, rounds, least):
    """Medians in ns and the median of the rounds' ratios, with their spread."""
    ours(), peer()
    pairs = [(once(ours, least), once(peer, least)) for _ in range(rounds)]
    ratios = sorted(theirs / own for own, theirs in pairs)
    return {"ours_ns": statistics.median(own for own, _ in pairs),
            "peer_ns": statistics.median(theirs for _, theirs in pairs),
            "ratio": statistics.median(ratios), "ratio_low": ratios[0], "ratio_high": ratios[-1], "rounds": rounds}
