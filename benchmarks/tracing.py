"""What the replayer costs for each token of a stream, in the capture of a launch and in ``observe``.

    python benchmarks/tracing.py

Prints the least processor time of several rounds. The loop itself, which counts positions, is in the figures and on a line of its own.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence

from fuseir.runtime.tracing.parameters import TracingParameters
from fuseir.runtime.tracing.replayer import Replayer

TOKENS = 60_000
ROUNDS = 9
AT_ONCE = TracingParameters(visit_threshold=0, prefix_free=True)

Tokens = Sequence[int]


def least(function: Callable[[], object]) -> float:
    """Microseconds for each token."""
    rounds: list[float] = []
    for _ in range(ROUNDS):
        start = time.process_time()
        function()
        rounds.append((time.process_time() - start) / TOKENS * 1e6)
    return min(rounds)


def capture(replayer: Replayer, stream: Tokens) -> tuple[int, int]:
    """As a session does it. Returns how often the fast path was left, and the launches that were replayed."""
    steps = replayed = 0
    for position, token in enumerate(stream):
        state = replayer.state.get(token)
        if state is None:
            steps += 1
            for replay in replayer.step(token, position):
                replayed += replay.end - replay.start
        else:
            replayer.state = state
    return steps, replayed


def count(stream: Tokens) -> int:
    last = 0
    for position, _ in enumerate(stream):
        last = position
    return last


def with_traces(traces: Sequence[Tokens]) -> Replayer:
    replayer = Replayer(AT_ONCE)
    replayer.ingest(traces, 0)
    return replayer


def line(name: str, traces: Sequence[Tokens], stream: Tokens) -> None:
    cost = least(lambda: capture(with_traces(traces), stream)) - least(lambda: with_traces(traces))
    steps, replayed = capture(with_traces(traces), stream)
    print(f"{name:44} {cost:6.3f} µs   steps {steps / TOKENS:6.1%}   replayed {replayed / TOKENS:6.1%}")


def loop(length: int) -> list[int]:
    return [*range(length)] * (TOKENS // length)


def watching(chunk: int, candidates: Sequence[Tokens], stream: Tokens) -> float:
    def observe() -> None:
        replayer = Replayer(TracingParameters(visit_threshold=1 << 30, prefix_free=True))
        replayer.ingest(candidates, 0)
        for position in range(0, TOKENS, chunk):
            replayer.observe(stream[position : position + chunk], position)

    return least(observe)


def main() -> None:
    rng = random.Random(0)
    noise = [rng.randrange(1000) for _ in range(TOKENS)]
    few = [token % 30 for token in noise]
    many = [[rng.randrange(30) for _ in range(rng.randint(5, 30))] for _ in range(60)]
    one, other = [*range(15)], [*range(10, 35)]
    alternating = [token for _ in range(TOKENS // 10) for token in (one if rng.random() < 0.5 else other)][:TOKENS]
    print(f"{'the loop itself':44} {least(lambda: count(noise)):6.3f} µs")
    for length in (5, 20, 100, 1000):
        line(f"a trace of {length}, again and again", [[*range(length)]], loop(length))
    line("two motifs in random order, a trace each", [one, other], alternating)
    line("eight iterations as one trace, loop of 15", [one * 8], loop(15))
    line("a loop of 15 as one, and four from its middle", [one, (one[7:] + one[:7]) * 4], loop(15))
    line("a loop of 5 in one of 4000 that never ends", [[*range(5)], [*range(5)] * 800 + [-1]], loop(5))
    line("noise, no traces", [], noise)
    line("noise, a trace that begins like 0.1 % of it", [[*range(20)]], noise)
    line("noise of 30 tokens, 60 random traces", many, few)
    for chunk in (64, 1024):
        print(f"{f'watching for 60 candidates, chunks of {chunk}':44} {watching(chunk, many, few):6.3f} µs")
        print(
            f"{f'watching for one of 1000, chunks of {chunk}':44} {watching(chunk, [[*range(1000)]], loop(1000)):6.3f} µs"
        )
    text = [[rng.randrange(1000) for _ in range(2000)] for _ in range(10)]
    print(f"{'an automaton for 20,000 tokens':44} {least(lambda: with_traces(text)) * TOKENS / 1e3:6.0f} ms")


if __name__ == "__main__":
    main()
