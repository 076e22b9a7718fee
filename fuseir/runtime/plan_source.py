"""Where plans come from: the disk cache, where another process left them, or else the compiler, which loads only then."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

from fuseir.cache import cache_of
from fuseir.location import CallSite
from fuseir.options import Options
from fuseir.runtime.background import Background, planning_turn
from fuseir.runtime.plan import Batch
from fuseir.runtime.planning import Planned
from fuseir.runtime.window import Key, Segment

if TYPE_CHECKING:
    from fuseir.passes.remarks import Explanation
    from fuseir.runtime.compiler import Compiler
    from fuseir.runtime.executors import Machine
    from fuseir.runtime.stored_plans import StoredPlans


class PlanSource:
    """Finds or makes the plans of one session. ``plans_loaded`` counts those that were found on disk."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._machine: Machine | None = None
        self._stored: StoredPlans | None = None
        self._background: Background[Segment, Planned] | None = None
        self._compiler: Compiler | None = None
        self._background_compiler: Compiler | None = None
        self._difference: tuple[str, CallSite] | None = None
        self._unexplained: Segment | None = None
        self.plans_loaded = 0
        # Who wants to see the passes at work gets them to work.
        self._silent = not (options.target == "reference" or options.check or options.dump_ir or options.remark_kinds)
        if options.target != "reference":
            from fuseir.runtime.executors import make_machine

            self._machine = make_machine(options)
            if self._silent:
                if options.target == "cpu":  # what plans on disk are made of
                    from fuseir.runtime.executors.native_machine import NativeMachine
                    from fuseir.runtime.stored_plans import StoredPlans

                    assert isinstance(self._machine, NativeMachine)
                    self._stored = StoredPlans.of(cache_of(options), self._machine, options)
                if options.background and options.fuse:
                    self._background = Background(self._made_in_background, name="fuseir-plans", turn=planning_turn)

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

    def note_difference(self, text: str, site: CallSite) -> None:
        """Says why the window planned last was not known."""
        self._difference = text, site

    def explain(self) -> Explanation:
        """What the passes say about the window planned last, with the lines of the user's program. They run now if they did not then."""
        compiler = self._made_compiler()
        if self._unexplained is not None:
            segment, self._unexplained = self._unexplained, None
            compiler.look_at(segment, first_task=segment.full)
        if self._difference is not None:
            compiler.note_difference(*self._difference)
            self._difference = None
        return compiler.explain()

    def collect(self) -> dict[Key, Planned]:
        """The plans that were made in the background since the last time, to take over. A failure is told here."""
        finished: dict[Key, Planned] = {}
        for segment, outcome in () if self._background is None else self._background.collect():
            if isinstance(outcome, Planned):
                finished[segment.key] = outcome
            else:
                self._made_compiler().note_failure(outcome)
        return finished

    def find(self, segment: Segment) -> Planned:
        """The plan of a segment: of a full window's first tasks, or of all of it, unfused, if what was asked for cannot be compiled."""
        self._difference = self._unexplained = None
        if not self._silent:
            return self._made(segment)
        # Before anything runs: what has contents is part of a window.
        copy = segment.without_contents()
        self._unexplained = copy
        found = None if self._stored is None else self._stored.find(segment.key)
        if found is not None:
            self.plans_loaded += 1
            return found
        if self._background is not None:
            self._background.submit(copy)
            return Planned(self._made_compiler().plan_slower(segment, silent=True))
        compiler = self._made_compiler()
        fallbacks = compiler.fallbacks
        planned = self._made(segment)
        if compiler.fallbacks > fallbacks:
            self._unexplained = None  # something else was done
        elif self._stored is not None:
            self._stored.keep(segment.key, planned)
        return planned

    def unfused(self, segment: Segment) -> Planned:
        """The plan of a segment, all of it, whose launches run by themselves."""
        plan = self._made_compiler().plan_slower(segment, silent=True)
        steps = [step.steps if isinstance(step, Batch) else (step,) for step in plan.steps]
        return Planned(replace(plan, steps=tuple(chain.from_iterable(steps))))

    def _made(self, segment: Segment) -> Planned:
        compiler = self._made_compiler()
        if segment.full:
            return compiler.plan_first_task(segment)
        return Planned(compiler.plan(segment))

    def _made_in_background(self, segment: Segment) -> Planned:
        """On another thread. A compiler of its own, for what compilers note."""
        if self._background_compiler is None:
            self._background_compiler = self._new_compiler()
        planned = self._background_compiler.attempt(segment, first_task=segment.full)
        if self._stored is not None:
            self._stored.keep(segment.key, planned)
        return planned

    def _made_compiler(self) -> Compiler:
        if self._compiler is None:
            self._compiler = self._new_compiler()
        return self._compiler

    def _new_compiler(self) -> Compiler:
        from fuseir.runtime.compiler import Compiler

        return Compiler(self._options, self._machine, silent=self._silent)
