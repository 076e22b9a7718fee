"""The contenders, each behind one small interface, and what they need to be there.

A contender is made for a number of threads and prepares programs; what it prepared is called again and again. Peers that are missing
raise MissingError; programs that a contender has no good way to say are None, or raise RefusedError where it is the contender that says no.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import numpy as np

from benchmarks.suite.programs import Arrays, NumpyOps, Program


class MissingError(Exception):
    """A peer is not installed, or a tool that it needs."""


class RefusedError(Exception):
    """A contender cannot run a program, for the reason given."""


class Prepared:
    """A program with its arguments, ready to be called.

    ``call`` runs it once and returns when the results are there; ``reset`` gives the state its first contents again (``fresh`` are
    arrays to copy); ``results`` are those of the last call, as NumPy arrays.
    """

    def __init__(
        self, call: Callable[[], None], reset: Callable[[Arrays], None], results: Callable[[], Arrays]
    ) -> None:
        self.call = call
        self.reset = reset
        self.results = results


class ArrayContender:
    """Runs the array programs: NumPy as it is; the others say what differs."""

    ops: Any = NumpyOps

    def __init__(self, threads: int) -> None:
        self.threads = threads

    def array(self, value: np.ndarray[Any, Any]) -> Any:
        """An array of the contender's with these contents; may keep ``value``."""
        return value

    def to_numpy(self, value: Any) -> Any:
        return value

    def compiled(self, program: Program) -> Callable[[Arrays], Arrays]:
        return lambda arguments: program.run(self.ops, arguments)

    def finish(self, results: Arrays) -> None:
        """Waits for results that are still being computed."""

    def prepare(self, program: Program, inputs: Arrays) -> Prepared | None:
        arguments = {name: self.array(value) for name, value in inputs.items()}
        results: Arrays = {}
        run = self.compiled(program)

        def call() -> None:
            for _ in range(program.steps):
                results.clear()  # nobody needs the last ones: their memory may be used again
                results.update(run(arguments))
                arguments.update((name, results[name]) for name in program.state)
            self.finish(results)

        def reset(fresh: Arrays) -> None:
            results.clear()
            arguments.update((name, self.array(fresh[name])) for name in program.state)

        return Prepared(call, reset, lambda: {name: self.to_numpy(value) for name, value in results.items()})


class NumpyContender(ArrayContender):
    """NumPy has no threads of its own here: it takes part with one."""

    def __init__(self, threads: int) -> None:
        super().__init__(threads)
        np.seterr(all="ignore")


class FuseirContender(ArrayContender):
    """FuseIR, in one session a program: the array programs through its embed API, NumPy programs through ``fuseir.numpy``.

    ``options`` are those of sessions.
    """

    options: dict[str, Any] = {}  # noqa: RUF012 (read only)

    def __init__(self, threads: int) -> None:
        super().__init__(threads)
        import fuseir
        from benchmarks.suite.fuseir_arrays import Array, FuseirOps

        self.ops = FuseirOps
        self._array = Array
        self._fuseir = fuseir
        self._example = False
        self._current = ExitStack()
        self.session = fuseir.Session(threads=threads, **self.options)

    def array(self, value: np.ndarray[Any, Any]) -> Any:
        if self._example:
            from fuseir.numpy.fallback import as_ours

            return as_ours(value)
        return self._array(self.session, self.session.from_numpy(value, copy=not value.flags.c_contiguous))

    def to_numpy(self, value: Any) -> Any:
        return value.store.numpy() if isinstance(value, self._array) else np.asarray(value)

    def finish(self, results: Arrays) -> None:
        self.session.flush()

    def prepare(self, program: Program, inputs: Arrays) -> Prepared | None:
        self._current.close()
        self.session = self._current.enter_context(self._fuseir.Session(threads=self.threads, **self.options))
        self._example = bool(program.example)
        return super().prepare(program, inputs)


class FrozenContender(FuseirContender):
    """The same, with the program as a frozen function: what it launches is captured in its first call, as JAX traces in its first."""

    def compiled(self, program: Program) -> Callable[[Arrays], Arrays]:
        if program.example:
            return self._frozen_example(program)
        session, array = self.session, self._array

        class Ops(self.ops):
            value = staticmethod(lambda x: x)  # numbers are read outside

        @self._fuseir.freeze
        def frozen(stores: dict[str, Any]) -> dict[str, Any]:
            results = program.run(Ops, {name: array(session, store) for name, store in stores.items()})
            return {name: result.store for name, result in results.items()}

        def run(arguments: Arrays) -> Arrays:
            results = frozen({name: argument.store for name, argument in arguments.items()})
            if program.name == "l2_norm":
                return {name: float(store) for name, store in results.items()}
            return {name: array(session, store) for name, store in results.items()}

        return run

    def _frozen_example(self, program: Program) -> Callable[[Arrays], Arrays]:
        @self._fuseir.freeze
        def frozen(arguments: Arrays) -> Arrays:
            return program.run(self.ops, arguments)

        def run(arguments: Arrays) -> Arrays:
            try:
                return frozen(arguments)
            except self._fuseir.errors.UsageError as error:
                raise RefusedError(str(error).splitlines()[0]) from error

        return run


class JaxContender(ArrayContender):
    """JAX on the CPU, in 64 bits: the whole program is one jitted function, its state donated.

    The worker's processors are limited to the number of threads: XLA has as many threads as it sees processors.
    """

    def __init__(self, threads: int) -> None:
        super().__init__(threads)
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
        try:
            import jax
        except ImportError as error:
            raise MissingError("jax is not installed") from error
        import jax.numpy as jnp

        jax.config.update("jax_enable_x64", True)
        jax.config.update("jax_platforms", "cpu")
        self._jax = jax

        class Ops(NumpyOps):
            exp, log, sqrt, absolute, where, sum, max = map(
                staticmethod, (jnp.exp, jnp.log, jnp.sqrt, jnp.absolute, jnp.where, jnp.sum, jnp.max)
            )
            package = "jax.numpy"

            @staticmethod
            def value(x: Any) -> Any:
                return x

            @staticmethod
            def assign(target: Any, region: Any, value: Any) -> Any:
                return target.at[region].set(value)

        self.ops = Ops

    def array(self, value: np.ndarray[Any, Any]) -> Any:
        return self._jax.numpy.array(value)  # a copy: donated memory is XLA's own

    def to_numpy(self, value: Any) -> Any:
        return np.asarray(value)

    def finish(self, results: Arrays) -> None:
        self._jax.block_until_ready(list(results.values()))

    def compiled(self, program: Program) -> Callable[[Arrays], Arrays]:
        def split(state: Arrays, others: Arrays) -> Arrays:
            return program.run(self.ops, state | others)

        jitted = self._jax.jit(split, donate_argnums=(0,))

        def run(arguments: Arrays) -> Arrays:
            state = {name: arguments[name] for name in program.state}
            results = jitted(state, {name: value for name, value in arguments.items() if name not in state})
            return {name: float(value) for name, value in results.items()} if program.name == "l2_norm" else results

        return run


class TorchContender(ArrayContender):
    """torch.compile on the CPU. It takes minutes to compile the Mandelbrot set's nested choices, so it does not take part there."""

    def __init__(self, threads: int) -> None:
        super().__init__(threads)
        try:
            import torch
        except ImportError as error:
            raise MissingError("torch is not installed") from error
        torch.set_num_threads(threads)
        self._torch = torch

        class Ops(NumpyOps):
            exp, log, sqrt, absolute = map(staticmethod, (torch.exp, torch.log, torch.sqrt, torch.abs))

            @staticmethod
            def value(x: Any) -> Any:
                return x

            @staticmethod
            def sum(x: Any, axis: int | None = None) -> Any:
                return x.sum() if axis is None else x.sum(axis)

            @staticmethod
            def max(x: Any, axis: int) -> Any:
                return x.amax(axis)

            @staticmethod
            def where(condition: Any, x: Any, y: Any) -> Any:
                if isinstance(x, float):
                    return condition.to(torch.float64) * (x - y) + y  # torch would make these numbers of 32 bits
                return torch.where(condition, x, y)

        self.ops = Ops

    def array(self, value: np.ndarray[Any, Any]) -> Any:
        return self._torch.from_numpy(np.ascontiguousarray(value)) if value.shape else self._torch.tensor(value)

    def to_numpy(self, value: Any) -> Any:
        return np.asarray(value)

    def prepare(self, program: Program, inputs: Arrays) -> Prepared | None:
        if program.example:
            return TorchExamples(self._torch, self.threads).prepare(program, inputs)
        return None if program.name == "mandelbrot" else super().prepare(program, inputs)

    def compiled(self, program: Program) -> Callable[[Arrays], Arrays]:
        self._torch.compiler.reset()
        compiled = self._torch.compile(lambda arguments: program.run(self.ops, arguments), dynamic=False)

        def run(arguments: Arrays) -> Arrays:
            with self._torch.no_grad():
                results = compiled(arguments)
            return {name: float(value) for name, value in results.items()} if program.name == "l2_norm" else results

        return run


class TorchExamples(ArrayContender):
    """NumPy programs by torch.compile, which knows NumPy's functions and takes NumPy's arrays."""

    def __init__(self, torch: Any, threads: int) -> None:
        super().__init__(threads)
        self._torch = torch

    def to_numpy(self, value: Any) -> Any:
        return np.asarray(value)

    def compiled(self, program: Program) -> Callable[[Arrays], Arrays]:
        from benchmarks.suite import examples

        self._torch.compiler.reset()
        found = examples.program(program.example, self.ops.package)
        compiled = self._torch.compile(found.step, dynamic=False, fullgraph=True)

        def run(arguments: Arrays) -> Arrays:
            try:
                return dict(zip(found.returns, compiled(**arguments), strict=True))
            except (self._torch._dynamo.exc.TorchDynamoException, self._torch._inductor.exc.InductorError) as error:
                raise RefusedError(str(error).strip().splitlines()[0]) from error

        return run


def make(name: str, threads: int) -> Any:
    """A contender by name. Raises MissingError."""
    if name == "c":
        from benchmarks.suite.c_programs import CContender

        return CContender(threads)
    if name == "numba":
        from benchmarks.suite.numba_programs import NumbaContender

        return NumbaContender(threads)
    if name == "numexpr":
        from benchmarks.suite.numexpr_programs import NumexprContender

        return NumexprContender(threads)
    arrays = {
        "fuseir": FuseirContender,
        "frozen": FrozenContender,
        "numpy": NumpyContender,
        "jax": JaxContender,
        "torch": TorchContender,
    }
    return arrays[name](threads)
