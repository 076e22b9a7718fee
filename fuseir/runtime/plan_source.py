"""Where plans come from: the disk cache, where another process left them, or else the compiler, which loads only then."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from fuseir.cache import cache_of
from fuseir.location import CallSite
from fuseir.options import Options
from fuseir.runtime.background import Background, Job
from fuseir.runtime.plan import Plan
from fuseir.runtime.planning import Planned
from fuseir.runtime.stores import RootStore
from fuseir.runtime.window import Forms, Key, Launch, Record, Release, canonical

if TYPE_CHECKING:
    from fuseir.passes.remarks import Explanation
    from fuseir.runtime.compiler import Compiler
    from fuseir.runtime.executors.native_machine import NativeMachine
    from fuseir.runtime.stored_plans import StoredPlans


class PlanSource:
    """Finds or makes the plans of one session. ``plans_loaded`` counts those that were found on disk."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._machine: NativeMachine | None = None
        self._stored: StoredPlans | None = None
        self._background: Background | None = None
        self._compiler: Compiler | None = None
        self._background_compiler: Compiler | None = None
        self._difference: tuple[str, CallSite] | None = None
        self._unexplained: tuple[list[Record], bool] | None = None
        self.plans_loaded = 0
        # Who wants to see the passes at work gets them to work.
        self._silent = not (options.target == "reference" or options.check or options.dump_ir or options.remark_kinds)
        if options.target != "reference":
            from fuseir.runtime.executors import make_machine

            self._machine = make_machine(options)
            if self._silent:
                from fuseir.runtime.stored_plans import StoredPlans

                self._stored = StoredPlans.of(cache_of(options), self._machine, options)
                if options.background and options.fuse:
                    self._background = Background(self._made_in_background)

    @property
    def kernels_compiled(self) -> int:
        """Kernels that went through the code generator so far."""
        return 0 if self._machine is None else self._machine.kernels_compiled

    @property
    def kernels_loaded(self) -> int:
        """Kernels that were found in the disk cache so far."""
        return 0 if self._machine is None else self._machine.kernels_loaded

    @property
    def fallbacks(self) -> int:
        """Windows that could not be compiled as asked."""
        return 0 if self._compiler is None else self._compiler.fallbacks

    def plan(self, records: list[Record]) -> Plan:
        """The plan of a window."""
        return self._find(records, full=False).plan

    def plan_first_task(self, records: list[Record]) -> Planned:
        """The plan of a full window's first task; of the whole window, unfused, if that cannot be compiled."""
        return self._find(records, full=True)

    def note_difference(self, text: str, site: CallSite) -> None:
        """Says why the window planned last was not known."""
        self._difference = text, site

    def explain(self) -> Explanation:
        """What the passes say about the window planned last, with the lines of the user's program. They run now if they did not then."""
        compiler = self._made_compiler()
        if self._unexplained is not None:
            records, full = self._unexplained
            self._unexplained = None
            compiler.look_at(records, first_task=full)
        if self._difference is not None:
            compiler.note_difference(*self._difference)
            self._difference = None
        return compiler.explain()

    def collect(self) -> dict[Key, Planned]:
        """The plans that were made in the background since the last time, to take over. A failure is told here."""
        finished: dict[Key, Planned] = {}
        for job, outcome in () if self._background is None else self._background.collect():
            if isinstance(outcome, Planned):
                finished[job.key] = outcome
            else:
                self._made_compiler().note_failure(outcome)
        return finished

    def _find(self, records: list[Record], *, full: bool) -> Planned:
        self._difference = self._unexplained = None
        if not self._silent:
            return self._made(records, full)
        key = canonical(records, Forms(), full=full).key
        # Before anything runs: what has contents is part of a window.
        copies = without_contents(records)
        self._unexplained = copies, full
        found = None if self._stored is None else self._stored.find(key)
        if found is not None:
            self.plans_loaded += 1
            return found
        if self._background is not None:
            self._background.submit(Job(key, copies, full))
            return Planned(self._made_compiler().plan_slower(records, silent=True))
        compiler = self._made_compiler()
        fallbacks = compiler.fallbacks
        planned = self._made(records, full)
        if compiler.fallbacks > fallbacks:
            self._unexplained = None  # something else was done
        elif self._stored is not None:
            self._stored.keep(key, planned)
        return planned

    def _made(self, records: list[Record], full: bool) -> Planned:
        compiler = self._made_compiler()
        if full:
            return compiler.plan_first_task(records)
        return Planned(compiler.plan(records))

    def _made_in_background(self, job: Job) -> Planned:
        """On another thread. A compiler of its own, for what compilers note."""
        if self._background_compiler is None:
            self._background_compiler = self._new_compiler()
        planned = self._background_compiler.attempt(job.records, first_task=job.full)
        if self._stored is not None:
            self._stored.keep(job.key, planned)
        return planned

    def _made_compiler(self) -> Compiler:
        if self._compiler is None:
            self._compiler = self._new_compiler()
        return self._compiler

    def _new_compiler(self) -> Compiler:
        from fuseir.runtime.compiler import Compiler

        return Compiler(self._options, self._machine, silent=self._silent)


def without_contents(records: Iterable[Record]) -> list[Record]:
    """The same window on stores without memory, for whoever looks at it when it has run: it keeps nothing alive."""
    copies: dict[RootStore, RootStore] = {}

    def copy(root: RootStore) -> RootStore:
        if root not in copies:
            # That there were contents is part of the window.
            buffer = None if root.buffer is None else np.empty(0, root.dtype)
            copies[root] = RootStore(root.shape, root.dtype, root.name, buffer)
        return copies[root]

    copied: list[Record] = []
    for record in records:
        if isinstance(record, Launch):
            roots = tuple(map(copy, record.roots))
            parts = record.instance, record.domain, record.partitions, roots, record.views, record.scalars, record.site
            copied.append(Launch(*parts))
        else:
            copied.append(Release(copy(record.root)) if isinstance(record, Release) else record)
    return copied
