"""Sessions: capture launches, and run them when a value is asked for.

The hot path is ``launch``: it looks things up and appends one record; no IR, no analysis (design rule R2).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from fuseir.dialects.dist.partition import Partition, Shape
from fuseir.dialects.dist.view import View
from fuseir.dtypes import LargeInteger, element_dtype
from fuseir.errors import (
    DTypeError,
    FuseirError,
    LegalityError,
    OutOfMemoryError,
    ShapeError,
    UnknownWindowError,
    UsageError,
)
from fuseir.location import call_site
from fuseir.options import Options, options_from
from fuseir.runtime.arrays import Array, array_of_view
from fuseir.runtime.buffers import BufferPool
from fuseir.runtime.launch_checks import check_overlaps, explicit_layout
from fuseir.runtime.lost_contents import lose_changes, note_replaced, replaces
from fuseir.runtime.plan import Outcome
from fuseir.runtime.planning import Planned, Planner
from fuseir.runtime.statistics import Statistics
from fuseir.runtime.stores import RootStore, Store, checked_shape, raise_if_lost
from fuseir.runtime.tasks import Task
from fuseir.runtime.window import Canonical, Fence, Launch, Record, Release, launches_of, without

if TYPE_CHECKING:
    from fuseir.cache import CacheInfo
    from fuseir.passes.remarks import Explanation

_FEW = 8
"""A task of a full window that takes at most one launch in so many does not need a window of that size."""


class Session:
    """Captures launches on its stores and executes them, fused.

    Keywords are the fields of ``fuseir.options.Options``. ``with Session() as session`` makes it the current one inside the block.
    Calls from several threads are serialised. Raises UsageError for options that make no sense.
    """

    def __init__(self, **options: Any) -> None:
        self.options: Options = options_from(options)
        self.statistics = Statistics()
        self._lock = threading.RLock()
        self._window: list[Record] = []
        self._launches = 0
        self._size = self.options.window
        self._captured: set[int] = set()
        self._planner = Planner(self.options, self.statistics)
        self._running = False
        self._buffers = BufferPool(self.options.pool_bytes or 0, self.options.memory_bytes)
        self._outer: list[Session] = []

    def __enter__(self) -> Session:
        self._outer.append(current_session())
        _set_current(self)
        return self

    def __exit__(self, *exception: object) -> None:
        _set_current(self._outer.pop())
        if exception[0] is None:
            self.flush()

    # Stores

    def store(self, shape: Sequence[int] | int, dtype: DTypeLike = np.float64, *, name: str | None = None) -> Store:
        """A store without contents: something must be written to it before it is read.

        Raises ShapeError for a negative extent, UnsupportedError for an element type stores cannot hold.
        """
        return self._handle(RootStore(checked_shape(shape), element_dtype(dtype), name, None))

    def full(
        self, shape: Sequence[int] | int, value: Any, dtype: DTypeLike = np.float64, *, name: str | None = None
    ) -> Store:
        """A store filled with one value. Raises DTypeError for a value that does not fit the element type."""
        extents, element = checked_shape(shape), element_dtype(dtype)
        if np.ndim(value):
            raise ShapeError(
                f"full() takes one value, not {type(value).__name__}: use from_numpy for an array's contents"
            )
        try:
            one = np.full((), value, element)
        except (TypeError, ValueError, OverflowError) as error:
            raise DTypeError(f"{value!r} does not fill a store of {element}: {error}") from None
        contents = _allocated(extents, element, self._buffers.allocate)
        contents[...] = one
        return self._handle(RootStore(extents, element, name, contents))

    def zeros(self, shape: Sequence[int] | int, dtype: DTypeLike = np.float64, *, name: str | None = None) -> Store:
        """A store of zeros."""
        extents, element = checked_shape(shape), element_dtype(dtype)
        return self._handle(RootStore(extents, element, name, _allocated(extents, element, self._buffers.zeros)))

    def from_numpy(self, array: ArrayLike, *, copy: bool = True, name: str | None = None) -> Store:
        """A store with an array's contents.

        With ``copy=False`` the store takes over the array's memory, which must be C-contiguous, aligned, writable and of native byte
        order; the caller must not touch it any more. Raises UnsupportedError or UsageError otherwise.
        """
        source = np.asarray(array)
        dtype = element_dtype(source.dtype)
        if not copy:
            if source.dtype != dtype or not (
                source.flags.c_contiguous and source.flags.aligned and source.flags.writeable
            ):
                raise UsageError("copy=False needs a C-contiguous, aligned, writable array of native byte order")
            return self._handle(RootStore(source.shape, dtype, name, source))
        contents = _allocated(source.shape, dtype, self._buffers.allocate)
        contents[...] = source
        return self._handle(RootStore(source.shape, dtype, name, contents))

    def _handle(self, root: RootStore) -> Store:
        return Store(self, root, View(root.shape))

    def release(self, root: RootStore) -> None:
        """Notes that the last handle of a root is gone (called by the handle's finaliser)."""
        # Only launches still in the window need to know; list.append and the set look-up are atomic, as finalisers may run anywhere.
        if id(root) in self._captured:
            self._window.append(Release(root))

    # Capture

    def launch(
        self,
        task: Task,
        *arguments: Any,
        domain: Sequence[int] | None = None,
        partitions: Sequence[Partition] | None = None,
        stack_depth: int = 0,
    ) -> None:
        """Captures one launch: stores and scalars in the order of the task's parameters.

        ``domain`` and ``partitions`` (one for each store argument) may be given together; otherwise stores are divided along their leading
        dimension. Raises, at this call: ShapeError, DTypeError, LegalityError (a written partition that is not disjoint, arguments
        that overlap), UsageError (wrong number or kind of arguments, a store without contents), StorePoisonedError.
        """
        site = call_site(1 + stack_depth)
        stores: list[Store] = []
        scalars: list[Any] = []
        try:
            _sort_arguments(task, arguments, stores, scalars)
            instance = task.instance(
                [(s.dtype, len(s.shape)) for s in stores], [_scalar_type(value) for value in scalars]
            )
            shapes = tuple([s.shape for s in stores])
            if domain is None and partitions is None:
                launch_domain, pieces = instance.layout(shapes, self.options.procs)
            else:
                launch_domain, pieces = explicit_layout(instance, shapes, domain, partitions)
            roots = tuple([s._root for s in stores])  # pyright: ignore[reportPrivateUsage]
            views = tuple([s._view for s in stores])  # pyright: ignore[reportPrivateUsage]
            for store, root, view, privilege in zip(stores, roots, views, instance.privileges, strict=True):
                if store._session is not self:  # pyright: ignore[reportPrivateUsage]
                    raise UsageError(f"{store!r} belongs to another session")
                if privilege.reads or privilege.reduces:
                    raise_if_lost(root)
                    if not root.defined:
                        raise UsageError(f"{store!r} is used as '{privilege}' before anything was written to it")
                if privilege.returned and view.index_map is not None and view.repeats:
                    raise LegalityError(f"'{privilege}' through {store!r}, which repeats elements")
            if len(set(roots)) < len(roots):
                check_overlaps(instance, roots, views, launch_domain, pieces)
        except FuseirError as error:
            error.add_note(f"launched at {site.resolve()}")
            raise
        record = Launch(instance, launch_domain, pieces, roots, views, tuple(scalars), site)
        with self._lock:
            if self._running:
                raise UsageError(
                    "a task's body cannot launch tasks on the session that runs it", location=site.resolve()
                )
            self._window.append(record)
            self._launches += 1
            for k, (root, privilege) in enumerate(zip(roots, instance.privileges, strict=True)):
                self._captured.add(id(root))
                if privilege.writes:
                    root.defined = True
                    if root.failure is not None and replaces(root, views[k], pieces[k], launch_domain):
                        root.replaced = True  # nobody will look at what was lost
            while self._launches >= self._size:
                self._run(full=True)

    def fence(self) -> None:
        """Ends the window: nothing captured before fuses with anything captured after."""
        with self._lock:
            # One is as good as many.
            if not (self._window and isinstance(self._window[-1], Fence)):
                self._window.append(Fence())

    @property
    def window_size(self) -> int:
        """How many launches fill the window: ``options.window`` at first, and up to ``options.max_window``.

        Doubled when all of a full window became one task (Diffuse §7; D32), halved again when the first task was a small part of it.
        """
        return self._size

    def explain(self) -> Explanation:
        """Why the window that was planned last was, or was not, fused. Captures that have not run are not in it."""
        with self._lock:
            return self._planner.explain()

    def assert_no_compile(self) -> AbstractContextManager[None]:
        """A context in which all that runs must be known: no pass and no code generator runs.

        A call in it that would make one run raises UnknownWindowError, which says what is new about the window. What was captured stays
        so, and runs when asked again after the block.
        """
        return self._planner.no_compile()

    def cache_info(self) -> CacheInfo:
        """What the disk cache of compiled kernels holds, and what this process did with it (docs/caching.md); ``print`` it."""
        from fuseir.cache import cache_of

        return cache_of(self.options).info()

    def cache_clear(self) -> int:
        """Removes all compiled kernels on disk, and returns how many files those were. Plans known to sessions stay known."""
        from fuseir.cache import cache_of

        return cache_of(self.options).clear()

    # Execution

    def flush(self) -> None:
        """Runs everything captured. Raises what a task failed with; other tasks of the window have run."""
        with self._lock:
            self._refuse_inside_tasks()
            self._run(full=False)

    def read(self, root: RootStore, view: View) -> Array:
        """The contents of a view of a store as a new array, after running what was captured."""
        with self._lock:
            self._refuse_inside_tasks()
            if self._window:
                self.statistics.forced_flushes += 1
                self.flush()
            raise_if_lost(root)
            if root.buffer is None:
                raise UsageError(f"store {root.name or ''}{root.shape} is read before anything was written to it")
            # Copied here: outside the lock another thread's launch could change the contents meanwhile.
            return np.array(array_of_view(root.buffer, view))

    def _refuse_inside_tasks(self) -> None:
        if self._running:
            raise UsageError("a task's body cannot read or flush the session that runs it")

    def _run(self, *, full: bool) -> None:
        """Runs the window, or the first task of a full one (D29, D30)."""
        # A copy: a finaliser in another thread may be about to add a release to the list.
        records, self._window = list(self._window), []
        if not self._launches:
            self._captured = set()
            return
        self._running = True
        try:
            planned, form = self._planned(records, full)
            if full:
                self.statistics.full_windows += 1
                self._resize(planned)
            self._execute(records, planned, form)
        finally:
            self._running = False

    def _planned(self, records: list[Record], full: bool) -> tuple[Planned, Canonical]:
        """The plan of a window, and what to bind it to. The window is left with what the plan does not run."""
        pending: list[Record] = []
        try:
            planned, form = self._planner.find(records, full=full)
            use = planned.plan.memory_use(tuple([root.buffer is not None for root in form.roots]))
            self._buffers.require(use.growth)
            self.statistics.peak_bytes = max(self.statistics.peak_bytes, use.peak)
            if planned.taken is not None:
                pending = without(records, planned.taken)
        except (UnknownWindowError, OutOfMemoryError):
            pending = records
            raise
        except Exception as error:
            lose_changes(launches_of(records), error)
            raise
        except BaseException:
            # Interrupted before anything ran: the window stays as it was captured.
            pending = records
            raise
        finally:
            self._keep(pending)
        return planned, form

    def _keep(self, pending: list[Record]) -> None:
        """Makes these records the window, and what was added meanwhile: releases, and by tasks that run, fences."""
        launches = launches_of(pending)
        self._launches = len(launches)
        self._captured = captured = {id(root) for launch in launches for root in launch.roots}
        added = self._window
        self._window = [
            *pending,
            *(record for record in added if not isinstance(record, Release) or id(record.root) in captured),
        ]

    def _execute(self, records: list[Record], planned: Planned, form: Canonical) -> None:
        plan, taken = planned.plan, planned.taken
        slots = [root.buffer for root in form.roots]
        lost = {k: root.failure for k, root in enumerate(form.roots) if root.failure is not None}
        try:
            for root in form.roots:
                root.buffer = None  # what the plan releases is gone at once
            outcome = plan.run(slots, form.scalars, self._buffers.allocate, lost_before=lost)
        except BaseException as error:  # an interrupt between two steps
            lose_changes([each for k, each in enumerate(launches_of(records)) if taken is None or k in taken], error)
            raise
        finally:
            for root, buffer in zip(form.roots, slots, strict=True):
                root.buffer = buffer
        for number, root in enumerate(form.roots):
            root.failure = outcome.lost.get(number)
            root.replaced = False
        if outcome.lost:
            note_replaced(launches_of(self._window))
        statistics = self.statistics
        statistics.windows += 1
        statistics.tasks += plan.tasks
        statistics.launches += plan.launches
        statistics.native_calls += outcome.native_calls
        statistics.temporaries += len(plan.temporaries)
        statistics.temporary_bytes += plan.temporary_bytes
        if outcome.failure is not None:
            _raise_failure(outcome, records)

    def _resize(self, planned: Planned) -> None:
        """Grows or shrinks the window by what became of a full one."""
        if planned.grows:
            self._size = max(self._size, min(2 * self._size, self.options.max_window))
        elif planned.taken is not None and _FEW * len(planned.taken) <= self._size:
            # Looking through a window costs its length, for each task.
            self._size = max(self.options.window, self._size // 2)


def _sort_arguments(task: Task, arguments: Sequence[Any], stores: list[Store], scalars: list[Any]) -> None:
    """Tells stores from scalars by the task's parameters. Raises UsageError for a wrong number or kind of arguments."""
    if not isinstance(task, Task):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise UsageError(f"a task made by fuseir.task or fuseir.opaque_task can be launched, not {type(task).__name__}")
    if len(arguments) != len(task.parameters):
        raise UsageError(f"task '{task.name}' takes {len(task.parameters)} arguments, {len(arguments)} were given")
    for privilege, argument in zip(task.parameters, arguments, strict=True):
        if privilege is None:
            scalars.append(argument)
        elif type(argument) is Store:
            stores.append(argument)
        else:
            raise UsageError(
                f"task '{task.name}' needs a Store for each argument with a privilege, got {type(argument).__name__}"
            )


def _raise_failure(outcome: Outcome, records: list[Record]) -> None:
    """Re-raises a task's own exception, with a note that says where it was launched."""
    failure = outcome.failure
    assert failure is not None
    number = None if outcome.failed_step is None else outcome.failed_step.launch_number
    if number is not None:
        location = launches_of(records)[number].site.resolve()
        failure.add_note(f"in the task launched at {location}: {(location.text or '').strip()}")
    raise failure


def _allocated(shape: Shape, dtype: np.dtype[Any], make: Callable[..., Array]) -> Array:
    try:
        return make(shape, dtype)
    except MemoryError as error:
        raise OutOfMemoryError(f"no memory for a store of shape {shape} and element type {dtype}: {error}") from None


def _scalar_type(value: Any) -> Any:
    """What a scalar's type is to the task: Python's own numbers stay weak, as in NumPy's promotion."""
    kind = type(value)
    if kind is int and not -(2**63) <= value < 2**63:
        if not 0 <= value < 2**64:
            raise UsageError("a scalar argument has 64 bits: the integer given needs more")
        return LargeInteger
    if kind in (bool, int, float):
        return kind
    if isinstance(value, np.generic):
        return element_dtype(value.dtype)
    raise UsageError(f"a scalar argument is a Python or NumPy number, not {kind.__name__}")


# The current session: the one piece of global state.

_current: list[Session] = []


def current_session() -> Session:
    """The session that module-level functions use; made on first use."""
    if not _current:
        _current.append(Session())
    return _current[0]


def _set_current(session: Session) -> None:
    _current[:] = [session]


Opaque = Callable[..., None]
