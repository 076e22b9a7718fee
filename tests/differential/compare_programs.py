"""Runs random programs in every way and compares: ``python tests/differential/compare_programs.py --programs 10000``.

Unfused = fused, on 1, 2 and 4 threads = the reference executor, bit for bit but for payloads and signs of NaNs; the last within 4 units
in the last place where functions are transcendental. NumPy alone agrees bit for bit wherever operations are exact.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from random_programs import Exactness, Given, Program, drawn, run_in, run_in_numpy

import fuseir
from fuseir.passes import pipelines
from fuseir.runtime.executors import kernel_steps

Array = np.ndarray[Any, np.dtype[Any]]

SIZES = 10
"""Draws of extents for a program, each of which is planned anew."""
CONTENTS = 5
"""Draws of contents for each of those, which run the same plan."""


PIPELINE = tuple(name + "{smallest-bytes=0}" * (name == "reuse-inputs") for name in pipelines.CPU_PIPELINE)
"""Results take the memory of inputs however small they are."""


def sessions(cache: Path) -> dict[str, fuseir.Session]:
    """Every way to run a program. They share compiled kernels, in a folder of their own."""
    kernels = {"cache": True, "cache_dir": cache}
    return {
        "fused on 1 thread": fuseir.Session(threads=1, **kernels),
        "fused on 2 threads": fuseir.Session(threads=2, **kernels),
        "fused on 4 threads": fuseir.Session(threads=4, **kernels),
        "unfused": fuseir.Session(threads=1, fuse=False, **kernels),
        "reference": fuseir.Session(target="reference"),
    }


def same_bits(a: Array, b: Array) -> bool:
    """Equal bits, NaN payloads and signs aside."""
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    if a.dtype.kind != "f":
        return np.array_equal(a, b)
    return bool(np.all((a == b) & (np.signbit(a) == np.signbit(b)) | (np.isnan(a) & np.isnan(b))))


def ulp_distance(a: Array, b: Array) -> float:
    """The largest distance in units in the last place; infinite where only one is NaN or infinite."""
    with np.errstate(all="ignore"):
        same = (a == b) | (np.isnan(a) & np.isnan(b))
        distance = np.abs(a - b) / np.spacing(np.maximum(np.abs(a), np.abs(b)))
    return float(np.max(np.where(same, 0.0, np.where(np.isfinite(distance), distance, np.inf)), initial=0.0))


def differences(ways: dict[str, fuseir.Session], program: Program, given: Given) -> Iterator[str]:
    """What does not agree, in words."""
    with np.errstate(all="ignore"):
        results = {name: run_in(session, program, given) for name, session in ways.items()}
        first, refused = results["fused on 1 thread"]
        exact = run_in_numpy(program, given, refused)
        for name, (contents, also_refused) in results.items():
            if refused != also_refused:
                yield f"{name} refuses steps {also_refused}, not {refused}"
            for store, array in contents.items():
                ulps = program.forms[store].exactness is Exactness.ULPS and name == "reference"
                if not (ulp_distance(first[store], array) <= 4 if ulps else same_bits(first[store], array)):
                    yield f"{name} differs in store {store}, {program.forms[store]}"
        for store, array in exact.items():
            exactness = program.forms[store].exactness
            if exactness is Exactness.BITS:
                agree = same_bits(first[store], array)
            elif exactness is Exactness.ULPS:
                agree = ulp_distance(first[store], array) <= 4
            else:
                agree = (
                    first[store].shape == array.shape
                )  # NumPy adds in another order: the reference is what sums are compared with
            if not agree:
                yield f"NumPy differs in store {store}, {program.forms[store]}"


def compare(ways: dict[str, fuseir.Session], programs: range) -> Iterator[str]:
    """Runs programs of these numbers: each comes with ``SIZES`` draws of extents, and ``CONTENTS`` of contents for each."""
    each = SIZES * CONTENTS
    for number in programs:
        seed, draw = divmod(number, each)
        program = drawn(seed)
        sizes = program.sizes(np.random.default_rng((seed, draw // CONTENTS)))
        for difference in differences(ways, program, Given(sizes, number)):
            yield f"program {number}, of sizes {sizes}: {difference}"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--programs", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0, help="the number of the first program")
    options = parser.parse_args()
    kernel_steps._INLINE_BYTES = 0  # threads share the work, however little there is
    pipelines.CPU_PIPELINE = PIPELINE
    wrong: Counter[int] = Counter()
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        ways = sessions(Path(folder))
        for number in range(options.first, options.first + options.programs):
            for difference in compare(ways, range(number, number + 1)):
                wrong[number] += 1
                print(difference, flush=True)
            if (number + 1 - options.first) % 500 == 0:
                print(
                    f"{number + 1 - options.first} programs, {time.perf_counter() - start:.0f} s, {len(wrong)} wrong",
                    flush=True,
                )
        for name, session in ways.items():
            print(
                f"{name}: {session.statistics.tasks} tasks in {session.statistics.launches} launches, "
                f"{session.statistics.plan_misses} plans, {session.statistics.fallbacks} fallbacks"
            )
    print(f"{options.programs} programs, {len(wrong)} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
