"""What mining costs: finding repeats by itself, and what it takes from a thread that launches meanwhile.

    python benchmarks/mining.py [TOKENS [LAUNCHES]]

First the seconds to find the repeats of TOKENS tokens (500,000) of each kind. Then streams of LAUNCHES launches (1,000,000), each some
two microseconds of Python, in pieces of 64: the processor time with mining over that without, first of the thread that launches, then of
both, least of several turns; the former also with a finder that takes a hundred times as long; how many samples were mined and left out,
and what the process grew by.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from fuseir.repeats.coverage import coverage
from fuseir.repeats.finder import Repeat, find_repeats
from fuseir.runtime.tracing.history import History, Sampling
from fuseir.runtime.tracing.miner import Miner, Mining

PIECE = 64
TURNS = 3

Tokens = npt.NDArray[np.int64]


def kinds(count: int) -> dict[str, Tokens]:
    rng = np.random.default_rng(1)
    fibonacci = [[0], [0, 1]]
    while len(fibonacci[-1]) < count:
        fibonacci.append(fibonacci[-1] + fibonacci[-2])
    loop = np.arange(count) % 60
    return {
        "distinct": np.arange(count),
        "noise of 300": rng.integers(0, 300, count),
        "noise of 10": rng.integers(0, 10, count),
        "noise of 2": rng.integers(0, 2, count),
        "a^n": np.zeros(count, np.int64),
        "(ab)^n": np.arange(count) % 2,
        "fibonacci": np.array(fibonacci[-1][:count]),
        "loop of 60": loop,
        "loop with 2 % noise": np.where(rng.random(count) < 0.02, rng.integers(60, 80, count), loop),
    }


def work(tokens: Sequence[int]) -> None:
    """Stands for capture: about two microseconds a token, all of it in Python."""
    for token in tokens:
        _ = {(token, k): str(k) for k in range(14)}


def slow(tokens: Tokens, minimum: int) -> list[Repeat]:
    start = time.perf_counter()
    repeats = find_repeats(tokens, minimum)
    time.sleep(99 * (time.perf_counter() - start))
    return repeats


def stream(
    pieces: Sequence[Sequence[int]], find: Callable[[Tokens, int], Sequence[Repeat]] | None
) -> tuple[float, float, str]:
    """Processor time for a stream, of this thread and of all, and what there is to say about its mining."""
    history, miner, samples, candidates = History(Sampling()), Miner(Mining(), find=find or find_repeats), 0, 0
    own, all_threads = time.thread_time(), time.process_time()
    for piece in pieces:
        work(piece)
        if find is not None:
            taken = history.append(piece)
            if taken:
                samples += len(taken)
                miner.submit(taken)
            if miner.in_flight:
                candidates += sum(len(mined.candidates) for mined in miner.collect())
    own, all_threads = time.thread_time() - own, time.process_time() - all_threads
    miner.stop()
    return own, all_threads, f"{samples} samples, {miner.left_out} left out, {candidates} candidates"


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 500_000
    launches = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
    print(f"repeats of at least 5 in {count} tokens")
    for name, tokens in kinds(count).items():
        start = time.perf_counter()
        repeats = find_repeats(tokens, 5)
        seconds = time.perf_counter() - start
        print(f"  {name:20} {seconds:6.2f} s   {len(repeats)} repeats cover {coverage(repeats) / count:.1%}")
    print(f"{launches} launches")
    for name, tokens in kinds(launches).items():
        if name in ("a^n", "(ab)^n", "fibonacci", "noise of 2"):
            continue
        pieces = [tokens[k : k + PIECE].tolist() for k in range(0, launches, PIECE)]
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        off, own, both, slowly, said = [], [], [], [], ""
        for _ in range(TURNS):
            off.append(stream(pieces, None)[0])
            seconds, all_threads, said = stream(pieces, find_repeats)
            own.append(seconds)
            both.append(all_threads)
            slowly.append(stream(pieces, slow)[0])
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        print(
            f"  {name:20} {1e6 * min(off) / launches:5.2f} µs a launch, x{min(own) / min(off):.3f} with mining, "
            f"x{min(both) / min(off):.3f} with the miner's own, x{min(slowly) / min(off):.3f} with a slow one; {said}; {grown:.0f} MB"
        )


if __name__ == "__main__":
    main()
