"""Black–Scholes, launched one element-wise task at a time: about 60 tasks that become one loop.

Prices European calls and puts. Every operation is a separate task on whole arrays, the way an array library would issue them; nothing
here knows about fusion. The normal distribution's CDF is our own (Abramowitz and Stegun 26.2.17), as in the classic benchmark.

    python examples/black_scholes_tasks.py                  # 8 million options
    python examples/black_scholes_tasks.py --options 100000
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import fuseir

RATE, VOLATILITY = 0.02, 0.30

add = fuseir.task("task add(x: read, y: read, z: write) { z = x + y }")
add_scalar = fuseir.task("task add_scalar(x: read, a: scalar, z: write) { z = x + a }")
sub = fuseir.task("task sub(x: read, y: read, z: write) { z = x - y }")
sub_from_scalar = fuseir.task("task sub_from_scalar(a: scalar, x: read, z: write) { z = a - x }")
mul = fuseir.task("task mul(x: read, y: read, z: write) { z = x * y }")
mul_scalar = fuseir.task("task mul_scalar(x: read, a: scalar, z: write) { z = x * a }")
div = fuseir.task("task div(x: read, y: read, z: write) { z = x / y }")
exp = fuseir.task("task exp(x: read, z: write) { z = exp(x) }")
log = fuseir.task("task log(x: read, z: write) { z = log(x) }")
sqrt = fuseir.task("task sqrt(x: read, z: write) { z = sqrt(x) }")
absolute = fuseir.task("task absolute(x: read, z: write) { z = abs(x) }")
reciprocal = fuseir.task("task reciprocal(x: read, z: write) { z = 1.0 / x }")
negative = fuseir.task("task negative(x: read, z: write) { z = -x }")
is_positive = fuseir.task("task is_positive(x: read, z: write) { z = x > 0.0 }")
choose = fuseir.task("task choose(c: read, x: read, y: read, z: write) { z = select(c, x, y) }")


class FuseirArrays:
    """Array operations that launch one task each; what a client library looks like from the inside."""

    def _launch(self, task, *operands, dtype=np.float64):
        shape = next(x.shape for x in operands if isinstance(x, fuseir.Store))
        result = fuseir.store(shape, dtype)
        fuseir.launch(task, *operands, result)
        return result

    def add(self, x, y):
        return self._launch(add, x, y) if isinstance(y, fuseir.Store) else self._launch(add_scalar, x, y)

    def subtract(self, x, y):
        return self._launch(sub, x, y) if isinstance(x, fuseir.Store) else self._launch(sub_from_scalar, x, y)

    def multiply(self, x, y):
        return self._launch(mul, x, y) if isinstance(y, fuseir.Store) else self._launch(mul_scalar, x, y)

    def divide(self, x, y):
        return self._launch(div, x, y)

    def reciprocal(self, x):
        return self._launch(reciprocal, x)

    def exp(self, x):
        return self._launch(exp, x)

    def log(self, x):
        return self._launch(log, x)

    def sqrt(self, x):
        return self._launch(sqrt, x)

    def absolute(self, x):
        return self._launch(absolute, x)

    def negative(self, x):
        return self._launch(negative, x)

    def is_positive(self, x):
        return self._launch(is_positive, x, dtype=np.bool_)

    def where(self, c, x, y):
        return self._launch(choose, c, x, y)


class NumpyArrays(FuseirArrays):
    """The same operations through NumPy."""

    add, subtract, multiply, divide = map(staticmethod, (np.add, np.subtract, np.multiply, np.divide))
    exp, log, sqrt, absolute, negative = map(staticmethod, (np.exp, np.log, np.sqrt, np.absolute, np.negative))
    where = staticmethod(np.where)

    def reciprocal(self, x):
        return 1.0 / x

    def is_positive(self, x):
        return x > 0.0


def normal_cdf(ops, d):
    """The standard normal CDF, to about 7.5e-8."""
    k = ops.reciprocal(ops.add(ops.multiply(ops.absolute(d), 0.2316419), 1.0))
    polynomial = ops.multiply(k, 1.330274429)
    for coefficient in (-1.821255978, 1.781477937, -0.356563782, 0.319381530):
        polynomial = ops.multiply(ops.add(polynomial, coefficient), k)
    density = ops.multiply(ops.exp(ops.multiply(ops.multiply(d, d), -0.5)), 0.3989422804014327)
    tail = ops.multiply(density, polynomial)
    return ops.where(ops.is_positive(d), ops.subtract(1.0, tail), tail)


def black_scholes(ops, price, strike, years):
    """Call and put prices."""
    deviation = ops.multiply(ops.sqrt(years), VOLATILITY)
    drift = ops.multiply(years, RATE + 0.5 * VOLATILITY * VOLATILITY)
    d1 = ops.divide(ops.add(ops.log(ops.divide(price, strike)), drift), deviation)
    d2 = ops.subtract(d1, deviation)
    cdf1, cdf2 = normal_cdf(ops, d1), normal_cdf(ops, d2)
    discounted = ops.multiply(strike, ops.exp(ops.multiply(years, -RATE)))
    call = ops.subtract(ops.multiply(price, cdf1), ops.multiply(discounted, cdf2))
    put = ops.subtract(
        ops.multiply(discounted, ops.subtract(1.0, cdf2)),
        ops.multiply(price, ops.subtract(1.0, cdf1)),
    )
    return call, put


def write_options(path, count):
    """Writes ``count`` options as a 3 × count array: price, strike, years."""
    random = np.random.default_rng(7)
    np.save(path, np.stack([random.uniform(low, high, count) for low, high in ((5, 30), (1, 100), (0.25, 10))]))


def run_numpy(options):
    with np.errstate(all="ignore"):
        return black_scholes(NumpyArrays(), *options)


def run_fuseir(session, options, folder=None):
    """One run in a session: the results, and the seconds from the first launch to the last value ready."""
    with session:
        price, strike, years = (
            fuseir.from_numpy(row, name=name) for row, name in zip(options, ("price", "strike", "years"))
        )
        start = time.perf_counter()
        call, put = black_scholes(FuseirArrays(), price, strike, years)
        fuseir.flush()
        seconds = time.perf_counter() - start
        return call.numpy(), put.numpy(), seconds


def run_one(session, task, values):
    """One element-wise task on its own."""
    with session:
        result = fuseir.store(values.shape)
        fuseir.launch(task, fuseir.from_numpy(values), result)
        return result.numpy()


def ulps(a, b):
    """The largest distance in units in the last place."""
    return np.max(np.abs(a - b) / np.spacing(np.maximum(np.abs(a), np.abs(b))))


def best_of(repeats, function):
    """The least seconds of several runs."""
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def shorten(text, lines=14):
    rows = [row if len(row) < 160 else row[:157] + "..." for row in text.splitlines()]
    if len(rows) > 2 * lines:
        rows = [*rows[:lines], f"  ... {len(rows) - 2 * lines} more lines ...", *rows[-lines:]]
    return "\n".join(rows)


def same_bits(a, b):
    return all(np.array_equal(x.view(np.int64), y.view(np.int64)) for x, y in zip(a, b))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--options", type=int, default=8_000_000, help="how many options to price")
    parser.add_argument("--repeats", type=int, default=3, help="timed runs of each variant; the best counts")
    parser.add_argument("--threads", type=int, help="worker threads (default: one a processor)")
    arguments = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        write_options(folder / "options.npy", arguments.options)
        options = np.load(folder / "options.npy")
        print(f"{arguments.options} options from {folder / 'options.npy'}\n")

        # The window and the fused module, as the compiler sees them.
        dumping = fuseir.Session(threads=arguments.threads, dump_ir=str(folder / "ir"))
        run_fuseir(dumping, options)
        dumps = {path.name.split("_", 1)[1]: path for path in sorted((folder / "ir" / "window_0000").iterdir())}
        print("The captured window:\n" + shorten(launches_of(dumps["captured.mlir"].read_text())))
        fused_module = dumps["fuse-kernels.mlir"].read_text().splitlines()
        print(
            "\nAfter fusion and kernel fusion:\n"
            + shorten("\n".join(line for line in fused_module if "dist.scalar" not in line))
        )

        fused = fuseir.Session(threads=arguments.threads)
        unfused = fuseir.Session(threads=arguments.threads, fuse=False)
        fused_results = run_fuseir(fused, options)[:2]
        unfused_results = run_fuseir(unfused, options)[:2]
        numpy_results = run_numpy(options)
        statistics = fused.statistics
        print(f"\ntasks                {statistics.tasks} -> {statistics.launches}")
        print(
            f"temporaries removed  {statistics.temporaries}, {statistics.temporary_bytes / 1e6:.0f} MB never allocated"
        )
        equal = same_bits(fused_results, unfused_results)
        print(f"fused = unfused      {'same bits' if equal else 'DIFFERENT'}")
        difference = max(np.max(np.abs(a - b)) for a, b in zip(fused_results, numpy_results))
        print(
            f"largest difference   {difference:.3g} from NumPy, {difference / np.spacing(100.0):.1f} ulp of a price of 100"
        )

        for name, task, function in (("log", log, np.log), ("exp", exp, np.exp), ("sqrt", sqrt, np.sqrt)):
            ours = run_one(fused, task, options[1])
            reference = run_one(fuseir.Session(target="reference"), task, options[1])
            print(
                f"{name:20} {ulps(ours, function(options[1])):.0f} ulp from NumPy, {ulps(ours, reference):.0f} from the reference"
            )

        # The same program as text.
        (folder / "black_scholes.mlir").write_text(dumps["captured.mlir"].read_text())
        for row, name in zip(options, ("price", "strike", "years")):
            np.save(folder / f"{name}.npy", row)
        names = output_names(dumps["captured.mlir"].read_text())
        command = [sys.executable, "-m", "fuseir.tools.run", str(folder / "black_scholes.mlir"), "--backend", "cpu"]
        command += [f"--in={name}={folder / name}.npy" for name in ("price", "strike", "years")]
        command += [f"--out={name}={folder / 'out'}_{name}.npy" for name in names]
        subprocess.run(command, check=True)
        from_file = [np.load(f"{folder / 'out'}_{name}.npy") for name in names]
        print(
            f"fuseir-run           {'same bits' if same_bits(fused_results, from_file) else 'DIFFERENT'} from the .mlir file"
        )

        numpy_seconds = best_of(arguments.repeats, lambda: run_numpy(options))
        unfused_seconds = min(run_fuseir(unfused, options)[2] for _ in range(arguments.repeats))
        fused_seconds = min(run_fuseir(fused, options)[2] for _ in range(arguments.repeats))
        print(f"\nNumPy    {numpy_seconds * 1e3:8.1f} ms")
        print(f"unfused  {unfused_seconds * 1e3:8.1f} ms   {numpy_seconds / unfused_seconds:5.1f}x")
        print(f"fused    {fused_seconds * 1e3:8.1f} ms   {numpy_seconds / fused_seconds:5.1f}x")
        return 0 if equal and same_bits(fused_results, from_file) else 1


def launches_of(text):
    """The distributed part of a module: everything but the kernels."""
    return "\n".join(line for line in text.splitlines() if line.lstrip().startswith(("dist.", "%")) and "dist." in line)


def output_names(text):
    """Stores that the program names and does not read: call and put, in order."""
    names = [line.split('"')[1] for line in text.splitlines() if 'dist.store "' in line]
    return [name for name in names if name not in ("price", "strike", "years")]


if __name__ == "__main__":
    sys.exit(main())
