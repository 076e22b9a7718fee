"""The replayer as lists of pointers, one for each launch that a trace may begin at: slow and obvious.

``Published`` is Apophenia's algorithm as Legion implements it, ``Pointers`` follows the rules of fuseir/runtime/tracing/replayer.py. They
share scores with it, and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from fuseir.runtime.tracing.scores import Score

Tokens = tuple[int, ...]
Bracket = tuple[int, int]
"""Begin and end of a replay."""


class Complete(NamedTuple):
    trace: Tokens
    start: int
    end: int
    weight: float


class _Oracle:
    def __init__(self, traces: Sequence[Tokens]) -> None:
        self.stream: list[int] = []
        self.traces = list(traces)
        self.scores = {trace: Score(len(trace)) for trace in traces}
        self.pointers: list[tuple[int, list[Tokens]]] = []
        """Where each began, and what it can still become."""
        self.complete: list[Complete] = []
        self.most_complete = 0
        """How many matches there were to choose from at most; counted by ``Published``."""
        self.issued = 0
        self.replays: list[Bracket] = []

    def advance(self, token: int) -> None:
        here = len(self.stream)
        self.stream.append(token)
        moved: list[tuple[int, list[Tokens]]] = []
        for start, traces in [*self.pointers, (here, self.traces)]:
            matching = [trace for trace in traces if trace[here - start] == token]
            for trace in [trace for trace in matching if len(trace) == here - start + 1]:
                self.scores[trace].visit(start)
                self.complete.append(Complete(trace, start, here + 1, self.scores[trace].score(start)))
                matching.remove(trace)
            if matching:
                moved.append((start, matching))
        self.pointers = moved

    def replay(self, match: Complete) -> None:
        self.scores[match.trace].replays += 1
        self.replays.append((match.start, match.end))
        self.issued = match.end


class Published(_Oracle):
    """Per launch, as in the paper's notes: nothing is deferred, what touches overlaps, scores decide one by one."""

    def launch(self, token: int) -> None:
        self.advance(token)
        self.decide()

    def flush(self) -> None:
        self.pointers = []
        self.decide()
        self.issued = len(self.stream)

    def decide(self) -> None:
        self.most_complete = max(self.most_complete, len(self.complete))
        by_score = sorted(self.complete, key=lambda match: (-match.weight, match.start))
        if not self.pointers:
            for match in by_score:
                if match.start >= self.issued:
                    self.replay(match)
            self.complete = []
            self.issued = len(self.stream)
            return
        active = min(start for start, _ in self.pointers)
        if self.complete and min(match.start for match in self.complete) < active:
            kept: list[Complete] = []
            first_kept = len(self.stream) + 1
            for match in by_score:
                if active <= match.end:
                    kept.append(match)
                    first_kept = min(first_kept, match.start)
                elif match.start < self.issued:
                    continue
                elif first_kept <= match.end:
                    kept.append(match)
                else:
                    self.replay(match)
            self.complete = kept
        self.issued = max(self.issued, min([active, *[match.start for match in self.complete]]))


class Pointers(_Oracle):
    """Per launch, by the rules of ``Replayer``."""

    def launch(self, token: int) -> None:
        self.advance(token)
        for match in optimum(tuple(self.complete))[1]:
            longer = [
                start
                for start, traces in self.pointers
                if max(map(len, traces)) > len(match.trace) and start < match.end
            ]
            if match.end == len(self.stream) or longer:
                break
            self.take(match)
        first = min([start for start, _ in self.pointers] + [m.start for m in self.complete], default=len(self.stream))
        self.issued = max(self.issued, first)

    def flush(self) -> None:
        self.pointers = []
        for match in optimum(tuple(self.complete))[1]:
            self.take(match)
        self.complete = []
        self.issued = len(self.stream)

    def take(self, match: Complete) -> None:
        self.replay(match)
        self.complete = [other for other in self.complete if other.start >= match.end]
        self.pointers = [pointer for pointer in self.pointers if pointer[0] >= match.end]


def optimum(matches: tuple[Complete, ...]) -> tuple[float, tuple[Complete, ...]]:
    """The disjoint matches of the greatest weight: with the last one, or without it, which is preferred."""
    if not matches:
        return 0.0, ()
    *others, last = matches
    without = optimum(tuple(others))
    rest = optimum(tuple(match for match in others if match.end <= last.start))
    taken = rest[0] + last.weight
    return (taken, (*rest[1], last)) if taken > without[0] else without


def places(traces: Sequence[Tokens], stream: Sequence[int]) -> list[Bracket]:
    """All places at which traces stand in a stream."""
    text = tuple(stream)
    found = {(s, s + len(t)) for t in traces for s in range(len(text)) if text[s : s + len(t)] == t}
    return sorted(found)
