"""Sessions: stores, and launches on them, which run when a value is asked for.

How launches are captured and come to run is in stream.py.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from fuseir.cache import CacheInfo
from fuseir.dialects.dist.partition import Partition, Shape
from fuseir.dtypes import element_dtype
from fuseir.errors import DTypeError, FuseirError, OutOfMemoryError, ShapeError, UsageError
from fuseir.location import CallSite
from fuseir.options import options_from
from fuseir.runtime.arrays import Array
from fuseir.runtime.device_functions import DeviceFunction
from fuseir.runtime.forms import Form, Forms, call_key
from fuseir.runtime.signatures import Signatures, checked_shape
from fuseir.runtime.stores import Handle, RootStore, Store
from fuseir.runtime.stream import Stream
from fuseir.runtime.tasks import Task

if TYPE_CHECKING:
    from fuseir.passes.remarks import Explanation

_H = TypeVar("_H", bound=Handle)


class Session(Stream):
    """Captures launches on its stores and executes them, fused.

    Keywords are the fields of ``fuseir.options.Options``. ``with Session() as session`` makes it the current one inside the block.
    Calls from several threads are serialised. Raises UsageError for options that make no sense.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(options_from(options))
        self.signatures = Signatures()
        self._forms = Forms(self.options.procs, self._disk)
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
        buffers = self.buffers
        contents = _allocated(extents, element, lambda shape, dtype: buffers.full(shape, dtype, one))
        return self.wrap(contents, Store, name)

    def zeros(self, shape: Sequence[int] | int, dtype: DTypeLike = np.float64, *, name: str | None = None) -> Store:
        """A store of zeros."""
        extents, element = checked_shape(shape), element_dtype(dtype)
        return self.wrap(_allocated(extents, element, self.buffers.zeros), Store, name)

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
        contents = _allocated(source.shape, dtype, self.buffers.allocate)
        contents[...] = source
        return self.wrap(contents, Store, name)

    def from_device(self, array: Any, *, name: str | None = None) -> Store:
        """A store on the memory of an array on the session's GPU, such as CuPy's: what has the CUDA array interface. Nothing is copied.

        Raises UsageError for memory that is elsewhere, read-only or not C-contiguous, UnsupportedError for other element types.
        """
        from fuseir.runtime.device_sharing import from_device

        return from_device(self, array, Store, name)

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
            form = self.form(task, arguments, domain, partitions)
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

    def form(
        self,
        task: Task,
        arguments: Sequence[Any],
        domain: Sequence[int] | None = None,
        partitions: Sequence[Partition] | None = None,
    ) -> Form:
        """The form of launches of a task on arguments like these, for ``capture``. Raises as ``launch`` does."""
        if domain is None and partitions is None and type(task) is Task:
            # A signature belongs to one session: stores of another one are not found, and refused below.
            found = self._forms.by_call.get(call_key(task, arguments))
            if found is not None:
                return found
        for argument in arguments:
            if isinstance(argument, Handle) and argument.session is not self:
                raise UsageError(f"{argument!r} belongs to another session")
        function = getattr(task, "function", None)
        if isinstance(function, DeviceFunction) and not function.anywhere and self.options.target != "cuda":
            raise UsageError(f"task '{task.name}' takes CuPy's arrays, which only sessions with target='cuda' have")
        return self._forms.make(task, arguments, domain, partitions)

    @property
    def window_size(self) -> int:
        """How many launches fill the window: ``options.window`` at first, and up to ``options.max_window``.

        Doubled when all of a full window became one task (Diffuse §7; D32), halved again when its tasks were small parts of it.
        """
        return self._window.size

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


def _allocated(shape: Shape, dtype: np.dtype[Any], make: Callable[[Shape, np.dtype[Any]], Array]) -> Array:
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
