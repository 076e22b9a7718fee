"""FuseIR: a distributed IR, fusion passes and a runtime that take the overhead out of streams of array tasks.

The names below load on first use, so that ``import fuseir`` costs almost nothing::

    import fuseir

    axpy = fuseir.task("task axpy(a: scalar, x: read, y: read_write) { y = a * x + y }")
    x, y = fuseir.from_numpy([1.0, 2.0, 3.0]), fuseir.zeros(3)
    axpy(2.0, x, y)
    print(y.numpy())
"""

from __future__ import annotations

from functools import partial
from importlib import import_module
from time import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from numpy.typing import ArrayLike, DTypeLike

    from fuseir.cache import CacheInfo as CacheInfo
    from fuseir.dialects.dist.index_map import Coordinate as Coordinate
    from fuseir.dialects.dist.index_map import IndexMap as IndexMap
    from fuseir.dialects.dist.partition import NonePartition as NonePartition
    from fuseir.dialects.dist.partition import Tiling as Tiling
    from fuseir.errors import FuseirError as FuseirError
    from fuseir.runtime.compiler import Explanation
    from fuseir.runtime.session import Session as Session
    from fuseir.runtime.session import current_session as current_session
    from fuseir.runtime.statistics import Statistics
    from fuseir.runtime.stores import Store as Store
    from fuseir.runtime.tasks import Task as Task
    from fuseir.runtime.tasks import opaque_task as opaque_task
    from fuseir.runtime.tracing.report import TracingReport

__version__ = "0.1.0"

IMPORTED = time()
"""When this process began to load the package: sources that changed since are not those that it runs."""

_LAZY = {
    "CacheInfo": "fuseir.cache",
    "Coordinate": "fuseir.dialects.dist.index_map",
    "FuseirError": "fuseir.errors",
    "IndexMap": "fuseir.dialects.dist.index_map",
    "NonePartition": "fuseir.dialects.dist.partition",
    "Session": "fuseir.runtime.session",
    "Store": "fuseir.runtime.stores",
    "Task": "fuseir.runtime.tasks",
    "Tiling": "fuseir.dialects.dist.partition",
    "current_session": "fuseir.runtime.session",
    "opaque_task": "fuseir.runtime.tasks",
}

__all__ = [
    "CacheInfo",
    "Coordinate",
    "FuseirError",
    "IndexMap",
    "NonePartition",
    "Session",
    "Store",
    "Task",
    "Tiling",
    "assert_no_compile",
    "cache_clear",
    "cache_info",
    "current_session",
    "doctor",
    "explain",
    "fence",
    "flush",
    "freeze",
    "from_numpy",
    "full",
    "launch",
    "opaque_task",
    "stats",
    "store",
    "task",
    "trace",
    "trace_report",
    "zeros",
]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'fuseir' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_LAZY[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def task(source: str | Callable[..., Any], signature: str | None = None) -> Task:
    """A task from its text, or from a generator of IR and a signature (docs/task-language.md).

    Raises ParseError, with the place in the text.
    """
    from fuseir.runtime.tasks import defined_task

    return defined_task(source, signature)


def _session() -> Session:
    from fuseir.runtime.session import current_session

    return current_session()


def store(shape: Sequence[int] | int, dtype: DTypeLike = "f8", *, name: str | None = None) -> Store:
    """A store without contents in the current session (``Session.store``)."""
    return _session().store(shape, dtype, name=name)


def zeros(shape: Sequence[int] | int, dtype: DTypeLike = "f8", *, name: str | None = None) -> Store:
    """A store of zeros in the current session."""
    return _session().zeros(shape, dtype, name=name)


def full(shape: Sequence[int] | int, value: Any, dtype: DTypeLike = "f8", *, name: str | None = None) -> Store:
    """A store filled with one value in the current session."""
    return _session().full(shape, value, dtype, name=name)


def from_numpy(array: ArrayLike, *, copy: bool = True, name: str | None = None) -> Store:
    """A store with an array's contents in the current session (``Session.from_numpy``)."""
    return _session().from_numpy(array, copy=copy, name=name)


def launch(task: Task, *arguments: Any, **keywords: Any) -> None:
    """Launches a task in the current session (``Session.launch``)."""
    _session().launch(task, *arguments, stack_depth=1, **keywords)


def flush() -> None:
    """Runs everything captured in the current session."""
    _session().flush()


def fence() -> None:
    """Ends the current session's window without running it."""
    _session().fence()


def explain() -> Explanation:
    """What the passes did with the current session's last planned window, and why not more (docs/remarks.md); ``print`` it."""
    return _session().explain()


def freeze(function: Callable[..., Any] | None = None, *, warn_after: int = 10) -> Any:
    """A function that is called once for each kind of arguments; later calls run what it launched, and not the function.

    A decorator, ``@fuseir.freeze``, for functions of stores of which nothing but the arguments decides what they launch
    (docs/embedding.md). Warns at the ``warn_after``-th kind.
    """
    from fuseir.runtime.freezing import Frozen

    if function is None:
        return partial(Frozen, warn_after=warn_after)
    return Frozen(function, warn_after)


def assert_no_compile() -> AbstractContextManager[None]:
    """A context in which the current session compiles nothing: what would is an error (``Session.assert_no_compile``)."""
    return _session().assert_no_compile()


def trace() -> AbstractContextManager[None]:
    """A context in which all that is launched runs as one segment (``Session.trace``)."""
    return _session().trace()


def trace_report() -> TracingReport | None:
    """The traces found in the current session's stream, and why not more (``Session.trace_report``); ``print`` it."""
    return _session().trace_report()


def cache_info() -> CacheInfo:
    """What the disk cache of plans and kernels holds, and what this process did with it (docs/caching.md); ``print`` it."""
    return _session().cache_info()


def cache_clear() -> int:
    """Removes all plans and kernels on disk, and returns how many files those were (``Session.cache_clear``)."""
    return _session().cache_clear()


def doctor() -> str:
    """What the current session runs on, and which lines of the program wait for values or leave the stream; ``print`` it."""
    from fuseir.runtime.doctor import report

    return report(_session())


def stats() -> Statistics:
    """The current session's counters."""
    return _session().statistics
