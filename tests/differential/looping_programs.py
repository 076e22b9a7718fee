"""Random NumPy programs that go around in loops: run with NumPy, and with fuseir.numpy with and without traces.

Loops are as programs have them: temporaries and rebound names, views that are written, arrays that change places, values that are looked at
now and then, shapes that alternate, arrays that grow, loops that end early, exceptions in the middle. All operations are exact.

    python tests/differential/looping_programs.py 5000 0        # so many of them, and where they begin
"""

from __future__ import annotations

import random
import sys
import warnings
from typing import Any

import numpy as np

import fuseir
from fuseir.runtime.tracing.history import Sampling
from fuseir.runtime.tracing.parameters import TracingParameters
from fuseir.runtime.tracing.tracer import Tracer

EAGER = TracingParameters(minimum_length=3, visit_threshold=1)
"""Traces as soon as can be: programs are short."""


class Writer:
    """Writes a program: arrays ``a0`` to ``a3`` of one shape, ``g`` that may grow, ``seen`` with what was looked at."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.temporaries = 0

    def program(self) -> str:
        dtype = self.rng.choice(("int64", "int32", "float64"))
        extent = self.rng.choice((1, 4, 9))
        lines = [f"a{k} = (np.arange({extent}) * {k + 1} % 7).astype(np.{dtype})" for k in range(4)]
        lines += ["g = np.zeros(1)", "seen = []"]
        for _ in range(self.rng.randint(1, 2)):
            lines += self._loop(extent)
        return "\n".join(lines)

    def _loop(self, extent: int) -> list[str]:
        body = self._body(extent)
        if self.rng.random() < 0.2:
            # The same body, now and then on fewer elements.
            body = [f"a4 = a0[:{max(extent - 1, 1)}] if i % 2 else a0", "a4 = a4 * 2 % 11", *body]
        if self.rng.random() < 0.3:
            every = self.rng.randint(2, 7)
            body += [f"if i % {every} == {self.rng.randrange(every)}:", f"    {self._look()}"]
        if self.rng.random() < 0.2:
            body += [f"if i % {self.rng.randint(3, 9)} == 0:", "    g = np.concatenate([g, g[:1] + 1])"]
        if self.rng.random() < 0.3:
            body += [f"if i % {self.rng.randint(2, 5)} == 1:", *["    " + line for line in self._body(extent)]]
        if self.rng.random() < 0.2:
            at = self.rng.randrange(len(body)) if not any(line.startswith(" ") for line in body) else 0
            body[at:at] = ["try:", "    a1 = a0.reshape(7, 11)", "except ValueError:", "    a1 = a1 + 1"]
        if self.rng.random() < 0.2:
            body += [f"if i == {self.rng.randint(5, 25)}:", "    break"]
        return [f"for i in range({self.rng.randint(8, 40)}):", *["    " + line for line in body]]

    def _look(self) -> str:
        return self.rng.choice(
            (
                "seen.append(float(a0.sum()))",
                "seen.append(int(a1.max()))",
                "print_ = str(a2)",
                "seen.append(a3.tolist())",
            )
        )

    def _body(self, extent: int) -> list[str]:
        return [line for _ in range(self.rng.randint(2, 6)) for line in self._statement(extent)]

    def _statement(self, extent: int) -> list[str]:
        x, y, z = (f"a{self.rng.randrange(4)}" for _ in range(3))
        kind = self.rng.randrange(10)
        if kind == 0:
            self.temporaries += 1
            t = f"t{self.temporaries}"
            return [f"{t} = {x} + {y}", f"{z} = ({t} * 2 - {x}) % 13"]
        if kind == 1:
            return [f"{x}, {y} = {y}, {x}"]
        if kind == 2 and extent > 1:
            return [f"{x}[1:] = {y}[:-1]"]
        if kind == 3 and extent > 1:
            return [f"{x}[1:-1] += {y}[2:]", f"{x} %= 17"]
        if kind == 4:
            return [f"{x} = np.where({y} > 3, {z}, {x} + 1) % 19"]
        if kind == 5:
            return [f"{x} = ({x} + {y}.sum()) % 23"]
        if kind == 6:
            return [f"np.minimum({x}, {y}, out={z})"]
        if kind == 7:
            return [f"{x} = {y}.copy()"]
        if kind == 8:
            return [f"{x}[{y} > 5] = 2"]
        return [f"{x} = np.maximum({x} * 3 - {y}, 0) % 29"]


def run(program: str, module: Any) -> dict[str, Any]:
    """What a program computes, as NumPy arrays and numbers."""
    names: dict[str, Any] = {"np": module}
    exec(program, names)
    found: dict[str, Any] = {name: np.asarray(names[name]) for name in ("a0", "a1", "a2", "a3", "g")}
    return found | {"seen": names["seen"], "print_": names.get("print_")}


def traced_session(**options: Any) -> fuseir.Session:
    """A session that looks for traces at once, and waits for what is found: programs are cut in the same way each time."""
    session = fuseir.Session(**options)
    session._tracer = Tracer(session._window, EAGER, Sampling(first=3), synchronous=True)
    session._window.limit = 4
    return session


def difference(program: str, session: fuseir.Session) -> str | None:
    """The first variable in which a session and NumPy differ; None if there is none."""
    import fuseir.numpy as fnp

    expected = run(program, np)
    with session:
        found = run(program, fnp)
    for name, want in expected.items():
        got = found[name]
        if isinstance(want, np.ndarray):
            if (got.dtype, got.shape) != (want.dtype, want.shape) or got.tobytes() != want.tobytes():
                return f"{name}: {got!r} instead of {want!r}"
        elif got != want:
            return f"{name}: {got!r} instead of {want!r}"
    return None


def main(count: int, first: int) -> int:
    """Compares programs, prints those that differ, and returns 1 if there are any."""
    warnings.simplefilter("ignore")
    wrong = replayed = tasks = with_replays = 0
    for seed in range(first, first + count):
        program = Writer(random.Random(seed)).program()
        for traced in (True, False):
            session = traced_session() if traced else fuseir.Session(trace=False)
            try:
                found = difference(program, session)
            except Exception as error:
                found = f"{type(error).__name__}: {error}"
            if found is not None:
                wrong += 1
                print(f"program {seed}, {'traced' if traced else 'not traced'}: {found}\n{program}\n")
            if traced:
                statistics = session.statistics
                replayed, tasks = replayed + statistics.replayed, tasks + statistics.tasks
                with_replays += statistics.replays > 0
    print(
        f"{wrong} of {2 * count} runs differ; {with_replays} programs had traces, {replayed} of {tasks} launches were replayed"
    )
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main(*[*map(int, sys.argv[1:]), 1000, 0][:2]))
