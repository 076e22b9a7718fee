"""Plans: the executable form of a window.

A plan is a list of steps over numbered *slots* (the stores of its window, by first occurrence) and numbered scalars. It holds no
arrays: a run binds slots to buffers. Everything a step needs that does not change from run to run was worked out when the plan
was made.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from fuseir.dialects.dist.partition import Shape

Array = np.ndarray[Any, np.dtype[Any]]
Number = bool | int | float


@dataclass(frozen=True)
class Slot:
    """A store of the plan: what to allocate when a step writes it and no buffer is bound."""

    name: str | None
    shape: Shape
    dtype: np.dtype[Any]


class Step(Protocol):
    """One thing a plan does. ``reads`` and ``writes`` are slot numbers.

    A slot that is changed in part only is in both, as its other elements must survive.
    """

    @property
    def reads(self) -> frozenset[int]:
        """Slots whose contents the step needs."""
        ...

    @property
    def writes(self) -> frozenset[int]:
        """Slots the step changes."""
        ...

    def run(self, slots: list[Array | None], scalars: Sequence[Number]) -> None:
        """Does it. All ``reads`` and ``writes`` have buffers."""
        ...


@dataclass(frozen=True)
class Release:
    """Drops a slot's buffer: nobody will look at it again."""

    slot: int


@dataclass
class Outcome:
    """What became of a run: the first failure, and for each slot whose contents were lost, why."""

    failure: BaseException | None = None
    failed_step: Step | None = None
    lost: dict[int, BaseException] = field(default_factory=dict[int, BaseException])


@dataclass(frozen=True)
class Plan:
    """Steps in order, over slots. ``tasks`` counts launches that went in, ``temporaries`` the stores that got no memory."""

    slots: tuple[Slot, ...]
    steps: tuple[Step | Release, ...]
    tasks: int
    launches: int
    temporaries: tuple[int, ...]

    @property
    def temporary_bytes(self) -> int:
        """Bytes of memory that eliminated temporaries did not need."""
        return sum(int(np.prod(self.slots[t].shape)) * self.slots[t].dtype.itemsize for t in self.temporaries)

    def run(
        self,
        slots: list[Array | None],
        scalars: Sequence[Number],
        allocate: Callable[[Shape, np.dtype[Any]], Array] = np.empty,
    ) -> Outcome:
        """Runs the steps on these buffers, allocating those that are missing; ``slots`` is updated in place.

        A step that fails loses the slots it writes, and a step that needs a lost slot loses its own; all others run
        (reliability rule: nothing else is lost).
        """
        outcome = Outcome()
        for step in self.steps:
            if isinstance(step, Release):
                slots[step.slot] = None
                continue
            cause = next((outcome.lost[slot] for slot in sorted(step.reads) if slot in outcome.lost), None)
            try:
                if cause is None:
                    for slot in step.writes:
                        if slots[slot] is None:
                            slots[slot] = allocate(self.slots[slot].shape, self.slots[slot].dtype)
                    step.run(slots, scalars)
                    for slot in step.writes:
                        outcome.lost.pop(slot, None)
            except (
                BaseException
            ) as error:  # whatever a user's task raises, an interrupt too, surfaces when the plan is done
                cause = error
                if outcome.failure is None:
                    outcome.failure, outcome.failed_step = error, step
            if cause is not None:
                for slot in step.writes:
                    outcome.lost[slot] = cause
        return outcome
