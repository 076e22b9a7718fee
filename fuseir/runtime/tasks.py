"""Tasks as the application launches them, and their instances for the stores they meet."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any, Literal
from weakref import WeakValueDictionary

import numpy as np

from fuseir.dialects.dist.index_map import Coordinate, IndexMap
from fuseir.dialects.dist.partition import NonePartition, Partition, Shape, Tiling
from fuseir.dialects.dist.privilege import Privilege
from fuseir.dtypes import LargeInteger
from fuseir.errors import ShapeError, UnsupportedError, UsageError
from fuseir.runtime.device_functions import DeviceFunction
from fuseir.runtime.task_facts import StoredFacts, TaskFacts, facts_of

if TYPE_CHECKING:
    from xdsl.dialects.func import FuncOp

    from fuseir.cache import DiskCache
    from fuseir.lang import KernelInstance, TaskDefinition

ArgumentType = tuple[np.dtype[Any], int]
"""Element type and rank of an argument."""

_MOST_LAYOUTS = 4096


class TaskInstance:
    """A task for arguments of given element types and ranks. Equal only to itself; ``first_alike`` can stand in keys.

    ``facts`` are what capture needs to know of its kernel, which ``make_kernel`` makes when it is first asked for; an opaque task has a
    ``function`` instead. ``layouts`` caches the default partitions by argument shapes.
    """

    __slots__ = (
        "__weakref__",
        "_alike",
        "_kernel",
        "_make_kernel",
        "argument_names",
        "argument_types",
        "divisible",
        "extent_classes",
        "function",
        "kernel_digest",
        "layouts",
        "privileges",
        "scalar_types",
        "symbol",
        "task_name",
    )

    def __init__(
        self,
        symbol: str,
        argument_types: Sequence[ArgumentType],
        privileges: Sequence[Privilege],
        scalar_types: Sequence[np.dtype[Any]],
        *,
        task_name: str | None = None,
        argument_names: Sequence[str] | None = None,
        facts: TaskFacts | None = None,
        make_kernel: Callable[[], FuncOp] | None = None,
        function: Callable[..., None] | None = None,
    ) -> None:
        self.symbol = symbol
        self.task_name = task_name or symbol
        self.argument_names = tuple(argument_names or (f"argument {k}" for k in range(len(argument_types))))
        self.argument_types = tuple(argument_types)
        self.privileges = tuple(privileges)
        self.scalar_types = tuple(scalar_types)
        self.function = function
        self.kernel_digest: str | None = None if facts is None else facts.digest
        """What stands for the kernel's text, in every process; None for an opaque task."""
        self.extent_classes: tuple[tuple[tuple[int, int], ...], ...] = () if facts is None else facts.extent_classes
        self.divisible = facts is not None and facts.divisible
        self._kernel: FuncOp | None = None
        self._make_kernel = make_kernel
        self.layouts: dict[tuple[int, tuple[Shape, ...]], tuple[Shape, tuple[Partition, ...]]] = {}
        # Not the instance itself where it is the first of its kind: it could go away only when cycles are collected.
        self._alike: TaskInstance | Literal["itself"] | None = "itself" if facts is None else None

    @property
    def kernel(self) -> FuncOp | None:
        """The body, None for an opaque task."""
        if self._kernel is None and self._make_kernel is not None:
            self._kernel = self._make_kernel()
        return self._kernel

    @property
    def first_alike(self) -> TaskInstance:
        """The instance that stands for all with the same kernel, text for text: a task defined anew makes no new plans.

        An opaque task is alike to itself only: nobody can tell what its function does.
        """
        if self._alike is None:
            text = self.kernel_digest, self.privileges, self.argument_types, self.scalar_types
            first = _FIRST_ALIKE.setdefault(text, self)
            self._alike = "itself" if first is self else first
        return self if self._alike == "itself" else self._alike

    def layout(self, shapes: tuple[Shape, ...], procs: int) -> tuple[Shape, tuple[Partition, ...]]:
        """Launch domain and partitions where the caller gives none.

        The leading dimension of the highest-rank argument, and every dimension that must agree with it, is cut into ``procs`` tiles;
        all other dimensions are whole. Tasks of rank 0, opaque tasks, and tasks that cutting would change run at one point.
        Depends on shapes alone, so that reductions do not depend on the machine. Raises ShapeError where extents that must agree
        do not.
        """
        known = self.layouts.get((procs, shapes))
        if known is None:
            if len(self.layouts) >= _MOST_LAYOUTS:
                self.layouts.clear()
            self.check_extents(shapes)
            known = self.layouts[procs, shapes] = self._default_layout(shapes, procs)
        return known

    def check_extents(self, shapes: tuple[Shape, ...]) -> None:
        """Raises ShapeError unless extents that the body takes to be equal are."""
        for (first, first_dim), *others in self.extent_classes:
            for other, dim in others:
                if shapes[other][dim] != shapes[first][first_dim]:
                    names = self.argument_names
                    raise ShapeError(
                        f"task '{self.task_name}' needs dimension {first_dim} of {names[first]} and dimension {dim} of {names[other]} to "
                        f"be equal; their shapes are {shapes[first]} and {shapes[other]}"
                    )

    def _default_layout(self, shapes: tuple[Shape, ...], procs: int) -> tuple[Shape, tuple[Partition, ...]]:
        highest = max(range(len(shapes)), key=lambda k: len(shapes[k]), default=0)
        cut: list[tuple[int, int]] = []
        if self.divisible and shapes and shapes[highest]:
            cut = list(next((each for each in self.extent_classes if (highest, 0) in each), [(highest, 0)]))
        changed = {k for k, privilege in enumerate(self.privileges) if privilege.writes}
        # A kernel may tie two dimensions of one argument: cutting both would leave out all tiles off the diagonal.
        twice = len({argument for argument, _ in cut}) < len(cut)
        if not cut or procs == 1 or twice or changed - {argument for argument, _ in cut}:
            return (1,), (NonePartition(),) * len(shapes)
        tile = max(1, -(-shapes[highest][0] // procs))
        partitions: list[Partition] = []
        for argument, shape in enumerate(shapes):
            dims = {dim for k, dim in cut if k == argument}
            if not dims:
                partitions.append(NonePartition())
                continue
            partitions.append(
                Tiling.of(
                    [tile if dim in dims else max(extent, 1) for dim, extent in enumerate(shape)],
                    None,
                    IndexMap(
                        1,
                        tuple(
                            Coordinate(0, 1, 0) if dim in dims else Coordinate(None, 0, 0) for dim in range(len(shape))
                        ),
                    ),
                )
            )
        return (procs,), tuple(partitions)


_FIRST_ALIKE: WeakValueDictionary[object, TaskInstance] = WeakValueDictionary()


class Task:
    """A task that can be launched: from text, from a generator, or opaque. Made by ``fuseir.task`` and ``fuseir.opaque_task``."""

    def __init__(
        self, name: str, definition: TaskDefinition | None, function: Callable[..., None] | None = None
    ) -> None:
        self.name = name
        self.definition = definition
        self.function = function
        self.instances: dict[Any, TaskInstance] = {}
        self.parameters: tuple[Privilege | None, ...] = ()
        """Each parameter's privilege in the order of the call; None for a scalar."""

    def __call__(self, *arguments: Any) -> None:
        """Launches the task in the current session."""
        from fuseir.runtime.session import current_session

        current_session().launch(self, *arguments, stack_depth=1)

    def __repr__(self) -> str:
        return f"<{'opaque task' if self.definition is None else 'task'} {self.name}>"

    def instance(
        self, argument_types: Sequence[ArgumentType], scalar_types: Sequence[Any], disk: DiskCache | None = None
    ) -> TaskInstance:
        """The instance for these types; made on first use, without its kernel if ``disk`` has what is known of it.

        Raises what the definition raises for types it cannot take.
        """
        key = (tuple(argument_types), tuple(scalar_types))
        found = self.instances.get(key)
        if found is None:
            found = self.instances[key] = self._instantiate(argument_types, scalar_types, disk)
        return found

    def _instantiate(
        self, argument_types: Sequence[ArgumentType], scalar_types: Sequence[Any], disk: DiskCache | None
    ) -> TaskInstance:
        suffix = "_".join(f"{dtype.char}{rank}" for dtype, rank in argument_types)
        symbol = re.sub(r"[^A-Za-z0-9_]", "_", f"{self.name}_{suffix}").replace("?", "b")
        privileges = [privilege for privilege in self.parameters if privilege is not None]
        if self.definition is None:
            function = _in_parameter_order(self.function, self.parameters)
            return TaskInstance(
                symbol,
                argument_types,
                privileges,
                [np.dtype(np.uint64 if kind is LargeInteger else kind) for kind in scalar_types],
                task_name=self.name,
                function=function,
            )
        definition = self.definition
        names = [f"`{argument.name}`" for argument in definition.arguments]

        @cache
        def make_kernel() -> KernelInstance:
            return definition.instantiate(symbol, argument_types, scalar_types)

        stored = StoredFacts.of(disk, definition, symbol, argument_types, scalar_types)
        facts = None if stored is None else stored.find()
        if facts is None:
            made = make_kernel()
            facts = facts_of(made.function, privileges, made.scalar_types)
            if stored is not None:
                stored.keep(facts)
        return TaskInstance(
            symbol,
            argument_types,
            privileges,
            facts.scalar_types,
            task_name=self.name,
            argument_names=names,
            facts=facts,
            make_kernel=lambda: make_kernel().function,
        )


def _in_parameter_order(
    function: Callable[..., None] | None, parameters: Sequence[Privilege | None]
) -> Callable[..., None] | None:
    """The IR passes stores first and scalars after; the callable gets them in the order of the task's parameters."""
    if function is None or all(privilege is not None for privilege in parameters):
        return function
    stores = sum(privilege is not None for privilege in parameters)
    store_positions, scalar_positions = iter(range(stores)), iter(range(stores, len(parameters)))
    order = [next(scalar_positions if privilege is None else store_positions) for privilege in parameters]

    def ordered(*values: Any) -> None:
        function(*(values[k] for k in order))

    return replace(function, function=ordered) if isinstance(function, DeviceFunction) else ordered


def defined_task(source: Any, signature: str | None = None) -> Task:
    """The task of one text, or of a generator and its signature (see ``fuseir.lang.task``)."""
    from fuseir.lang import task as define

    definition = define(source) if signature is None else define(source, signature)
    made = Task(definition.name, definition)
    privileges = {argument.name: Privilege.parse(str(argument)) for argument in definition.arguments}
    made.parameters = tuple(privileges.get(name) for name in definition.parameters)
    return made


def opaque_task(
    function: Callable[..., None], privileges: Sequence[str | None], name: str | None = None, *, arrays: str = "numpy"
) -> Task:
    """A task whose body is a Python callable; never fused, always ordered correctly.

    At each point it is called with one argument a parameter: a NumPy view of the sub-store, read-only unless the privilege lets it be
    changed, or the scalar where the privilege is None. A ``reduce<op>`` argument arrives filled with the operator's identity.

    ``arrays="cupy"`` asks for CuPy's arrays, on the memory of stores on a GPU, CUDA's default stream being current; such a task runs in
    sessions with ``target="cuda"`` only. ``arrays="any"`` asks for CuPy's there and NumPy's elsewhere. None of these arrays is read-only.

    Raises UsageError for a privilege that does not exist, a function that cannot be called, or other ``arrays``; UnsupportedError for
    ``reduce`` with CuPy's arrays.
    """
    if not callable(function):
        raise UsageError(f"an opaque task is made of a callable, not of {type(function).__name__}")
    if arrays not in ("numpy", "cupy", "any"):
        raise UsageError(f"arrays are 'numpy', 'cupy' or 'any', not {arrays!r}")
    if isinstance(privileges, str):
        raise UsageError(f"privileges are a sequence, one for each parameter: [{privileges!r}]")
    name = name or str(getattr(function, "__name__", "opaque"))
    if arrays != "numpy":
        function = DeviceFunction(function, anywhere=arrays == "any")
    made = Task(name, None, function)
    try:
        made.parameters = tuple(None if text is None else Privilege.parse(text) for text in privileges)
    except (ValueError, AttributeError):
        raise UsageError(
            f"privileges are 'read', 'write', 'read_write' and 'reduce<add|mul|min|max|and|or|xor>', and None for a scalar; "
            f"got {list(privileges)!r}"
        ) from None
    if arrays != "numpy" and any(privilege is not None and privilege.reduces for privilege in made.parameters):
        raise UnsupportedError(f"task '{name}' reduces, which opaque tasks on CuPy's arrays do not")
    return made
