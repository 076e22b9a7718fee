"""Kernels that were composed, fused, lowered and compiled before, by their recipes: another size of a window needs no new ones.

What ``compose-kernels`` to ``lower-kernels`` make of a recipe depends on it and on the members' kernels alone (see ``Recipe``): not on
stores, shapes, partitions, or the rest of the module. So it is remembered from module to module, and ``compose-kernels`` launches
what is remembered by a symbol without a function. Only the executor that remembers knows what those symbols mean; modules that people
see are made without.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from xdsl.dialects.func import FuncOp

from fuseir.passes.analysis.composition import Recipe

_MOST = 4096


@dataclass(frozen=True)
class KnownKernel:
    """What became of a recipe: the kernel\'s digest, and what it takes of the recipe.

    ``parameters`` and ``scalars`` are those it is launched with; ``dropped`` parameters turned out unused when its loop nests were fused.
    ``dependences`` are, for each argument that it returns, the arguments it depends on.
    """

    digest: str
    parameters: tuple[int, ...]
    dropped: tuple[int, ...]
    scalars: tuple[int, ...]
    dependences: tuple[frozenset[int], ...]


class Composed(NamedTuple):
    """What ``compose-kernels`` made of a recipe."""

    recipe: Recipe
    parameters: tuple[int, ...]
    scalars: tuple[int, ...]


class KnownKernels:
    """What is remembered, of one pipeline. Safe in threads: at worst something is made twice."""

    def __init__(self) -> None:
        self._known: dict[Recipe, KnownKernel] = {}

    def get(self, recipe: Recipe) -> KnownKernel | None:
        """What became of a recipe whose tasks are digests."""
        return self._known.get(recipe)

    def keep(self, recipe: Recipe, kernel: KnownKernel) -> None:
        """Remember what became of a recipe whose tasks are digests."""
        if len(self._known) >= _MOST:
            self._known.clear()
        self._known[recipe] = kernel


class KernelMemory:
    """The same for one module, whose functions have these ``digests``: what is found, and what is made anew, by symbol.

    ``splits`` says that ``split-launches`` is to come, which looks at kernels.
    """

    def __init__(self, known: KnownKernels, digests: Mapping[str, str], *, splits: bool = False) -> None:
        self._known = known
        self.splits = splits
        self._digests = dict(digests)
        self.found: dict[str, KnownKernel] = {}
        self.made: dict[str, Composed] = {}

    def find(self, recipe: Recipe, functions: Mapping[str, FuncOp]) -> tuple[str, KnownKernel] | None:
        """What became of a recipe, if it is known, and the symbol that it has in this module."""
        known = self._known.get(self._everywhere(recipe, functions))
        if known is None:
            return None
        symbol = f"known_{len(self.found)}"
        while symbol in functions:
            symbol += "_"
        self.found[symbol] = known
        return symbol, known

    def note(self, symbol: str, recipe: Recipe, functions: Mapping[str, FuncOp], kept: Sequence[Sequence[int]]) -> None:
        """What was made of a recipe: ``kept`` are the parameters and the scalars that it takes."""
        parameters, scalars = kept
        self.made[symbol] = Composed(self._everywhere(recipe, functions), tuple(parameters), tuple(scalars))

    def keep(self, symbol: str, digest: str, left: Sequence[int], dependences: Sequence[frozenset[int]]) -> None:
        """What became of a function that was made of a recipe: ``left`` are the numbers of its parameters that it still has."""
        made = self.made.get(symbol)
        if made is not None:
            parameters = tuple(made.parameters[k] for k in left)
            dropped = tuple(number for number in made.parameters if number not in parameters)
            self._known.keep(made.recipe, KnownKernel(digest, parameters, dropped, made.scalars, tuple(dependences)))

    def _everywhere(self, recipe: Recipe, functions: Mapping[str, FuncOp]) -> Recipe:
        """The recipe with digests for tasks, which mean the same in every module."""
        steps = tuple(step._replace(task=self._digest(step.task, functions)) for step in recipe.steps)
        return recipe._replace(steps=steps)

    def _digest(self, task: str, functions: Mapping[str, FuncOp]) -> str:
        known = self._digests.get(task)
        if known is None:
            # Of the passes' own making: its text will do.
            known = self._digests[task] = str(functions[task])
        return known
