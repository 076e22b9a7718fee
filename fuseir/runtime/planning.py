"""Plans by the canonical form of their windows: what was planned once is not planned again (Diffuse §5.2).

A hit runs no pass and no code generator; it does not even load the compiler.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from itertools import islice
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

from fuseir.errors import UnknownWindowError, UsageError
from fuseir.location import CallSite
from fuseir.options import Options
from fuseir.runtime.forms import Form
from fuseir.runtime.misses import Difference, nearest_difference
from fuseir.runtime.plan import Plan
from fuseir.runtime.remark_log import RemarkLog
from fuseir.runtime.statistics import Statistics
from fuseir.runtime.window import Key, Numbering, Segment

if TYPE_CHECKING:
    from fuseir.passes.remarks import Explanation
    from fuseir.runtime.plan_source import PlanSource

_MOST_PLANS = 1024
_COMPARED = 64
"""Known windows that an unknown one is compared with, the latest first."""


class Planned(NamedTuple):
    """A plan, and which of the window's launches it runs.

    ``taken`` has their numbers; None stands for all. ``grows``: the whole window, of two launches or more, became one task.
    """

    plan: Plan
    taken: frozenset[int] | None = None
    grows: bool = False


class Planner:
    """The plans of a session. Makes those it does not know, unless that is forbidden."""

    def __init__(self, options: Options, statistics: Statistics) -> None:
        self._options = options
        self._statistics = statistics
        self._source: PlanSource | None = None
        self._log = RemarkLog(options)
        self._plans: dict[Key, Planned] = {}
        self._guesses: dict[tuple[tuple[Form | None, ...], bool], Numbering[Planned]] = {}
        """The plans for some forms, with stores numbered as the last time: most likely it is one of these again, and quickly found."""
        self._forbidden = 0

    def find(self, segment: Segment) -> Planned:
        """The plan of a segment. Raises UnknownWindowError for what was never planned, inside ``no_compile``."""
        if self._options.background and self._source is not None:
            self._collect(self._source)
        guess = self._guesses.get((segment.forms, segment.full))
        known = None if guess is None else guess.find(segment)
        if known is not None:
            self._statistics.plan_hits += 1
            return known
        key = segment.key
        found = self._plans.get(key)
        if found is None:
            found = self._new(segment)
        else:
            self._statistics.plan_hits += 1
        if guess is None or guess.numbers != key.numbers:
            if len(self._guesses) >= _MOST_PLANS:
                self._guesses.clear()
            guess = self._guesses[segment.forms, segment.full] = Numbering(key.numbers)
        guess.add(key, found)
        return found

    def unfused(self, segment: Segment) -> Planned | None:
        """Another plan of a segment, which takes less memory on a GPU as each launch runs by itself; None where there is no such."""
        if self._options.target != "cuda" or not self._options.fuse or self._forbidden or self._source is None:
            return None
        return self._source.unfused(segment)

    def latest(self, key: Key, planned: Planned) -> Planned:
        """What took a plan's place meanwhile, for who keeps plans: one that was made in the background; else the plan itself."""
        if not self._options.background or self._source is None:
            return planned
        self._collect(self._source)
        return self._plans.get(key, planned)

    def _new(self, segment: Segment) -> Planned:
        """Plans what is not known."""
        _check_stores(segment)
        difference = nearest_difference(segment.key, islice(reversed(self._plans), _COMPARED))
        if self._forbidden:
            raise _unknown(segment, difference)
        found = self._make(segment, difference)
        if len(self._plans) >= _MOST_PLANS:
            self._plans.clear()
        self._plans[segment.key] = found
        return found

    def explain(self) -> Explanation:
        """What was said about the window that was planned last."""
        from fuseir.passes.remarks import Explanation

        return Explanation() if self._source is None else self._source.explain()

    @contextmanager
    def no_compile(self) -> Generator[None]:
        """Inside, a window that is not known is an error."""
        self._forbidden += 1
        try:
            yield
        finally:
            self._forbidden -= 1

    def _collect(self, source: PlanSource) -> None:
        """Lets plans that were made in the background take over."""
        finished = source.collect()
        if finished:
            self._plans.update(finished)
            self._guesses.clear()
            self._statistics.plans_in_background += len(finished)
        self._statistics.kernels_compiled = source.kernels_compiled
        self._statistics.fallbacks = source.fallbacks

    def _make(self, segment: Segment, difference: Difference | None) -> Planned:
        statistics, start = self._statistics, perf_counter()
        if self._source is None:
            from fuseir.runtime.plan_source import PlanSource

            self._source = PlanSource(self._options)
        source = self._source
        planned = source.find(segment)
        if difference is not None:
            source.note_difference(difference.text, _site(segment, difference))
        if self._options.remark_kinds:
            self._log.write(source.explain())
        statistics.plan_misses += source.plans_loaded == statistics.plans_loaded
        statistics.plans_loaded = source.plans_loaded
        statistics.kernels_compiled = source.kernels_compiled
        statistics.kernels_loaded = source.kernels_loaded
        statistics.fallbacks = source.fallbacks
        statistics.compile_seconds += perf_counter() - start
        return planned


def _check_stores(segment: Segment) -> None:
    """Raises UsageError for launches that a client library captured with a form for other stores."""
    for launch in segment.launches:
        for signature, root in zip(launch.form.signatures, launch.roots, strict=True):
            expected, found = (signature.store_shape, signature.dtype), (root.shape, root.dtype)
            if expected != found:
                raise UsageError(
                    f"task '{launch.instance.task_name}' was captured for a store of shape {expected[0]} and type {expected[1]}, "
                    f"on one of shape {found[0]} and type {found[1]}",
                    location=launch.site.resolve(),
                )


def _site(segment: Segment, difference: Difference) -> CallSite:
    """Where a difference shows in the program: the launch concerned, else the last."""
    return segment.launches[-1 if difference.launch is None else difference.launch].site


def _unknown(segment: Segment, difference: Difference | None) -> UnknownWindowError:
    what = "a window would have to be compiled, which assert_no_compile() forbids"
    if difference is None:
        return UnknownWindowError(f"{what}: no window is known yet", location=segment.launches[0].site.resolve())
    message = f"{what}. What differs from the nearest known one: {difference.text}"
    return UnknownWindowError(message, location=_site(segment, difference).resolve())
