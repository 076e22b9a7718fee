"""Samples of the stream are mined on a thread of its own; what is found is collected in the order in which samples were taken.

The thread that launches tasks only puts samples into a queue: it never waits, and where mining does not keep up, samples are left out
instead. NumPy does the work, for the most part without holding up Python.

Source: Apophenia §4.3; checks A18, A19.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fuseir.errors import UsageError
from fuseir.repeats.factors import token_array
from fuseir.repeats.finder import Repeat, find_repeats
from fuseir.repeats.runs import cut_runs, follows_itself, same_loop
from fuseir.runtime.background import Background
from fuseir.runtime.tracing.history import Sample

Candidate = tuple[int, ...]
"""The tokens of a fragment that may become a trace."""

Finder = Callable[[npt.NDArray[np.int64], int], Sequence[Repeat]]

_LINGER = 5.0
_MOST_LOOPS = 64


@dataclass(frozen=True)
class Mining:
    """``minimum``: tokens of a candidate; ``candidates``: of one sample at most; ``in_flight``: samples that are not collected at most.

    Raises UsageError for figures that are not positive.
    """

    minimum: int = 5
    candidates: int = 10
    in_flight: int = 16

    def __post_init__(self) -> None:
        """Checks the figures."""
        if min(self.minimum, self.candidates, self.in_flight) < 1:
            raise UsageError("the figures of mining are positive")


class Mined(NamedTuple):
    """What was found in a sample, that which covers most of it first. ``position`` is the sample's."""

    position: int
    candidates: tuple[Candidate, ...]


class Miner:
    """Mines the samples of one stream. ``synchronous``: at once, by whoever submits; else on a thread of its own."""

    def __init__(self, mining: Mining, *, synchronous: bool = False, find: Finder = find_repeats) -> None:
        self._mining = mining
        self._find = find
        self._loops = _Loops()
        self._background: Background[Sample, Mined] = Background(self.mine, name="fuseir-miner", linger=_LINGER)
        self._synchronous = synchronous
        self.left_out = 0
        """Samples that were not mined, as too many were in flight."""
        self.failure: Exception | None = None
        """What went wrong last, if anything: a sample in which nothing is found."""

    def submit(self, samples: Sequence[Sample]) -> None:
        """Has samples mined."""
        for sample in samples:
            if self._background.in_flight >= self._mining.in_flight:
                self.left_out += 1
            else:
                self._background.submit(sample)
        if samples and self._synchronous:
            self._background.wait()

    @property
    def in_flight(self) -> int:
        """How many samples were submitted and not collected."""
        return self._background.in_flight

    @property
    def ready(self) -> int:
        """How many of these are mined."""
        return self._background.ready

    def collect(self, most: int | None = None) -> list[Mined]:
        """What was found in the samples that are ready, or the first ``most`` of these, in the order in which they were taken."""
        found: list[Mined] = []
        for sample, outcome in self._background.collect(most):
            if isinstance(outcome, Mined):
                found.append(outcome)
            else:
                self.failure = outcome
                found.append(Mined(sample.position, ()))
        return found

    def wait(self) -> None:
        """Waits until all samples are mined."""
        self._background.wait()

    def stop(self) -> None:
        """Forgets what waits to be mined."""
        self._background.stop()

    def mine(self, sample: Sample) -> Mined:
        """What is in a sample, for the thread that mines."""
        tokens, minimum = token_array(sample.tokens), self._mining.minimum
        known = self._loops.nothing_but(tokens)
        if known is not None:
            return Mined(sample.position, (known,))
        repeats = cut_runs(tokens, self._find(tokens, minimum), minimum)
        repeats.sort(key=lambda repeat: -repeat.length * len(repeat.starts))
        candidates: dict[Candidate, None] = {}
        for repeat in repeats[: self._mining.candidates]:
            first = repeat.starts[0]
            candidate: Candidate = tuple(tokens[first : first + repeat.length].tolist())
            candidates[self._loops.as_seen_first(candidate) if follows_itself(repeat) else candidate] = None
        return Mined(sample.position, tuple(candidates))


class _Loops:
    """Loops that were found, each where it was found to begin: samples begin anywhere in them. The longest unused are forgotten."""

    def __init__(self) -> None:
        self._known: OrderedDict[Candidate, None] = OrderedDict()

    def nothing_but(self, tokens: npt.NDArray[np.int64]) -> Candidate | None:
        """The loop that all of the tokens are a run of, if it is known: then they need no mining."""
        for known in reversed(self._known):
            length = len(known)
            if (
                2 * length <= len(tokens)
                and bool((tokens[length:] == tokens[:-length]).all())
                and same_loop(known, tuple(tokens[:length].tolist()))
            ):
                return known
        return None

    def as_seen_first(self, loop: Candidate) -> Candidate:
        """The rotation of a loop that was seen first."""
        known = next((known for known in self._known if same_loop(known, loop)), loop)
        self._known[known] = None
        self._known.move_to_end(known)
        if len(self._known) > _MOST_LOOPS:
            self._known.popitem(last=False)
        return known
