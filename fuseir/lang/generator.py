"""Tasks whose kernels a Python function builds, operation by operation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fuseir.errors import VerifyError
from fuseir.lang.definition import TaskDefinition
from fuseir.lang.syntax import TaskSyntax

if TYPE_CHECKING:
    from xdsl.builder import Builder
    from xdsl.dialects.func import FuncOp
    from xdsl.ir import SSAValue

    from fuseir.lang.kernels import TileType
    from fuseir.lang.types import Kind


@dataclass(frozen=True, slots=True)
class KernelParameter:
    """A parameter of the kernel that a generator builds: a tile, or a scalar, whose ``rank`` is None.

    ``value`` has a signless type; ``dtype`` says whether it is signed.
    """

    name: str
    value: SSAValue
    dtype: np.dtype
    rank: int | None


Generator = Callable[["Builder", Mapping[str, KernelParameter]], "Sequence[SSAValue]"]
"""Appends operations by the builder; returns the new tiles of the written arguments, in the order of declaration."""


class GeneratedTask(TaskDefinition):
    """A signature written in the task language, and a function for the body."""

    def __init__(self, syntax: TaskSyntax, generator: Generator) -> None:
        super().__init__(syntax)
        self.generator = generator

    def _build(self, symbol_name: str, tiles: Mapping[str, TileType], scalars: Mapping[str, Kind]) -> FuncOp:
        from xdsl.builder import Builder
        from xdsl.dialects.func import ReturnOp
        from xdsl.ir import SSAValue
        from xdsl.rewriter import InsertPoint

        from fuseir.lang.kernels import empty_kernel

        written = [argument.name for argument in self.arguments if argument.privilege != "read"]
        function = empty_kernel(symbol_name, tiles, scalars, written)
        block = function.body.block
        described: list[tuple[str, np.dtype, int | None]] = [(n, t.dtype, t.rank) for n, t in tiles.items()]
        described += [(name, kind.dtype, None) for name, kind in scalars.items()]
        parameters = {
            name: KernelParameter(name, value, dtype, rank)
            for (name, dtype, rank), value in zip(described, block.args, strict=True)
        }
        returned: object = self.generator(Builder(InsertPoint.at_end(block)), parameters)
        if not isinstance(returned, list | tuple) or not all(isinstance(value, SSAValue) for value in returned):  # pyright: ignore[reportUnnecessaryIsInstance]
            message = f"the generator of `{self.name}` returns a list of SSA values, one for each written argument"
            raise VerifyError(message, location=self.location, notes=(f"it returned {returned!r}"[:200],))
        results = tuple(returned)
        if len(results) != len(written):
            message = (
                f"the generator of `{self.name}` returned {len(results)} values for {len(written)} written arguments"
            )
            raise VerifyError(message, location=self.location, notes=(f"written arguments: {', '.join(written)}",))
        for name, result in zip(written, results, strict=True):
            expected = tiles[name].tensor()
            if result.type != expected:
                message = f"the generator of `{self.name}` returned a {result.type} for `{name}`, which is a {expected}"
                raise VerifyError(message, location=self.location)
        block.add_op(ReturnOp(*results))
        return function
