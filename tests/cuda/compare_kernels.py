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
from itertools import islice
from pathlib import Path

os.environ["FUSEIR_CACHE"] = "0"
sys.path.append(str(Path(__file__).parents[1]))

import corpus
from comparison import compare

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
    kernels = corpus.many(options.kernels, options.first)
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


if __name__ == "__main__":
    sys.exit(main())
