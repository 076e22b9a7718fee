"""What candidates have to do to become traces, and what is kept of them."""

from __future__ import annotations

import sys
from dataclasses import dataclass, fields
from math import inf

from fuseir.errors import UsageError


@dataclass(frozen=True)
class Costs:
    """Measured times, all in one unit (Apophenia §3): those of a launch, and of a replay whatever its length.

    A loop that is replayed one iteration behind the other is *unrolled*: several iterations are replayed at once, when the replays
    that this would have saved so far have cost as much as the longer trace costs to plan. Not where candidates are ``prefix_free``.

    Raises UsageError if one is negative.
    """

    untraced: float
    """α: a launch outside of traces."""
    recorded: float
    """α_m: a launch in the first run of a trace, which records it."""
    replayed: float
    """α_r: a launch in a later run."""
    replay: float
    """c: a replay, besides its launches."""
    planned: float = inf
    """A launch of a segment that is planned for the first time. Not the paper's: it decides when a loop is unrolled."""

    def saved(self, length: int) -> float:
        """What a replay of so many launches saves."""
        return length * (self.untraced - self.replayed) - self.replay

    def __post_init__(self) -> None:
        for field in fields(self):
            if not getattr(self, field.name) >= 0:
                raise UsageError(f"a cost is a time: {field.name} is {getattr(self, field.name)}")


@dataclass(frozen=True)
class TracingParameters:
    """What candidates have to do to become traces, and what is kept of them. Lengths are numbers of launches.

    Raises UsageError for parameters that make no sense.
    """

    minimum_length: int = 5
    """Shorter candidates are not kept."""
    maximum_length: int = 1024
    """Longer candidates are cut into pieces of this length, unless that leaves less than ``minimum_length``: a trace is planned as a
    whole, which takes time, and in a long one a replay's own time is nothing by then."""
    unrolled_length: int = 64
    """Loops are unrolled to no more than this. Longer segments would save little of the time that a replay takes by itself, and what waits
    for them leaves the processor's nearest cache, which costs each launch more than that."""
    visit_threshold: int = 2
    """How often a candidate must be seen again before it is replayed. 0: it is replayed at once."""
    maximum_watched: int = 64
    """How many candidates are watched for at a time."""
    capacity: int = 1 << 15
    """How many launches all candidates and traces may have together: what bounds the memory."""
    patience: int = 100
    """A candidate that is not seen for so many times its own length is forgotten. So is a trace, if others wait for it."""
    losses: int = 10
    """A trace that completes so often in a row and loses its launches to better ones is forgotten. So is one that others await so often in
    vain, after its ``patience``."""
    prefix_free: bool = False
    """Whether candidates are kept as published: no one begins another, and what begins with a known one is kept without that. Otherwise
    all are kept as they were found and compete, but only one for each loop, wherever it begins and of how many iterations it is."""
    costs: Costs | None = None
    """What the choice between traces that overlap is made by; the published score if not given (Apophenia §4.3)."""

    def __post_init__(self) -> None:
        for name in (
            "minimum_length",
            "maximum_length",
            "unrolled_length",
            "maximum_watched",
            "capacity",
            "patience",
            "losses",
        ):
            if getattr(self, name) < 1:
                raise UsageError(f"{name} must be at least 1, not {getattr(self, name)}")
        if self.visit_threshold < 0:
            raise UsageError(f"visit_threshold must be at least 0, not {self.visit_threshold}")
        if self.maximum_length < self.minimum_length:
            raise UsageError(
                f"maximum_length ({self.maximum_length}) must not be below minimum_length ({self.minimum_length})"
            )

    @property
    def shortest(self) -> int:
        """The length of the shortest candidates that are kept: what can save nothing by ``costs`` would be looked at for nothing."""
        least = self.minimum_length
        while self.costs is not None and self.costs.saved(least) <= 0 and least <= self.maximum_length:
            least += 1
        return least

    @staticmethod
    def as_shipped() -> TracingParameters:
        """The values of Legion's implementation: everything is kept, and ten visits are needed."""
        return TracingParameters(
            minimum_length=5,
            maximum_length=sys.maxsize,
            visit_threshold=10,
            maximum_watched=sys.maxsize,
            capacity=sys.maxsize,
            patience=sys.maxsize,
            losses=sys.maxsize,
            prefix_free=True,
        )
