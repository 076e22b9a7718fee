"""Random NumPy programs as text: the same lines run with NumPy and with fuseir.numpy.

A program is made along NumPy's run of it, so that each line fits the shapes it meets. Only operations with exact results are used, so that
everything can be compared bit for bit.

    python tests/differential/numpy_programs.py 10000        # so many of them, and where they begin
"""

from __future__ import annotations

import random
import sys
import warnings
from typing import Any

import numpy as np

EXACT = ("+", "-", "*")
FUNCTIONS = ("np.minimum", "np.maximum", "np.add", "np.multiply", "np.subtract", "np.equal", "np.less")
UNARY = ("np.negative", "np.absolute", "np.square", "np.sign", "np.positive")
DTYPES = ("float64", "float32", "int64", "int32", "int16", "int8", "uint64", "uint32", "uint16", "uint8", "bool")
COMPARISONS = ("<", "<=", "==", "!=")
AXES = ("None", "0", "1", "-1", "(0, 1)")
ONE_ARRAY = (
    "np.sort({x}, axis={axis})",
    "np.argsort({x}, axis={axis}, kind='stable')",
    "np.cumsum({x}, axis={axis})",
    "np.cumprod({x}, axis={axis})",
    "np.argmax({x}, axis={axis})",
    "np.argmin({x}, axis={axis})",
    "np.flip({x}, axis={axis})",
    "np.repeat({x}, {count}, axis={axis})",
    "np.tile({x}, {count})",
    "np.pad({x}, {count})",
    "np.pad({x}, ({count}, 1), 'edge')",
    "np.pad({x}, 1, 'reflect')",
    "np.take({x}, [0, -1, 1], axis={axis})",
    "np.diff({x}, axis={last})",
    "np.diff({x}, axis={last}, prepend=1)",
    "np.tril({x}, {shift})",
    "np.triu({x}, {shift})",
    "np.rot90({x}, {shift})",
    "np.count_nonzero({x}, axis={axis})",
    "np.ptp({x}, axis={axis})",
    "np.nansum({x}, axis={axis})",
    "np.nanmax({x}, axis={axis})",
    "np.nan_to_num({x})",
    "np.round({x})",
    "np.unique({x})",
    "np.diagonal({x}, {shift}).copy()",
    "np.trace({x})",
    "np.swapaxes({x}, 0, {last})",
    "np.expand_dims({x}, {last})",
    "np.squeeze({x})",
    "np.append({x}, {scalar})",
    "np.array_split({x}, 2)[{count} % 2]",
    "np.delete({x}, 0, axis={last})",
    "np.clip({x}, 0, 3)",
    "np.zeros_like({x})",
    "np.full_like({x}, 2)",
    "np.broadcast_to({x}, (2, *{x}.shape)).copy()",
    "np.vander({x}, 2)",
)
TWO_ARRAYS = (
    "np.stack([{x}, {y}], axis={last})",
    "np.vstack([{x}, {y}])",
    "np.hstack([{x}, {y}])",
    "np.column_stack([{x}, {y}])",
    "np.append({x}, {y})",
    "np.searchsorted(np.sort({x}, axis=None), {y})",
    "np.kron({x}, {y})",
    "np.isin({x}, {y})",
    "np.divmod({x}, {y})[{count} % 2]",
    "np.select([{x} > 1, {x} > 0], [{x}, {y}], 3)",
    "np.outer({x}, {y})",
    "np.meshgrid({x}, {y})[{count} % 2]",
    "np.einsum('i,i->i', {x}, {y})",
    "np.where({x} > {y}, {x}, {y})",
    "np.maximum({x}, {y}, where={x} > 0, out=np.zeros_like({x}))",
    "np.add.outer({x}, {y})",
    "np.fmax({x}, {y})",
    "np.floor_divide({x}, {y})",
    "np.remainder({x}, {y})",
    "np.copysign({x}, {y})",
    "np.array_equal({x}, {y}) + {x}",
)


class Writer:
    """Writes a program of some lines, and runs it with NumPy while it does."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.names: dict[str, Any] = {"np": np}
        self.lines: list[str] = []
        self.count = 0

    def program(self, length: int) -> str:
        for _ in range(self.rng.randint(1, 3)):
            self._new(self._fresh_array())
        while len(self.lines) < length:
            self.rng.choice(self.STATEMENTS)(self)
        return "\n".join(self.lines)

    # What programs are made of

    def _arrays(self) -> list[str]:
        return [name for name, value in self.names.items() if isinstance(value, np.ndarray)]

    def _any(self) -> str:
        return self.rng.choice(self._arrays())

    def _run(self, line: str) -> None:
        """Adds a line if NumPy takes it, and nothing gets out of hand."""
        saved = dict(self.names)
        try:
            with np.errstate(all="ignore"):
                exec(line, self.names)
        except (ValueError, TypeError, IndexError, OverflowError, np.exceptions.AxisError):
            self.names = saved
            return
        self.lines.append(line)

    def _new(self, expression: str) -> None:
        if len(self._arrays()) >= 6:
            name = self._any()
        else:
            self.count += 1
            name = f"a{self.count}"
        before = self.names.get(name)
        self._run(f"{name} = {expression}")
        value = self.names.get(name)
        if isinstance(value, np.ndarray) and value.size > 5000:
            self.lines.pop()
            del self.names[name]
            if before is not None:
                self.names[name] = before
        elif isinstance(value, np.ndarray) and not value.flags.c_contiguous and not self._is_view(value):
            # Ours are C-contiguous, whatever their operands: that there are views of theirs which NumPy does not make is no difference.
            self._run(f"{name} = {name}.copy()")

    def _is_view(self, value: Any) -> bool:
        """Whether an array shows elements of another one."""
        others = [self.names[each] for each in self._arrays() if self.names[each] is not value]
        return any(np.may_share_memory(value, each) for each in others)

    def _fresh_array(self) -> str:
        rank = self.rng.choice((0, 1, 1, 2, 2, 3))
        shape = tuple(self.rng.choice((0, 1, 2, 3, 4, 7)) for _ in range(rank))
        size = int(np.prod(shape))
        low = 0 if self.rng.random() < 0.5 else -3
        values = [self.rng.randint(low, 5) for _ in range(size)]
        dtype = self.rng.choice(DTYPES)
        if dtype.startswith(("uint", "bool")):
            values = [abs(value) for value in values]
        return f"np.array({values}, dtype=np.{dtype + '_' if dtype == 'bool' else dtype}).reshape({shape})"

    def _scalar(self) -> str:
        return self.rng.choice(("1", "2", "-1", "3.0", "0.5", "True", "np.float32(2)", "np.int16(3)", "0"))

    def _index(self, shape: tuple[int, ...]) -> str:
        entries: list[str] = []
        for extent in shape[: self.rng.randint(0, len(shape))]:
            choice = self.rng.random()
            if choice < 0.2 and extent:
                entries.append(str(self.rng.randint(-extent, extent - 1)))
            elif choice < 0.9:
                bounds = [self.rng.choice(("", "", "1", "-1", "2", "-2")) for _ in range(2)]
                entries.append(f"{bounds[0]}:{bounds[1]}:{self.rng.choice(('', '', '2', '-1', '-2'))}")
            else:
                entries.append("None")
        if self.rng.random() < 0.2:
            entries.append("...")
        return ", ".join(entries) if entries else "..."

    def _expression(self) -> str:
        x, y = self._any(), self._any()
        kind = self.rng.randrange(26)
        if kind < 4:
            return f"{x} {self.rng.choice(EXACT)} {y}"
        if kind < 6:
            return f"{x} {self.rng.choice(EXACT)} {self._scalar()}"
        if kind == 6:
            return f"{self._scalar()} {self.rng.choice(EXACT)} {x}"
        if kind == 7:
            return f"{self.rng.choice(FUNCTIONS)}({x}, {y})"
        if kind == 8:
            return f"{self.rng.choice(UNARY)}({x})"
        if kind == 9:
            return f"np.where({x} > {y}, {x}, {self.rng.choice((y, self._scalar()))})"
        if kind == 10:
            return f"{x}.{self.rng.choice(('copy()', 'T', 'ravel()', 'flatten()'))}"
        if kind == 11:
            return f"np.concatenate([{x}, {y}], axis={self.rng.choice((0, 1, None))})"
        if kind == 12:
            return f"np.roll({x}, {self.rng.randint(-3, 3)}, axis={self.rng.choice((0, 1, None))})"
        if kind == 13:
            return f"{x}.reshape({self.rng.choice(('-1', '(2, -1)', '(-1, 3)', '(1, -1)', '(-1, 1, 2)'))})"
        if kind == 14:
            axis = self.rng.choice(AXES)
            function = self.rng.choice(("sum", "max", "min", "any", "all", "prod"))
            more = self.rng.choice(("", "", "", f", where={x} > 1", f", where={x} > 1, initial=1", ", initial=2"))
            return f"np.{function}({x}, axis={axis}, keepdims={self.rng.random() < 0.3}{more})"
        if kind == 15:
            return f"{x}.astype(np.{self.rng.choice(('float64', 'float32', 'bool_'))})"
        if kind in (18, 19, 20, 21):
            return self._filled(self.rng.choice(ONE_ARRAY), x, y)
        if kind in (22, 23):
            return self._filled(self.rng.choice(TWO_ARRAYS), x, y)
        if kind == 24:
            places = self.rng.choice(("[0, -1]", "[1, 0, 1]", f"np.argsort({x}, axis=None, kind='stable') % 2"))
            return self.rng.choice((f"{x}[{places}]", f"{x}[..., {places}]", f"{x}[:, {places}]"))
        if kind == 25:
            return f"{x} {self.rng.choice(COMPARISONS)} {y}"
        if kind == 16:
            return f"{x}[{x} > {self.rng.randint(-1, 3)}]"
        return f"{x}[{self._index(self.names[x].shape)}]"

    def _filled(self, form: str, x: str, y: str) -> str:
        rng = self.rng
        return form.format(
            x=x,
            y=y,
            axis=rng.choice(AXES[:4]),
            last=rng.choice(AXES[1:4]),
            count=rng.randint(0, 3),
            shift=rng.randint(-2, 2),
            scalar=self._scalar(),
        )

    def _assign_new(self) -> None:
        self._new(self._expression())

    def _view(self) -> None:
        x = self._any()
        self._new(f"{x}[{self._index(self.names[x].shape)}]")

    def _in_place(self) -> None:
        x = self._any()
        self._run(f"{x} {self.rng.choice(EXACT)}= {self.rng.choice((self._any(), self._scalar()))}")

    def _set(self) -> None:
        x, y = self._any(), self._any()
        if self.names[x].dtype.kind in "iub" and self.names[y].dtype.kind == "f":
            return  # what a float beyond an integer's range becomes is not defined
        target = f"{x}[{self._index(self.names[x].shape)}]"
        choice = self.rng.random()
        if choice < 0.5:
            self._run(f"{target} = {self.rng.choice((y, '1', '2', 'True'))}")
        elif choice < 0.8:
            self._run(f"{target} {self.rng.choice(EXACT)}= {y}")
        elif choice < 0.9:
            self._run(f"{x}[{x} > {self.rng.randint(-1, 3)}] = {self.rng.choice(('0', '1', '2'))}")
        else:
            change = self.rng.choice(
                (
                    f"{x}[[0, -1]] = {self.rng.choice((y, '1'))}",
                    f"{x}[..., [1, 0]] = 2",
                    f"{x}.sort()",
                    f"{x}.fill(3)",
                    f"np.put({x}, [0, 2], [1, 2])",
                    f"np.copyto({x}, {y}, where={x} > 1)",
                    f"np.add.at({x}, [0, 0], 1)",
                    f"np.fill_diagonal({x}, 5)",
                )
            )
            self._run(change)

    def _shift(self) -> None:
        """Assignments from one part of an array to another: NumPy copies first."""
        x = self._any()
        pairs = (("1:", ":-1"), (":-1", "1:"), ("::-1", ":"), (":", "::-1"), ("1:", "0:1"))
        target, source = self.rng.choice(pairs)
        self._run(f"{x}[{target}] {self.rng.choice(('', '', '+', '*'))}= {x}[{source}]")

    def _out(self) -> None:
        x, y, z = self._any(), self._any(), self._any()
        if self.names[z].dtype.kind == "f" or self.names[x].dtype.kind != "f":
            call = self.rng.choice(
                (
                    f"{self.rng.choice(FUNCTIONS[:5])}({x}, {y}, out={z})",
                    f"{self.rng.choice(FUNCTIONS[:5])}({x}, {y}, out={z}, where={x} > 0)",
                    f"np.{self.rng.choice(('sum', 'max', 'min'))}({x}, axis={self.rng.choice(AXES)}, out={z})",
                    f"np.clip({x}, 0, 2, out={z})",
                    f"np.square({x}, out={z})",
                )
            )
            self._run(call)

    STATEMENTS = (_assign_new, _assign_new, _assign_new, _view, _in_place, _set, _set, _shift, _out)


def run(program: str, module: Any) -> dict[str, Any]:
    """The variables of a program after it ran with a module as ``np``, as NumPy arrays."""
    names: dict[str, Any] = {"np": module}
    with np.errstate(all="ignore"):
        exec(program, names)
    return {name: np.asarray(value) for name, value in names.items() if name.startswith("a")}


def difference(program: str, module: Any) -> str | None:
    """The first variable in which a module and NumPy differ; None if there is none."""
    expected = run(program, np)
    found = run(program, module)
    for name, want in expected.items():
        got = found[name]
        if got.dtype != want.dtype or got.shape != want.shape:
            return f"{name}: {got.dtype}{got.shape} instead of {want.dtype}{want.shape}"
        if not np.array_equal(got, want, equal_nan=want.dtype.kind == "f"):
            return f"{name}: {got!r} instead of {want!r}"
    return None


def main(count: int = 1000, first: int = 0) -> int:
    """Compares programs, prints those that differ, and returns 1 if there are any."""
    import fuseir.numpy as fnp

    warnings.simplefilter("ignore")
    wrong = 0
    for seed in range(first, first + count):
        program = Writer(random.Random(seed)).program(12)
        try:
            found = difference(program, fnp)
        except Exception as error:
            found = f"{type(error).__name__}: {error}"
        if found is not None:
            wrong += 1
            print(f"program {seed}: {found}\n{program}\n")
    print(f"{wrong} of {count} programs differ")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
