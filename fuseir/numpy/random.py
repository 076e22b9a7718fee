"""``numpy.random``: NumPy's generators, whose draws are tasks in the stream.

The numbers are NumPy's, bit for bit. Draws of one generator come in the order of the calls: each changes a store of rank 0, which holds the
generator's number. What is no array (a single number, say) is drawn at once, behind everything that the generator still has to draw.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import update_wrapper
from itertools import count
from typing import Any

import numpy as np

from fuseir.dtypes import ELEMENT_NAMES
from fuseir.numpy.array import ndarray, normalized_axes
from fuseir.numpy.elementwise import as_array, launch, new_array
from fuseir.numpy.fallback import Namespace, through_numpy
from fuseir.numpy.opaque import Call, filled
from fuseir.runtime.session import Session
from fuseir.runtime.signatures import checked_shape
from fuseir.runtime.tasks import Task, opaque_task

_SIZED = {
    0: "random standard_cauchy standard_exponential standard_normal",
    1: "chisquare exponential geometric logseries pareto poisson power rayleigh standard_gamma standard_t weibull zipf",
    2: """
        beta binomial f gamma gumbel integers laplace logistic lognormal negative_binomial noncentral_chisquare normal uniform vonmises
        wald
    """,
    3: "hypergeometric noncentral_f triangular",
}
_PLACES = {name: place for place, names in _SIZED.items() for name in names.split()}
"""The methods whose results have the shape ``size``, and which positional argument that is."""

_TASKS: dict[Any, Task] = {}
_DRAWING: dict[int, np.random.Generator] = {}
"""Generators by number, those that drew last behind the others: tasks that wait find theirs here."""
_numbers = count()
_MOST = 4096


class Generator:
    """A ``numpy.random.Generator`` whose methods take our arrays and return them. Made of one, or of a bit generator."""

    def __init__(self, bit_generator: Any) -> None:
        is_one = isinstance(bit_generator, np.random.Generator)
        self._generator = bit_generator if is_one else np.random.Generator(bit_generator)
        self._number = next(_numbers)
        self._state: ndarray | None = None

    def __repr__(self) -> str:
        return repr(self._generator)

    def __reduce__(self) -> Any:
        self._settle()
        return Generator, (self._generator,)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        found = getattr(self._generator, name)
        if not callable(found):
            self._settle()  # the state, as it is after all draws
            return found

        def call(*args: Any, **keywords: Any) -> Any:
            return self._call(name, args, keywords)

        # Not kept: it would keep the generator alive, and its state with it, until garbage is collected.
        return update_wrapper(call, found)

    def spawn(self, n_children: int) -> list[Generator]:
        """Generators that are independent of this one and of each other."""
        self._settle()
        return [Generator(each) for each in self._generator.spawn(n_children)]

    def shuffle(self, x: Any, axis: int = 0) -> None:
        """Reorders an array along an axis, in place."""
        if not isinstance(x, ndarray) or not x.ndim:
            self._at_once("shuffle", (x, axis), {})
            return
        normalized_axes(axis, x.ndim)

        def draw(generator: np.random.Generator, target: np.ndarray[Any, Any]) -> None:
            generator.shuffle(target, axis)

        launch(_task(("shuffle", axis), ["read_write"], draw), self._drawn_in(x.session), x)

    def permutation(self, x: Any, axis: int = 0) -> Any:
        """A shuffled copy of an array, or the shuffled integers below a number."""
        source = as_array(np.arange(x) if isinstance(x, int | np.integer) else x)
        if not source.ndim:
            return self._at_once("permutation", (x, axis), {})
        normalized_axes(axis, source.ndim)

        def draw(generator: np.random.Generator, read: np.ndarray[Any, Any], target: np.ndarray[Any, Any]) -> None:
            target[...] = generator.permutation(read, axis)

        result = new_array(source.shape, source.dtype)
        launch(_task(("permutation", axis), ["read", "write"], draw), self._drawn_in(result.session), source, result)
        return result

    def _call(self, name: str, args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        place = _PLACES.get(name)
        size = keywords.get("size", args[place] if place is not None and place < len(args) else None)
        call = Call(args, keywords)
        if (
            place is None
            or size is None
            or isinstance(size, ndarray)
            or call.key is None
            or keywords.get("out") is not None
        ):
            return self._at_once(name, args, keywords)
        shape = checked_shape(size)
        found = _sample(name, place, args, keywords)
        if found.dtype not in ELEMENT_NAMES:
            return self._at_once(name, args, keywords)
        operands = [each.shape for each in call.arrays]
        if np.broadcast_shapes(shape, *operands) != shape:
            raise ValueError(f"Output size {shape} is not compatible with broadcast dimensions of inputs {operands}.")
        result = new_array(shape, found.dtype)
        floats, templates = len(call.floats), (call.args, call.keywords)

        def draw(generator: np.random.Generator, *given: Any) -> None:
            numbers, arrays = [float(each) for each in given[:floats]], given[floats:-1]
            args, named = [filled(each, arrays, numbers) for each in templates]
            given[-1][...] = getattr(generator, name)(*args, **named)

        privileges = [*[None] * floats, *["read"] * len(call.arrays), "write"]
        task = _task((name, call.key), privileges, draw)
        launch(task, self._drawn_in(result.session), *call.floats, *call.arrays, result)
        return result

    def _drawn_in(self, session: Session) -> ndarray:
        """The store that orders the draws in a session. What another session has to draw is drawn first."""
        if self._state is None or self._state.session is not session:
            self._settle()
            self._state = session.wrap(np.array(self._number), ndarray)
        # No window is so long that a draw of the oldest could still wait.
        _DRAWING.pop(self._number, None)
        _DRAWING[self._number] = self._generator
        if len(_DRAWING) > max(_MOST, 2 * session.options.max_window):
            del _DRAWING[next(iter(_DRAWING))]
        return self._state

    def _settle(self) -> None:
        """Draws what is still to be drawn."""
        if self._state is not None:
            self._state.numpy()

    def _at_once(self, name: str, args: Sequence[Any], keywords: Mapping[str, Any]) -> Any:
        self._settle()
        return through_numpy(getattr(self._generator, name), args, keywords)


def _task(key: Any, privileges: Sequence[str | None], draw: Callable[..., None]) -> Task:
    """The task of draws of one kind. Its first argument holds the number of the generator."""
    key = key, len(privileges)
    task = _TASKS.get(key)
    if task is None:
        if len(_TASKS) >= _MOST:
            _TASKS.clear()

        def run(number: np.ndarray[Any, Any], *arguments: Any) -> None:
            draw(_DRAWING[int(number)], *arguments)

        task = _TASKS[key] = opaque_task(run, ["read_write", *privileges], f"random_{key[0][0]}")
    return task


_sampled = np.random.Generator(np.random.PCG64(0))


def _sample(name: str, place: int, args: Sequence[Any], keywords: Mapping[str, Any]) -> Any:
    """An array of the type that a draw with these arguments has. Raises what that raises; for arrays, what any would raise."""
    length = 0 if any(isinstance(each, ndarray | np.ndarray) for each in (*args, *keywords.values())) else 1
    plain = [np.ones(0, each.dtype) if isinstance(each, ndarray | np.ndarray) else each for each in args]
    named = {
        name: np.ones(0, each.dtype) if isinstance(each, ndarray | np.ndarray) else each
        for name, each in keywords.items()
    }
    if place < len(plain):
        plain[place] = length
    else:
        named["size"] = length
    return getattr(_sampled, name)(*plain, **named)


def default_rng(seed: Any = None) -> Generator:
    """NumPy's default generator: the same numbers for the same seed."""
    if isinstance(seed, Generator):
        return seed
    return Generator(np.random.default_rng(seed.numpy() if isinstance(seed, ndarray) else seed))


random = Namespace(np.random, {"default_rng": default_rng, "Generator": Generator})
"""The module as a program sees it."""
