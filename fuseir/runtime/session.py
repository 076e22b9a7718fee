"""Sessions: capture launches, and run them when a value is asked for.

The hot path is ``launch``: it looks things up and appends one record; no IR, no analysis (design rule R2).
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, contextmanager
from types import CodeType
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from fuseir.cache import CacheInfo, cache_of
from fuseir.dialects.dist.partition import Partition, Shape
from fuseir.dialects.dist.view import View
from fuseir.dtypes import element_dtype
from fuseir.errors import DTypeError, FuseirError, OutOfMemoryError, ShapeError, UsageError
from fuseir.location import CallSite
from fuseir.options import Options, options_from
from fuseir.runtime.arrays import Array, array_of_view
from fuseir.runtime.buffers import BufferPool
from fuseir.runtime.execution import Execution
from fuseir.runtime.forms import Form, Forms, call_key
from fuseir.runtime.plan import Number
from fuseir.runtime.planning import Planned, Planner
from fuseir.runtime.signatures import Signatures, checked_shape
from fuseir.runtime.statistics import Statistics
from fuseir.runtime.stores import Handle, RootStore, Store, raise_if_lost
from fuseir.runtime.tasks import Task
from fuseir.runtime.usage import Usage
from fuseir.runtime.window import Segment, Window

if TYPE_CHECKING:
    from fuseir.passes.remarks import Explanation
    from fuseir.runtime.freezing import Call

_H = TypeVar("_H", bound=Handle)

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
        self.usage = Usage(self.options.sync, self.options.fallback)
        self._lock = threading.RLock()
        self._window = Window()
        self._size = self.options.window
        self.signatures = Signatures()
        self._disk = cache_of(self.options)
        self._forms = Forms(self.options.procs, self._disk)
        self._planner = Planner(self.options, self.statistics)
        # Whether tasks run, and whether a frozen function is recorded; then, which thread does it.
        self._running = False
        self._recorded: str | None = None
        self._exclusive = False
        self._runner = 0
        self.made: list[RootStore] | None = None
        """Roots made since a frozen function is being recorded. What makes roots adds them (freezing.py)."""
        self._buffers = BufferPool(self.options.pool_bytes or 0, self.options.memory_bytes)
        self._execution = Execution(self._planner, self._window, self._buffers, self.statistics)
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
        signature = self.signatures.asked(shape, dtype)
        root = RootStore(signature, name, None)
        if self.made is not None:
            self.made.append(root)
        return Store(self, root, signature)

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
        return self.wrap(contents, Store, name)

    def zeros(self, shape: Sequence[int] | int, dtype: DTypeLike = np.float64, *, name: str | None = None) -> Store:
        """A store of zeros."""
        extents, element = checked_shape(shape), element_dtype(dtype)
        return self.wrap(_allocated(extents, element, self._buffers.zeros), Store, name)

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
            return self.wrap(source, Store, name)
        contents = _allocated(source.shape, dtype, self._buffers.allocate)
        contents[...] = source
        return self.wrap(contents, Store, name)

    def wrap(self, contents: Array, kind: type[_H], name: str | None = None) -> _H:
        """The first handle, of a kind, on a new root that takes over these contents: C-contiguous, aligned, of a store's element type."""
        signature = self.signatures.whole(contents.shape, contents.dtype)
        root = RootStore(signature, name, contents)
        if self.made is not None:
            self.made.append(root)
        return kind(self, root, signature)

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
        frame = sys._getframe(1 + stack_depth)  # pyright: ignore[reportPrivateUsage]
        code, instruction = frame.f_code, frame.f_lasti
        try:
            form = None
            if domain is None and partitions is None and type(task) is Task:
                # A signature belongs to one session: stores of another one are not found, and refused below.
                form = self._forms.by_call.get(call_key(task, arguments))
            if form is None:
                form = self._new_form(task, arguments, domain, partitions)
        except FuseirError as error:
            error.add_note(f"launched at {CallSite(code, instruction).resolve()}")
            raise
        if form.scalars:
            roots = tuple([arguments[k].root for k in form.stores])
            scalars = tuple([arguments[k] for k in form.scalars])
        else:
            roots = tuple([store.root for store in arguments])
            scalars = ()
        self.capture(form, roots, scalars, code, instruction)

    def form(self, task: Task, arguments: Sequence[Any]) -> Form:
        """The form of launches of a task on arguments like these, for ``capture``. Raises as ``launch`` does."""
        found = self._forms.by_call.get(call_key(task, arguments))
        return found or self._new_form(task, arguments, None, None)

    def _new_form(
        self, task: Task, arguments: Sequence[Any], domain: Sequence[int] | None, partitions: Sequence[Partition] | None
    ) -> Form:
        for argument in arguments:
            if isinstance(argument, Handle) and argument.session is not self:
                raise UsageError(f"{argument!r} belongs to another session")
        return self._forms.make(task, arguments, domain, partitions)

    def capture(
        self,
        form: Form,
        roots: tuple[RootStore, ...],
        scalars: tuple[Number, ...],
        code: CodeType,
        instruction: int,
    ) -> None:
        """Adds a launch of a known form to the window; runs the window, or a part of it, when that is full.

        This and ``launch`` are the hot path: no IR, no analysis (design rule R2), nothing made but one tuple, and what does not depend on
        the stores themselves looked up by one key. Raises as ``launch`` does.
        """
        if self._exclusive:
            self._wait_for_turn()
        try:
            for k in form.needed:
                root = roots[k]
                if root.failure is not None or not root.defined:
                    _raise_if_unreadable(form, k, root)
            if len({*roots}) < len(roots):
                form.check_overlaps(roots)
        except FuseirError as error:
            error.add_note(f"launched at {CallSite(code, instruction).resolve()}")
            raise
        window = self._window
        # One append, so that no lock is needed.
        window.records.append((form, roots, scalars, code, instruction))
        for k in form.changed:
            root = roots[k]
            root.defined = True
            if root.failure is not None and form.replaces(k, root):
                root.replaced = True  # nobody will look at what was lost
            if root.watchers:
                for watcher in root.watchers:
                    watcher.written(root)
        if len(window.records) - window.fences >= self._size:
            self._run_full_windows()

    def fence(self) -> None:
        """Ends the window: nothing captured before fuses with anything captured after."""
        self._window.fence()

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
        """What the disk cache of plans and kernels holds, and what this process did with it (docs/caching.md); ``print`` it."""
        return self._disk.info()

    def cache_clear(self) -> int:
        """Removes all plans and kernels on disk, and returns how many files those were. What sessions know stays known."""
        return self._disk.clear()

    # Execution

    def flush(self) -> None:
        """Runs everything captured. Raises what a task failed with; other tasks of the window have run."""
        with self._lock:
            self._refuse_inside_tasks("flush")
            self._refuse_in_recording("runs what was captured")
            self._run(full=False)

    def read(self, root: RootStore, view: View) -> Array:
        """The contents of a view of a store as a new array, after running what was captured."""
        with self._lock:
            self._refuse_inside_tasks("read")
            self._refuse_in_recording("reads a store")
            if self._window.records:
                self.usage.note_sync()
                self.statistics.forced_flushes += 1
                self.flush()
            raise_if_lost(root)
            if root.buffer is None:
                raise UsageError(f"store {root.name or ''}{root.shape} is read before anything was written to it")
            # Copied here: outside the lock another thread's launch could change the contents meanwhile.
            return np.array(array_of_view(root.buffer, view))

    # Frozen functions (freezing.py)

    @property
    def is_recording(self) -> bool:
        """Whether this thread is in the first call of a frozen function."""
        return self._recorded is not None and self._runner == threading.get_ident()

    @contextmanager
    def recording(self, name: str) -> Generator[list[RootStore]]:
        """Inside, everything this thread launches waits, and other threads do. Yields the roots that are made meanwhile."""
        with self._lock:
            self._refuse_inside_tasks("call a frozen function on")
            self._run(full=False)
            size, self._size = self._size, sys.maxsize
            self._recorded, self._runner, self._exclusive = name, threading.get_ident(), True
            self.made = made = []
            try:
                yield made
            finally:
                self._recorded, self._exclusive, self.made, self._size = None, False, None, size

    def take_recorded(self) -> Segment | None:
        """All that was launched in ``recording``; None if nothing was."""
        return self._window.take(full=False)

    def put_back(self, segment: Segment) -> None:
        """Undoes ``take_recorded``."""
        self._window.put_back(segment.records)

    def run_recorded(self, segment: Segment) -> Planned:
        """Runs what was recorded, on the stores it was recorded on, and returns its plan. Inside ``recording``."""
        with self._running_tasks():
            planned = self._execution.planned(segment)
            self._execution.execute(segment, planned)
        return planned

    def run_frozen(self, call: Call, needed: Sequence[Handle], written: Sequence[Handle]) -> None:
        """Runs what was recorded on other stores, behind everything captured. Raises as a launch does, and as ``flush`` does."""
        with self._lock:
            self._refuse_inside_tasks("call a frozen function on")
            self._run(full=False)
            for store in needed:
                raise_if_lost(store.root)
                if not store.root.defined:
                    raise UsageError(f"{store!r} is used before anything was written to it")
            for store in written:
                store.root.defined = True
            planned = self._planner.latest(call.key, call.planned)
            self._execution.require_memory(planned, call.roots)
            with self._running_tasks():
                self._execution.execute(call, planned)
            self.statistics.frozen_calls += 1
            for store in written:
                for watcher in store.root.watchers:
                    watcher.written(store.root)

    def _refuse_inside_tasks(self, what: str) -> None:
        """Raises UsageError in the thread that runs a task. Other threads have nothing to do with it."""
        if self._running and self._runner == threading.get_ident():
            raise UsageError(f"a task's body cannot {what} the session that runs it")

    def _refuse_in_recording(self, what: str) -> None:
        """Raises UsageError in a frozen function. Under the lock, which nobody else has meanwhile."""
        if self._recorded is not None and not self._running:
            raise UsageError(f"{self._recorded} is frozen, and {what}: do that outside of it")

    def _wait_for_turn(self) -> None:
        """What a launch has to do while tasks run, or while a frozen function is recorded."""
        self._refuse_inside_tasks("launch tasks on")
        if self._recorded is not None:
            with self._lock:  # another thread's launch must not become a part of the function
                pass

    def _run_full_windows(self) -> None:
        with self._lock:
            while len(self._window.records) - self._window.fences >= self._size:
                self._run(full=True)

    def _run(self, *, full: bool) -> None:
        """Runs the window, or the first task of a full one (D29, D30). Under the lock."""
        # What cannot fuse gains nothing by waiting.
        segment = self._window.take(full=full and self.options.fuse and self.options.target != "reference")
        if segment is None:
            return
        with self._running_tasks():
            planned = self._execution.planned(segment)
            if full:
                self.statistics.full_windows += 1
                self._resize(planned)
            self._execution.execute(segment, planned)

    @contextmanager
    def _running_tasks(self) -> Generator[None]:
        """Marks the time in which tasks run."""
        self._running = self._exclusive = True
        self._runner = threading.get_ident()
        try:
            yield
        finally:
            self._running = False
            self._exclusive = self._recorded is not None

    def _resize(self, planned: Planned) -> None:
        """Grows or shrinks the window by what became of a full one."""
        if planned.grows:
            self._size = max(self._size, min(2 * self._size, self.options.max_window))
        elif planned.taken is not None and _FEW * len(planned.taken) <= self._size:
            # Looking through a window costs its length, for each task.
            self._size = max(self.options.window, self._size // 2)


def _raise_if_unreadable(form: Form, argument: int, root: RootStore) -> None:
    """Raises what reading a root raises: its contents were lost, or it has none yet."""
    raise_if_lost(root)
    if not root.defined:
        privilege, name = form.instance.privileges[argument], form.instance.argument_names[argument]
        store = f"store {root.name!r}" if root.name else "a store"
        raise UsageError(
            f"{store} of shape {root.shape} is used as '{privilege}' ({name} of task '{form.instance.task_name}') before anything was "
            "written to it"
        )


def _allocated(shape: Shape, dtype: np.dtype[Any], make: Callable[..., Array]) -> Array:
    try:
        return make(shape, dtype)
    except MemoryError as error:
        raise OutOfMemoryError(f"no memory for a store of shape {shape} and element type {dtype}: {error}") from None


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
