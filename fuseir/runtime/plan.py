"""Plans: the executable form of a window.

A plan is a list of steps over numbered *slots* (the stores of its window, by first occurrence) and numbered scalars. It holds no
arrays: a run binds slots to buffers. Everything a step needs that does not change from run to run was worked out when the plan
was made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from fuseir.dialects.dist.partition import Shape
from fuseir.runtime.arrays import Array

Number = bool | int | float


@dataclass(frozen=True)
class Slot:
    """A store of the plan: what to allocate when a step writes it and no buffer is bound."""

    name: str | None
    shape: Shape
    dtype: np.dtype[Any]


class Step(Protocol):
    """One thing a plan does.

    ``needs`` has an entry for each slot that the step changes: the slots whose old contents the new ones depend on. A slot
    that is changed in part only is among its own needs, as its other elements must survive.
    """

    @property
    def needs(self) -> Mapping[int, frozenset[int]]:
        """Slot changed → slots needed for it."""
        ...

    @property
    def reads(self) -> frozenset[int]:
        """All slots whose contents the step looks at."""
        ...

    @property
    def launch_number(self) -> int | None:
        """Which launch of the window, as captured, the step runs; None where it stands for several."""
        ...

    def run(self, slots: list[Array | None], scalars: Sequence[Number]) -> None:
        """Does it. All slots that the step changes or needs have buffers."""
        ...


@dataclass(frozen=True)
class Release:
    """Drops a slot's buffer: nobody will look at it again."""

    slot: int


@dataclass(frozen=True)
class Swap:
    """Exchanges the contents of two slots: their buffers, and what is known of them."""

    first: int
    second: int


@dataclass
class Outcome:
    """What became of a run: the first failure, and for each slot whose contents were lost, why."""

    failure: BaseException | None = None
    failed_step: Step | None = None
    lost: dict[int, BaseException] = field(default_factory=dict[int, BaseException])


@dataclass(frozen=True)
class Plan:
    """Steps in order, over slots: first those that a run binds, then those of stores that the passes made.

    ``tasks`` counts launches that went in, ``launches`` those that came out, ``temporaries`` are the stores that got no memory.
    """

    slots: tuple[Slot, ...]
    steps: tuple[Step | Release | Swap, ...]
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
        lost_before: Mapping[int, BaseException] | None = None,
    ) -> Outcome:
        """Runs the steps on these buffers, allocating those that are missing; ``slots`` is updated in place when all have run.

        A step that fails loses the slots it writes, and a step that needs a lost slot loses its own; all others run
        (nothing else is lost). ``lost_before`` says which were lost already.
        """
        outcome = Outcome(lost=dict(lost_before or {}))
        lost = outcome.lost
        bound, own = len(slots), [None] * (len(self.slots) - len(slots))
        working: list[Array | None] = [*slots, *own]
        for step in self.steps:
            if isinstance(step, Release):
                working[step.slot] = None
                continue
            if isinstance(step, Swap):
                a, b = step.first, step.second
                working[a], working[b] = working[b], working[a]
                causes = {a: lost.pop(b, None), b: lost.pop(a, None)}
                lost.update({slot: cause for slot, cause in causes.items() if cause is not None})
                continue
            # Why each slot that the step changes is lost, if it is, because of what went before.
            causes = (
                {changed: lost[slot] for changed, needed in step.needs.items() for slot in needed if slot in lost}
                if lost
                else {}
            )
            # A step that changes nothing is run for what it does with what it reads.
            if len(causes) < len(step.needs) if step.needs else lost.keys().isdisjoint(step.reads):
                try:
                    self._allocate(step, working, allocate)
                    step.run(working, scalars)
                except (
                    BaseException
                ) as error:  # whatever a task raises, an interrupt too, surfaces when the plan is done
                    causes = dict.fromkeys(step.needs, error)
                    if outcome.failure is None:
                        outcome.failure, outcome.failed_step = error, step
            for changed in step.needs:
                if changed in causes:
                    lost[changed] = causes[changed]
                else:
                    lost.pop(changed, None)
        slots[:] = working[:bound]
        for slot in range(bound, len(self.slots)):
            lost.pop(slot, None)
        return outcome

    def _allocate(
        self, step: Step, slots: list[Array | None], allocate: Callable[[Shape, np.dtype[Any]], Array]
    ) -> None:
        """Buffers for what the step changes; also for what it looks at and was lost before it ever had any."""
        for changed, needed in step.needs.items():
            for slot in (changed, *needed):
                if slots[slot] is None:
                    slots[slot] = allocate(self.slots[slot].shape, self.slots[slot].dtype)
