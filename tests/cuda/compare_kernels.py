"""Kernels by the hundreds through the comparison of ``test_host_emulation.py``: ``python tests/cuda/compare_kernels.py --kernels 500``.

Half are random kernels, half those of random programs; all kernels of the benchmarks and of operations and folds come with them.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

os.environ["FUSEIR_CACHE"] = "0"
sys.path.append(str(Path(__file__).parents[1]))

import corpus
from comparison import compare
from xdsl.dialects.func import FuncOp

AT_A_TIME = 40


def main() -> int:
    """0 if nothing differed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--kernels", type=int, default=500, help="random kernels, and as many of random programs, half each"
    )
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    options = parser.parse_args()
    jobs, done, differences, versions = 0, 0, list[str](), Counter[str]()
    kernels = _kernels(options.kernels, options.first)
    started = time.monotonic()
    while batch := list(islice(kernels, AT_A_TIME)):
        with tempfile.TemporaryDirectory() as folder:
            outcome = compare(batch, Path(folder), seed=options.first + done)
        jobs, done = jobs + outcome.jobs, done + len(batch)
        differences += outcome.differences
        versions.update(outcome.versions)
        print(
            f"{done} kernels, {jobs} runs, {len(differences)} differences, {time.monotonic() - started:.0f} s",
            flush=True,
        )
    print(*differences, dict(versions), sep="\n")
    return 1 if differences else 0


def _kernels(count: int, first: int) -> Iterator[FuncOp]:
    """The kernels, different ones only."""
    known: set[str] = set()

    def new(kernel: FuncOp) -> bool:
        text = str(kernel).replace(f"@{kernel.sym_name.data}", "@kernel", 1)
        is_new = text not in known
        known.add(text)
        return is_new

    yield from (kernel for kernels in corpus.of_benchmarks().values() for kernel in kernels if new(kernel))
    yield from corpus.of_operations().values()
    yield from (
        corpus.of_folds(t, combiner, *axes)
        for t, combiners in corpus.FOLDS.items()
        for combiner in combiners
        for axes in (("M", 1), ("N", 2), ("M", 2), ("NM", 2), ("K", 3), ("NK", 3))
        if hash_of(t, combiner, *axes) % 4 == first % 4
    )
    found = 0
    for seed in range(first, first + count):
        if found < count // 2 and new(kernel := corpus.generated(seed)):
            found += 1
            yield kernel
    seed = first
    while found < count:
        for kernel in filter(new, corpus.of_random_programs(range(seed, seed + 4))):
            found += 1
            yield kernel
        seed += 4


def hash_of(*parts: object) -> int:
    """A number that is the same in every process."""
    return sum(ord(letter) * place for place, letter in enumerate(" ".join(map(str, parts)), 1))


if __name__ == "__main__":
    sys.exit(main())
