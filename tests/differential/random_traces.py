"""Random streams with random traces, fences, ignored operations and changes: what the replayer emits, against lists of pointers.

python tests/differential/random_traces.py [streams] [first seed]
"""

from __future__ import annotations

import random
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from helpers.replayed_stream import ReplayedStream
from oracle.pointer_replayer import Pointers, Published, Tokens, places

from fuseir.runtime.tracing.parameters import Costs, TracingParameters
from fuseir.runtime.tracing.replayer import Replayer

KEEP_ALL = TracingParameters(minimum_length=1, visit_threshold=0, losses=sys.maxsize, patience=sys.maxsize)


def random_tokens(rng: random.Random, length: int, motifs: list[Tokens], letters: int) -> list[int]:
    """Motifs and noise."""
    tokens: list[int] = []
    share = rng.choice((0.2, 0.7, 0.9))
    while len(tokens) < length:
        tokens += rng.choice(motifs) if rng.random() < share else [rng.randrange(letters)]
    return tokens[:length]


def random_strings(rng: random.Random, letters: int) -> list[Tokens]:
    """Some repeat themselves, some are parts of others."""
    strings: list[Tokens] = []
    for _ in range(rng.randint(1, 5)):
        string = tuple(rng.randrange(letters) for _ in range(rng.randint(1, 6))) * rng.choice((1, 1, 1, 2, 3))
        strings.append(string)
        if rng.random() < 0.3:
            begin = rng.randrange(len(string))
            strings += [string[begin:], string[: begin + 1]]
    return strings


def check_against_pointers(seed: int) -> tuple[int, int, bool]:
    """One stream with one set of traces.

    Returns how many launches are replayed, how many by the published rules, and whether those are the same rules here: where no two matches
    touch or wait together, there is no choice.
    """
    rng = random.Random(seed)
    letters = rng.choice((2, 3, 5, 9, 30))
    strings = random_strings(rng, letters)
    replayer = Replayer(replace(KEEP_ALL, prefix_free=rng.random() < 0.5))
    replayer.ingest(strings, 0)
    traces = [trace.tokens for trace in replayer.report().traces]
    stream, pointers, published = ReplayedStream(replayer), Pointers(traces), Published(traces)
    parts: list[list[int]] = []
    for _ in range(rng.randint(1, 4)):
        part = random_tokens(rng, rng.randint(0, 60), strings, letters)
        parts.append(part)
        for token in part:
            stream.launch(token)
            pointers.launch(token)
            published.launch(token)
            if replayer.state.resume is replayer.state:  # else that is noted with the next token
                assert stream.brackets == pointers.replays, seed
                assert stream.settled == pointers.issued, seed
        stream.flush()
        pointers.flush()
        published.flush()
        assert stream.brackets == pointers.replays, seed
    # What waits is no more than the longest trace, and what overlaps it (A34).
    assert stream.most_waiting <= 3 * max(map(len, traces)), seed
    offset, found = 0, []
    for part in parts:
        found += [(start + offset, end + offset) for start, end in places(traces, part)]
        offset += len(part)
    apart = all(end < start for (_, end), (start, _) in pairwise(found))
    same = apart and published.most_complete < 2
    if same:
        assert stream.brackets == published.replays == found, seed
    return stream.replayed, sum(end - start for start, end in published.replays), same


def check_changes(seed: int) -> int:
    """One stream with candidates that come, go and are promoted: what is asserted for every stream. Returns the launches replayed."""
    rng = random.Random(seed)
    letters = rng.choice((2, 3, 5, 9, 30))
    parameters = TracingParameters(
        minimum_length=rng.randint(1, 4),
        maximum_length=rng.choice((6, 100)),
        unrolled_length=rng.choice((7, 64)),
        visit_threshold=rng.randint(0, 3),
        maximum_watched=rng.choice((2, 64)),
        capacity=rng.choice((10, 30, 1000)),
        patience=rng.choice((2, 100)),
        losses=rng.choice((1, 3, 10)),
        prefix_free=rng.random() < 0.5,
        costs=rng.choice((None, Costs(4, 5, 1, 3), Costs(4, 5, 1, 3, planned=rng.choice((0.01, 0.1))))),
    )
    replayer = Replayer(parameters)
    stream = ReplayedStream(replayer)
    motifs = random_strings(rng, letters)
    seen = 0
    for _ in range(rng.randint(1, 30)):
        position = len(stream.records)
        action = rng.random()
        if action < 0.15:
            stream.fence()
        elif action < 0.25:
            stream.ignore()
        elif action < 0.35:
            motifs = random_strings(rng, letters)
        elif action < 0.6:
            replayer.ingest(rng.sample(motifs, rng.randint(1, len(motifs))), position)
        elif action < 0.7:
            stream.launch_all(list(rng.choice(motifs)) * rng.randint(1, 60))
        else:
            stream.launch_all(random_tokens(rng, rng.randint(1, 30), motifs, letters))
        if rng.random() < 0.5:
            chunk = [-2 if token is None else token for token in stream.records[seen:]]
            replayer.observe(chunk, seen)
            seen = len(stream.records)
        report = replayer.report()
        known = [*report.watched, *[trace.tokens for trace in report.traces]]
        assert sum(map(len, known)) <= parameters.capacity, seed
        assert len(report.watched) <= parameters.maximum_watched, seed
        assert len(set(known)) == len(known), seed
        if parameters.prefix_free:
            assert all(one == other or one != other[: len(one)] for one in known for other in known), seed
    stream.flush()
    return stream.replayed


def check(streams: int, first: int) -> dict[str, int]:
    """Checks so many streams of each kind; returns totals."""
    totals = {"replayed": 0, "published": 0, "same rules": 0, "with changes": 0}
    for seed in range(first, first + streams):
        replayed, published, same = check_against_pointers(seed)
        totals["replayed"] += replayed
        totals["published"] += published
        totals["same rules"] += same
        totals["with changes"] += check_changes(seed)
    return totals


def main(streams: int, first: int) -> None:
    print(f"{streams} streams of each kind from seed {first}: {check(streams, first)}")


if __name__ == "__main__":
    main(*[*map(int, sys.argv[1:]), 10_000, 0][:2])
