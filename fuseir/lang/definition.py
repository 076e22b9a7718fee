"""Tasks and the kernels made of them: the library's view of the task language."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fuseir.dtypes import LargeInteger
from fuseir.errors import ShapeError, SourceLocation, UsageError, VerifyError
from fuseir.lang.syntax import TaskSyntax

if TYPE_CHECKING:
    from xdsl.dialects.func import FuncOp

    from fuseir.lang.kernels import TileType
    from fuseir.lang.types import Kind

MAX_RANK = 32
"""NumPy arrays have at most 64 dimensions; no task here has more than this."""

ArgumentType = tuple[npt.DTypeLike, int]
"""Element type and rank of an argument's store or view."""

ScalarType = npt.DTypeLike
"""A scalar's element type; Python's own ``int`` and ``float`` make it weak, so that it takes the type of what it meets; so does
``LargeInteger``, for integers from 2^63."""


@dataclass(frozen=True, slots=True)
class Argument:
    """A store that a task gets, and what it does with it: ``operator`` is that of ``reduce``, None otherwise."""

    name: str
    privilege: str
    operator: str | None
    location: SourceLocation

    def __str__(self) -> str:
        return f"{self.privilege}<{self.operator}>" if self.operator else self.privilege


@dataclass(frozen=True)
class KernelInstance:
    """A kernel for given types: its function, and what its parameters are.

    ``scalar_types`` are those of the function's parameters: a weak scalar is an int64, a uint64 or a float64.
    """

    symbol_name: str
    function: FuncOp
    arguments: tuple[Argument, ...]
    argument_types: tuple[tuple[np.dtype, int], ...]
    scalar_types: tuple[np.dtype, ...]


class TaskDefinition(ABC):
    """A task for every element type and rank.

    ``parameters`` are all names in the order written; ``arguments`` and ``scalars`` are the two kinds, each in that order,
    which is the order of a kernel's parameters.
    """

    def __init__(self, syntax: TaskSyntax) -> None:
        self.syntax = syntax
        self.name = syntax.name
        self.parameters = tuple(parameter.name for parameter in syntax.parameters)
        self.arguments = tuple(
            Argument(p.name, p.privilege, p.operator, syntax.source.location(p.position))
            for p in syntax.parameters
            if p.privilege != "scalar"
        )
        self.scalars = tuple(p.name for p in syntax.parameters if p.privilege == "scalar")

    def __repr__(self) -> str:
        return f"<task {self.name}({', '.join(self.parameters)})>"

    @property
    def location(self) -> SourceLocation:
        """Where the task is defined."""
        return self.syntax.source.location(self.syntax.position)

    def instantiate(
        self, symbol_name: str, argument_types: Sequence[ArgumentType], scalar_types: Sequence[ScalarType] = ()
    ) -> KernelInstance:
        """A kernel named ``symbol_name`` for arguments and scalars of the given types.

        Raises UsageError for the wrong number of types, UnsupportedError for element types that kernels lack, DTypeError
        and ShapeError where the task makes no sense for these types.
        """
        from fuseir.lang.kernels import TileType
        from fuseir.lang.types import element_type

        self._check_count("argument", len(self.arguments), len(argument_types))
        self._check_count("scalar", len(self.scalars), len(scalar_types))
        tiles: dict[str, TileType] = {}
        for argument, (dtype, rank) in zip(self.arguments, argument_types, strict=True):
            if not 0 <= rank <= MAX_RANK:
                message = f"`{argument.name}` has rank {rank}, outside 0 … {MAX_RANK}"
                raise ShapeError(message, location=argument.location)
            tiles[argument.name] = TileType(element_type(dtype, f"`{argument.name}`", argument.location), rank)
        scalars = {name: self._scalar(name, dtype) for name, dtype in zip(self.scalars, scalar_types, strict=True)}
        function = self._build(symbol_name, tiles, scalars)
        self._verify(function, scalars.values())
        types = tuple((tile.dtype, tile.rank) for tile in tiles.values())
        return KernelInstance(
            symbol_name, function, self.arguments, types, tuple(kind.dtype for kind in scalars.values())
        )

    @abstractmethod
    def _build(self, symbol_name: str, tiles: Mapping[str, TileType], scalars: Mapping[str, Kind]) -> FuncOp: ...

    def _check_count(self, what: str, expected: int, given: int) -> None:
        if expected != given:
            plural = "" if expected == 1 else "s"
            message = f"task `{self.name}` has {expected} {what}{plural}, but {given} types were given"
            raise UsageError(message, location=self.location)

    def _scalar(self, name: str, dtype: ScalarType) -> Kind:
        from fuseir.lang.types import Kind, element_type

        weak = dtype is int or dtype is float or dtype is LargeInteger
        if dtype is LargeInteger:
            dtype = np.uint64
        position = next(p.position for p in self.syntax.parameters if p.name == name)
        return Kind(element_type(dtype, f"`{name}`", self.syntax.source.location(position)), weak)

    def _verify(self, function: FuncOp, scalars: Iterable[Kind]) -> None:
        """Check the kernel against the contract of docs/kernels.md. Raises VerifyError."""
        from xdsl.utils.exceptions import VerifyException

        from fuseir.dialects.kernel import verify_kernel
        from fuseir.lang.types import kernel_type

        privileges = [(argument.privilege, argument.operator) for argument in self.arguments]
        try:
            verify_kernel(function, privileges, [kernel_type(kind.dtype) for kind in scalars])
        except VerifyException as error:
            message = f"the kernel of task `{self.name}` breaks the rules: {error}"
            raise VerifyError(message, location=self.location) from error


class TextTask(TaskDefinition):
    """A task written in the task language."""

    def _build(self, symbol_name: str, tiles: Mapping[str, TileType], scalars: Mapping[str, Kind]) -> FuncOp:
        from fuseir.lang.kernels import build_kernel

        return build_kernel(symbol_name, self.syntax, tiles, scalars)
