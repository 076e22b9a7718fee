"""Sessions: capture launches, and run them when a value is asked for.

The hot path is ``launch``: it looks things up and appends one record; no IR, no analysis (design rule R2).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from fuseir.dialects.dist.partition import Partition, Shape, extents_agree, intervals_within_limit
from fuseir.dialects.dist.view import View, views_meet
from fuseir.dtypes import LargeInteger, element_dtype
from fuseir.errors import FuseirError, LegalityError, ShapeError, UsageError
from fuseir.location import call_site
from fuseir.options import Options, options_from
from fuseir.runtime.arrays import Array, array_of_view
from fuseir.runtime.plan import Outcome, Plan
from fuseir.runtime.statistics import Statistics
from fuseir.runtime.stores import RootStore, Store, raise_if_lost
from fuseir.runtime.tasks import Task, TaskInstance
from fuseir.runtime.window import Canonical, Fence, Launch, Record, Release, canonical

if TYPE_CHECKING:
    from fuseir.passes.remarks import Explanation
    from fuseir.runtime.compiler import Compiler

_MOST_PLANS = 1024


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
        self._captured: set[int] = set()
        self._plans: dict[Any, Plan] = {}
        self._running = False
        self._compiler: Compiler | None = None
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
        return self._handle(RootStore(_shape(shape), element_dtype(dtype), name, None))

    def full(
        self, shape: Sequence[int] | int, value: Any, dtype: DTypeLike = np.float64, *, name: str | None = None
    ) -> Store:
        """A store filled with one value."""
        return self._handle(
            RootStore(_shape(shape), element_dtype(dtype), name, np.full(_shape(shape), value, element_dtype(dtype)))
        )

    def zeros(self, shape: Sequence[int] | int, dtype: DTypeLike = np.float64, *, name: str | None = None) -> Store:
        """A store of zeros."""
        return self._handle(
            RootStore(_shape(shape), element_dtype(dtype), name, np.zeros(_shape(shape), element_dtype(dtype)))
        )

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
        return self._handle(RootStore(source.shape, dtype, name, np.array(source, dtype=dtype, order="C", copy=True)))

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
                launch_domain, pieces = _explicit_layout(instance, shapes, domain, partitions)
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
                _check_overlaps(instance, roots, views, launch_domain, pieces)
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
            for k, (root, privilege) in enumerate(zip(roots, instance.privileges, strict=True)):
                self._captured.add(id(root))
                if privilege.writes:
                    root.defined = True
                    if root.failure is not None and _replaces(root, views[k], pieces[k], launch_domain):
                        root.failure = None  # nobody will look at what was lost
            if len(self._window) >= self.options.window:
                self.flush()

    def fence(self) -> None:
        """Ends the window: nothing captured before fuses with anything captured after."""
        with self._lock:
            self._window.append(Fence())

    def explain(self) -> Explanation:
        """Why the window that was planned last was, or was not, fused. Captures that have not run are not in it."""
        from fuseir.passes.remarks import Explanation

        with self._lock:
            return Explanation() if self._compiler is None else self._compiler.explain()

    # Execution

    def flush(self) -> None:
        """Runs everything captured. Raises what a task failed with; other tasks of the window have run."""
        with self._lock:
            if self._running:
                raise UsageError("a task's body cannot read or flush the session that runs it")
            # A copy: a finaliser in another thread may be about to add a release to the list.
            records, self._window = list(self._window), []
            self._captured = set()
            if not any(isinstance(record, Launch) for record in records):
                return
            self._running = True
            try:
                self._execute(records)
            finally:
                self._running = False

    def _planned(self, records: list[Record]) -> tuple[Plan, Canonical]:
        """The plan of a window, and what to bind it to."""
        try:
            form = canonical(records)
            plan = self._plans.get(form.key)
            if plan is None:
                plan = self._make_plan(records)
                if len(self._plans) >= _MOST_PLANS:
                    self._plans.clear()
                self._plans[form.key] = plan
            else:
                self.statistics.plan_hits += 1
        except Exception as error:
            _lose_changes(records, error)
            raise
        except BaseException:
            # Interrupted before anything ran: the window stays as it was captured.
            self._window[:0] = records
            self._captured.update(id(root) for record in records if isinstance(record, Launch) for root in record.roots)
            raise
        return plan, form

    def read(self, root: RootStore, view: View) -> Array:
        """The contents of a view of a store as a new array, after running what was captured."""
        with self._lock:
            if self._window:
                self.statistics.forced_flushes += 1
                self.flush()
            raise_if_lost(root)
            if root.buffer is None:
                raise UsageError(f"store {root.name or ''}{root.shape} is read before anything was written to it")
            # Copied here: outside the lock another thread's launch could change the contents meanwhile.
            return np.array(array_of_view(root.buffer, view))

    def _execute(self, records: list[Record]) -> None:
        plan, form = self._planned(records)
        slots = [root.buffer for root in form.roots]
        lost = {k: root.failure for k, root in enumerate(form.roots) if root.failure is not None}
        try:
            outcome = plan.run(slots, form.scalars, lost_before=lost)
        except BaseException as error:  # an interrupt between two steps
            _lose_changes(records, error)
            raise
        for number, (root, buffer) in enumerate(zip(form.roots, slots, strict=True)):
            root.buffer = buffer
            root.failure = outcome.lost.get(number)
        statistics = self.statistics
        statistics.windows += 1
        statistics.tasks += plan.tasks
        statistics.launches += plan.launches
        statistics.temporaries += len(plan.temporaries)
        statistics.temporary_bytes += plan.temporary_bytes
        if outcome.failure is not None:
            _raise_failure(outcome, records)

    def _make_plan(self, records: list[Record]) -> Plan:
        start = perf_counter()
        if self._compiler is None:
            from fuseir.runtime.compiler import Compiler

            self._compiler = Compiler(self.options)
        plan = self._compiler.plan(records)
        self.statistics.plan_misses += 1
        self.statistics.kernels_compiled = self._compiler.kernels_compiled
        self.statistics.fallbacks = self._compiler.fallbacks
        self.statistics.compile_seconds += perf_counter() - start
        return plan


def _replaces(root: RootStore, view: View, partition: Partition, domain: Shape) -> bool:
    """Whether a write reaches every element of the root."""
    return view.covers(root.shape) and partition.covers(view.shape, domain)


def _lose_changes(records: list[Record], error: BaseException) -> None:
    """Notes that the contents of all stores that a window changes were lost: it did not run, or not to its end."""
    for record in records:
        if isinstance(record, Launch):
            for root, privilege in zip(record.roots, record.instance.privileges, strict=True):
                if privilege.returned:
                    root.failure = error


def _sort_arguments(task: Task, arguments: Sequence[Any], stores: list[Store], scalars: list[Any]) -> None:
    """Tells stores from scalars by the task's parameters. Raises UsageError for a wrong number or kind of arguments."""
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
        launches = [record for record in records if isinstance(record, Launch)]
        location = launches[number].site.resolve()
        failure.add_note(f"in the task launched at {location}: {(location.text or '').strip()}")
    raise failure


def _shape(shape: Sequence[int] | int) -> Shape:
    if type(shape) is int and shape >= 0:
        return (shape,)
    extents = (shape,) if isinstance(shape, int | np.integer) else tuple(shape)
    checked = tuple(int(extent) for extent in extents)
    if any(extent < 0 for extent in checked) or any(a != b for a, b in zip(checked, extents, strict=True)):
        raise ShapeError(f"{shape!r} is no shape")
    return checked


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


def _explicit_layout(
    instance: TaskInstance,
    shapes: tuple[Shape, ...],
    domain: Sequence[int] | None,
    partitions: Sequence[Partition] | None,
) -> tuple[Shape, tuple[Partition, ...]]:
    """Checks a layout given by the caller, as the IR's verifier would."""
    if domain is None or partitions is None:
        raise UsageError("domain and partitions are given together")
    launch_domain = _shape(domain)
    if len(partitions) != len(shapes):
        raise UsageError(f"{len(partitions)} partitions for {len(shapes)} stores")
    for k, (partition, shape, privilege) in enumerate(zip(partitions, shapes, instance.privileges, strict=True)):
        if not isinstance(partition, Partition):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise UsageError(f"argument {k}: a partition is needed, not {type(partition).__name__}")
        if (error := partition.rank_error(len(shape), len(launch_domain))) is not None:
            raise ShapeError(f"argument {k}: {error}")
        if not intervals_within_limit(partition.intervals(shape), launch_domain):
            raise ShapeError(f"argument {k}: index arithmetic over the launch domain leaves the range ±2^62")
        if privilege.writes and not partition.disjoint(shape, launch_domain):
            raise LegalityError(
                f"argument {k}: '{privilege}' through a partition that is not disjoint over the launch domain"
            )
    intervals = [partition.intervals(shape) for partition, shape in zip(partitions, shapes, strict=True)]
    for (first, first_dim), *others in instance.extent_classes:
        for other, dim in others:
            if not extents_agree(intervals[first][first_dim], intervals[other][dim], launch_domain):
                raise ShapeError(
                    f"tiles of arguments {first} and {other} differ in extent (dimensions {first_dim} and {dim}) at some point"
                )
    return launch_domain, tuple(partitions)


def _check_overlaps(
    instance: TaskInstance,
    roots: tuple[RootStore, ...],
    views: tuple[View, ...],
    domain: Shape,
    partitions: tuple[Partition, ...],
) -> None:
    """WF-2: two arguments on one store must not conflict at different points, and one at most changes any element."""
    for j, (root, privilege) in enumerate(zip(roots, instance.privileges, strict=True)):
        for i in range(j):
            other = instance.privileges[i]
            if roots[i] is not root or not (privilege.returned or other.returned) or not views_meet(views[i], views[j]):
                continue
            if privilege.reduces and privilege == other:
                continue  # folds with one operator do not conflict, whoever makes them
            same = views[i] == views[j] and partitions[i].same_tiles(partitions[j], views[j].shape, domain)
            both = privilege.returned and other.returned
            if both or privilege.reduces or other.reduces or not same:
                raise LegalityError(
                    f"arguments {i} ('{other}') and {j} ('{privilege}') of '{instance.symbol}' overlap in one store: make a copy first"
                )


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
