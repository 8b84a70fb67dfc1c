"""Which kernels OpenBLAS should run with. Built for many processors, it chooses by the model number, and where it does not
know that, it takes those of a very old one: then the rival would be several times slower than it can be."""

import json
import os
import platform
import subprocess

NAMES = ("SkylakeX", "SapphireRapids", "Cooperlake", "Haswell", "Zen") if platform.machine() == "x86_64" else ()


def environment(name):
    """The environment in which OpenBLAS takes these kernels; None: those that it chooses itself."""
    made = dict(os.environ)
    if name:
        made["OPENBLAS_CORETYPE"] = name
    return made


def probe(program, name):
    """What bench_cost finds: {"core": .., "read_512_ns": .., ..}; None where OpenBLAS cannot run so."""
    done = subprocess.run([program, "probe"], env=environment(name), capture_output=True, text=True)
    return {"setting": name, **json.loads(done.stdout)} if done.returncode == 0 else None


def times(found):
    return [value for key, value in found.items() if key.endswith("_ns")]


def worst(found, everyone):
    """How much slower than the best one this is where it compares worst."""
    best = [min(column) for column in zip(*map(times, everyone))]
    return max(own / least for own, least in zip(times(found), best))


def choose(everyone):
    """Kernels of every name once, the best first: what is never far behind is better than what is best somewhere."""
    by_core = {}
    for found in everyone:
        known = by_core.setdefault(found["core"], found)
        if worst(found, everyone) < worst(known, everyone) and known["setting"] is not None:
            by_core[found["core"]] = found
    return sorted(by_core.values(), key=lambda found: worst(found, everyone))


def candidates(program):
    """The kernels to be tried, the best first. Who has set OPENBLAS_CORETYPE has chosen."""
    names = (None,) if "OPENBLAS_CORETYPE" in os.environ else (None, *NAMES)
    return choose([found for found in (probe(program, name) for name in names) if found])


def sentence(cores):
    """Which one runs, and why."""
    chosen, own = cores[0], [found["core"] for found in cores if found["setting"] is None]
    said = f"OpenBLAS runs its kernels for {chosen['core']}"
    if os.environ.get("OPENBLAS_CORETYPE"):
        return f"{said}, as OPENBLAS_CORETYPE says"
    if chosen["setting"] is None:
        return f"{said}, its own choice"
    return f"{said} (OPENBLAS_CORETYPE={chosen['setting']}); by itself it would take those for {', '.join(own)}"


def near(cores, kind):
    """Those that are within a seventh of the best somewhere in what is called `kind`: the rivals to be tried."""
    keys = [key for key in cores[0] if key.startswith(kind)]
    best = {key: min(found[key] for found in cores) for key in keys}
    return [found for found in cores if any(found[key] <= best[key] * 8 / 7 for key in keys)]
