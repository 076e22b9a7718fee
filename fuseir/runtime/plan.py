"""Plans: the executable form of a window.

A plan is a list of steps over numbered *slots* (the stores of its window, by first occurrence) and numbered scalars. It holds no
arrays: a run binds slots to buffers. Everything a step needs that does not change from run to run was worked out when the plan
was made.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import prod
from typing import Any, NamedTuple, Protocol

import numpy as np

from fuseir.dialects.dist.partition import Shape
from fuseir.runtime.arrays import Array
from fuseir.runtime.buffers import bytes_taken

Number = bool | int | float
Allocate = Callable[[Shape, np.dtype[Any]], Array]
"""Makes a C-contiguous array with undefined contents."""


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


@dataclass(frozen=True)
class BatchOutcome:
    """What became of a batch: whether it ran at all, what steps failed with, by number, and an interrupt that came when all was done."""

    ran: bool
    failures: Mapping[int, BaseException] = field(default_factory=dict[int, BaseException])
    interrupt: BaseException | None = None


FINE = BatchOutcome(ran=True)
_NOT_RUN = BatchOutcome(ran=False)


class Batch(ABC):
    """Steps that run in one call, with the releases and swaps between them.

    ``slots`` are those that have buffers from its start to its end, ``workspace_bytes`` what it takes besides.
    """

    takes_scalars = True
    """Whether steps may look at scalars."""

    def __init__(self, steps: Sequence[Step | Release | Swap], slots: Sequence[int], workspace_bytes: int) -> None:
        self.steps = tuple(steps)
        self.slots = tuple(slots)
        self.workspace_bytes = workspace_bytes
        # Each slot with the one that it changes places with; None where it is released.
        self._moves = tuple(
            (step.slot, None) if isinstance(step, Release) else (step.first, step.second)
            for step in steps
            if isinstance(step, Release | Swap)
        )

    def attempt(self, slots: list[Array | None], scalars: Sequence[Number], allocate: Allocate) -> BatchOutcome:
        """``run``; raises nothing."""
        try:
            return self.run(slots, scalars, allocate)
        except BaseException as error:  # an interrupt, before anything was done
            return BatchOutcome(True, dict.fromkeys(range(len(self.steps)), error))

    @abstractmethod
    def run(self, slots: list[Array | None], scalars: Sequence[Number], allocate: Allocate) -> BatchOutcome:
        """Runs all steps, on slots of which none is lost; allocates what has no buffer. Has not run if there is no memory for that.

        A step that needs what another one failed to make may run: the memory it works on is there, and what it makes is lost anyway.
        Releases and swaps are left to the caller. Raises only if no step has run.
        """

    def move(self, slots: list[Array | None]) -> None:
        """Does the releases and swaps."""
        for slot, other in self._moves:
            if other is None:
                slots[slot] = None
            else:
                slots[slot], slots[other] = slots[other], slots[slot]


class MemoryUse(NamedTuple):
    """Bytes of buffers: the most that a run has at once, and how many of those it has to get."""

    peak: int
    growth: int


@dataclass(slots=True)
class Outcome:
    """What became of a run: the first failure, and for each slot whose contents were lost, why.

    ``native_calls`` is how often the run went from Python into compiled code.
    """

    failure: BaseException | None = None
    failed_step: Step | None = None
    lost: dict[int, BaseException] = field(default_factory=dict[int, BaseException])
    native_calls: int = 0


_FINE_IN_ONE_CALL = Outcome(native_calls=1)
"""Read by everyone, and changed by nobody."""


@dataclass(frozen=True)
class Plan:
    """Steps in order, over slots: first those that a run binds, then those of stores that the passes made.

    ``tasks`` counts launches that went in, ``launches`` those that came out, ``temporaries`` are the stores that got no memory.
    """

    slots: tuple[Slot, ...]
    steps: tuple[Step | Release | Swap | Batch, ...]
    tasks: int
    launches: int
    temporaries: tuple[int, ...]

    @cached_property
    def takes_scalars(self) -> bool:
        """Whether steps may look at scalars."""
        batches = [step for step in self.steps if isinstance(step, Batch)]
        return len(batches) < len(self.steps) or any(batch.takes_scalars for batch in batches)

    @cached_property
    def temporary_bytes(self) -> int:
        """Bytes of memory that eliminated temporaries did not need."""
        return sum(prod(self.slots[t].shape) * self.slots[t].dtype.itemsize for t in self.temporaries)

    def run(
        self,
        slots: list[Array | None],
        scalars: Sequence[Number],
        allocate: Allocate = np.empty,
        lost_before: Mapping[int, BaseException] | None = None,
    ) -> Outcome:
        """Runs the steps on these buffers, allocating those that are missing; ``slots`` is updated in place, so that who has given up
        its own references has memory that is released back at once.

        A step that fails loses the slots it writes, and a step that needs a lost slot loses its own; all others run
        (nothing else is lost). ``lost_before`` says which were lost already.
        """
        bound = len(slots)
        slots += self._unbound[bound:]
        try:
            if len(self.steps) == 1 and not lost_before:
                # What nearly all plans are, and all is well: there is nothing to keep account of.
                batch = self.steps[0]
                if isinstance(batch, Batch):
                    done = batch.attempt(slots, scalars, allocate)
                    if done is FINE:
                        batch.move(slots)
                        return _FINE_IN_ONE_CALL
                    return self._followed(bound, slots, scalars, allocate, {}, (batch, done))
            return self._followed(bound, slots, scalars, allocate, lost_before or {})
        finally:
            del slots[bound:]

    def _followed(
        self,
        bound: int,
        slots: list[Array | None],
        scalars: Sequence[Number],
        allocate: Allocate,
        lost_before: Mapping[int, BaseException],
        attempted: tuple[Batch, BatchOutcome] | None = None,
    ) -> Outcome:
        """Runs the steps, but for the batch that was attempted, and keeps account of what is lost."""
        outcome = Outcome(lost=dict(lost_before))
        run = _Run(self.slots, slots, scalars, allocate, outcome)
        if attempted is not None:
            run.follow_batch(*attempted)
        else:
            for step in self.steps:
                if isinstance(step, Batch):
                    run.batch(step)
                else:
                    run.step(step)
        for slot in range(bound, len(self.slots)):
            outcome.lost.pop(slot, None)
        return outcome

    def touched(self, bound: int) -> tuple[int, ...]:
        """Of the slots that a run binds, so many, those that some step does something with; the others may as well be empty."""
        found = self._touched_of.get(bound)
        if found is None:
            found = self._touched_of[bound] = tuple([slot for slot in self._touched if slot < bound])
        return found

    @cached_property
    def _touched_of(self) -> dict[int, tuple[int, ...]]:
        return {}

    @cached_property
    def _touched(self) -> tuple[int, ...]:
        slots: set[int] = set()
        for step in self.steps:
            if isinstance(step, Batch):
                slots.update(step.slots)
            for each in step.steps if isinstance(step, Batch) else (step,):
                if isinstance(each, Release):
                    slots.add(each.slot)
                elif isinstance(each, Swap):
                    slots.update((each.first, each.second))
                else:
                    slots.update(each.reads, each.needs, *each.needs.values())
        return tuple(sorted(slots))

    def memory_use(self, bound: Sequence[int]) -> MemoryUse:
        """What a run takes of memory if these slots have buffers when it starts. Exact, as long as nothing fails."""
        key = tuple(bound)
        found = self._memory_uses.get(key)
        if found is None:
            found = self._memory_uses[key] = _memory_use(self.slots, self.steps, key)
        return found

    @cached_property
    def _memory_uses(self) -> dict[tuple[int, ...], MemoryUse]:
        return {}

    @cached_property
    def _unbound(self) -> list[None]:
        """As many empty slots as there are."""
        return [None] * len(self.slots)


def _memory_use(
    slots: Sequence[Slot], steps: Sequence[Step | Release | Swap | Batch], bound: Sequence[int]
) -> MemoryUse:
    sizes = [bytes_taken(prod(slot.shape) * slot.dtype.itemsize) for slot in slots]
    there = [slot in bound for slot in range(len(slots))]
    before = now = peak = sum(size for size, has in zip(sizes, there, strict=True) if has)
    for step in steps:
        used, workspace = set[int](), 0
        moves: Sequence[Step | Release | Swap] = ()
        if isinstance(step, Batch):
            used, workspace, moves = set(step.slots), bytes_taken(step.workspace_bytes), step.steps
        elif isinstance(step, Release | Swap):
            moves = (step,)
        else:
            used = {slot for changed, needed in step.needs.items() for slot in (changed, *needed)}
        now += sum(sizes[slot] for slot in used if not there[slot])
        for slot in used:
            there[slot] = True
        peak = max(peak, now + workspace)
        for move in moves:
            if isinstance(move, Release):
                now -= sizes[move.slot] if there[move.slot] else 0
                there[move.slot] = False
            elif isinstance(move, Swap):
                there[move.first], there[move.second] = there[move.second], there[move.first]
    return MemoryUse(peak, peak - before)


class _Run:
    """A run at some point: what each slot has, and what is lost."""

    __slots__ = ("allocate", "outcome", "scalars", "slots", "working")

    def __init__(
        self,
        slots: tuple[Slot, ...],
        working: list[Array | None],
        scalars: Sequence[Number],
        allocate: Allocate,
        outcome: Outcome,
    ) -> None:
        self.slots = slots
        self.working = working
        self.scalars = scalars
        self.allocate = allocate
        self.outcome = outcome

    def batch(self, batch: Batch) -> None:
        """Runs steps at once, where nothing is lost; else one by one."""
        lost = bool(self.outcome.lost)
        self.follow_batch(batch, _NOT_RUN if lost else batch.attempt(self.working, self.scalars, self.allocate))

    def follow_batch(self, batch: Batch, done: BatchOutcome) -> None:
        """Keeps account of what became of a batch; runs its steps one by one if it has not run."""
        outcome = self.outcome
        if not done.ran:
            for step in batch.steps:
                outcome.native_calls += not isinstance(step, Release | Swap)
                self.step(step)
            return
        outcome.native_calls += 1
        if done is FINE:
            batch.move(self.working)
            return
        for number, step in enumerate(batch.steps):
            self._follow(step, _raising(done.failures.get(number)))
        if done.interrupt is not None and outcome.failure is None:
            outcome.failure = done.interrupt

    def step(self, step: Step | Release | Swap) -> None:
        """Runs one step, if what it needs is there."""
        self._follow(step, self._attempt)

    def _attempt(self, step: Step) -> None:
        """Runs a step on buffers for what it changes; also for what it looks at and was lost before it ever had any."""
        for changed, needed in step.needs.items():
            for slot in (changed, *needed):
                if self.working[slot] is None:
                    self.working[slot] = self.allocate(self.slots[slot].shape, self.slots[slot].dtype)
        step.run(self.working, self.scalars)

    def _follow(self, step: Step | Release | Swap, attempt: Callable[[Step], None]) -> None:
        """Keeps account of what a step moves, or changes; ``attempt`` raises what it failed with."""
        working, lost, outcome = self.working, self.outcome.lost, self.outcome
        if isinstance(step, Release):
            working[step.slot] = None
            return
        if isinstance(step, Swap):
            a, b = step.first, step.second
            working[a], working[b] = working[b], working[a]
            swapped = {a: lost.pop(b, None), b: lost.pop(a, None)}
            lost.update({slot: cause for slot, cause in swapped.items() if cause is not None})
            return
        # Why each slot that the step changes is lost, if it is, because of what went before.
        causes = (
            {changed: lost[slot] for changed, needed in step.needs.items() for slot in needed if slot in lost}
            if lost
            else {}
        )
        # A step that changes nothing is run for what it does with what it reads.
        if len(causes) < len(step.needs) if step.needs else lost.keys().isdisjoint(step.reads):
            try:
                attempt(step)
            except BaseException as error:  # whatever a task raises, an interrupt too, surfaces when the plan is done
                causes = dict.fromkeys(step.needs, error)
                if outcome.failure is None:
                    outcome.failure, outcome.failed_step = error, step
        for changed in step.needs:
            if changed in causes:
                lost[changed] = causes[changed]
            else:
                lost.pop(changed, None)


def _raising(failure: BaseException | None) -> Callable[[Step], None]:
    """What a step that has run already would do."""

    def attempt(_: Step) -> None:
        if failure is not None:
            raise failure

    return attempt
