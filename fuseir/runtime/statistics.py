"""Counters a user can print, and tests can assert."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fuseir.runtime.plan import Plan


@dataclass
class Statistics:
    """What a session has done so far. All are counts but those that say otherwise."""

    tasks: int = 0
    """Launches captured and executed."""
    launches: int = 0
    """Launches that the executor ran for them, after fusion."""
    native_calls: int = 0
    """Calls into compiled code that ran those: one for all launches of a plan between which no Python code runs (docs/architecture.md)."""
    windows: int = 0
    """Plans executed: of whole windows, and of the first tasks of full ones, which are all but the last."""
    frozen_calls: int = 0
    """Calls of frozen functions that ran what was captured before (``fuseir.freeze``)."""
    replays: int = 0
    """Traces executed: fragments of the stream that had been there before (docs/tracing.md)."""
    replayed: int = 0
    """Launches of these."""
    full_windows: int = 0
    """Times a window was full, so that its first tasks were executed."""
    plan_hits: int = 0
    """Plans that were known."""
    plan_misses: int = 0
    """Plans that had to be made: their windows went through the passes."""
    plans_loaded: int = 0
    """Plans that another process, or session, had made: they were found on disk (docs/caching.md)."""
    plans_in_background: int = 0
    """Plans that were made on a thread while their windows ran unfused (``background``), and took over since."""
    kernels_compiled: int = 0
    """Kernels that LLVM compiled."""
    kernels_loaded: int = 0
    """Kernels that another process, or session, had compiled: they were found on disk (docs/caching.md)."""
    fallbacks: int = 0
    """Windows that could not be compiled as asked and run another, slower way."""
    temporaries: int = 0
    """Stores that were never given memory because fusion made them values."""
    temporary_bytes: int = 0
    """Bytes those stores would have taken."""
    peak_bytes: int = 0
    """The most bytes that a plan was to take, told before it ran: of stores that are there at once, and of what kernels work in."""
    forced_flushes: int = 0
    """Windows executed because a value was read."""
    compile_seconds: float = 0.0
    """Seconds spent making plans."""

    def add_run(self, plan: Plan, native_calls: int) -> None:
        """Counts a run of a plan."""
        self.windows += 1
        self.native_calls += native_calls
        self.tasks += plan.tasks
        self.launches += plan.launches
        if plan.temporaries:
            self.temporaries += len(plan.temporaries)
            self.temporary_bytes += plan.temporary_bytes

    def __str__(self) -> str:
        return "\n".join(f"{field.name:18} {getattr(self, field.name):>12.6g}" for field in fields(self))
