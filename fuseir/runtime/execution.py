"""Segments of the stream, planned and run: buffers go to the plan's slots and come back, and what was lost is noted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from fuseir.errors import OutOfMemoryError, UnknownWindowError
from fuseir.runtime.arrays import Array
from fuseir.runtime.buffers import BufferPool
from fuseir.runtime.device_arrays import DeviceArray
from fuseir.runtime.lost_contents import lose_changes, note_replaced
from fuseir.runtime.plan import Outcome
from fuseir.runtime.planning import Planned, Planner
from fuseir.runtime.statistics import Statistics
from fuseir.runtime.stores import RootStore
from fuseir.runtime.window import Segment, Window

if TYPE_CHECKING:
    from fuseir.runtime.freezing import Call


class Execution:
    """How a session runs what it took from its window. Under the session's lock."""

    def __init__(self, planner: Planner, window: Window, buffers: BufferPool, statistics: Statistics) -> None:
        self._planner = planner
        self._window = window
        self._buffers = buffers
        self._statistics = statistics

    def planned(self, segment: Segment) -> Planned:
        """The plan of a segment. The window is left with what the plan does not run: with all of it, if nothing can run.

        Raises UnknownWindowError and OutOfMemoryError.
        """
        nothing: frozenset[int] = frozenset()
        taken: frozenset[int] | None = None
        try:
            planned = self._planner.find(segment)
            try:
                self.require_memory(planned, segment.roots)
            except OutOfMemoryError:
                # Launch by launch, what dies on the way makes room for what comes.
                unfused = self._planner.unfused(segment)
                if unfused is None:
                    raise
                planned = unfused
                self.require_memory(planned, segment.roots)
            taken = planned.taken
        except (UnknownWindowError, OutOfMemoryError):
            taken = nothing
            raise
        except Exception as error:
            lose_changes(segment.launches, error)
            raise
        except BaseException:
            # Interrupted before anything ran: the window stays as it was captured.
            taken = nothing
            raise
        finally:
            if taken is not None:
                self._window.put_back(segment.without(taken))
        return planned

    def require_memory(self, planned: Planned, roots: Sequence[RootStore]) -> None:
        """Raises OutOfMemoryError if a plan takes more memory than there is; nothing has run then."""
        plan, statistics = planned.plan, self._statistics
        bound = [k for k in plan.touched(len(roots)) if roots[k].buffer is not None]
        if self._buffers.on_device:
            bound = [k for k in bound if isinstance(cast(Any, roots[k].buffer), DeviceArray)]
        use = plan.memory_use(bound)
        if use.growth >= self._buffers.unasked:
            self._buffers.require_for_run(use.growth)
        if use.peak > statistics.peak_bytes:
            statistics.peak_bytes = use.peak

    def execute(self, segment: Segment | Call, planned: Planned) -> None:
        """Runs a plan on the segment's stores. Raises what a task failed with; other tasks have run."""
        plan, roots = planned.plan, segment.roots
        # Most stores of a window are values by now: nothing is looked up for them.
        touched = plan.touched(len(roots))
        slots: list[Array | None] = [None] * len(roots)
        lost: dict[int, BaseException] = {}
        try:
            for k in touched:
                root = roots[k]
                slots[k] = root.buffer
                root.buffer = None  # what the plan releases is gone at once
                if root.failure is not None:
                    lost[k] = root.failure
            outcome = plan.run(slots, segment.scalars if plan.takes_scalars else (), self._buffers.allocate, lost)
        except BaseException as error:  # an interrupt between two steps
            taken = planned.taken
            lose_changes([each for k, each in enumerate(segment.launches) if taken is None or k in taken], error)
            raise
        finally:
            for k in touched:
                roots[k].buffer = slots[k]
        if lost or outcome.lost:
            for k in touched:
                roots[k].lose(outcome.lost.get(k))
            note_replaced(self._window.launches)
        self._statistics.add_run(plan, outcome.native_calls)
        if outcome.failure is not None:
            _raise_failure(outcome, segment)


def _raise_failure(outcome: Outcome, segment: Segment | Call) -> None:
    """Re-raises a task's own exception, with a note that says where it was launched."""
    failure = outcome.failure
    assert failure is not None
    number = None if outcome.failed_step is None else outcome.failed_step.launch_number
    if number is not None:
        location = segment.launches[number].site.resolve()
        failure.add_note(f"in the task launched at {location}: {(location.text or '').strip()}")
    raise failure
