"""The command line that the NumPy programs of this folder share, and how tests and benchmarks load them.

A program is a module that says ``import numpy as np`` and has:

- ``setup(size)``: its arrays by name, with about ``size`` elements in each large one;
- ``step(...)``: one iteration; takes the arrays by name, may change them in place, returns those named in ``RETURNS``, in that order;
- ``EXACT``: whether only operations take part that every package must round alike: then results equal NumPy's bit for bit; else they are
  within 1e-12 of the largest value;
- ``CHECKED`` if not all results are compared after many iterations (a residual that has become rounding errors says nothing).

A variant such as ``--variant dense`` has functions of its own, ``setup_dense`` and ``step_dense``.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import inspect
import sys
import time
from pathlib import Path

import numpy as np

PACKAGES = ("numpy", "fuseir.numpy", "cupynumeric")
TOLERANCE = 1e-12


class Program:
    """A program of this folder, computing with one package. ``namespace`` is its module's, whose ``np`` becomes that package."""

    def __init__(self, namespace, package="numpy", variant=""):
        namespace["np"] = importlib.import_module(package)
        suffix = f"_{variant}" if variant else ""
        self.setup, self.step = namespace[f"setup{suffix}"], namespace[f"step{suffix}"]
        self.takes = tuple(inspect.signature(self.step).parameters)
        self.returns = namespace["RETURNS"]
        self.checked = namespace.get("CHECKED", self.returns)
        self.exact = namespace["EXACT"]

    def advance(self, arrays, steps):
        """The arrays after some iterations, results that are no arguments of the next one included."""
        for _ in range(steps):
            results = self.step(**{name: arrays[name] for name in self.takes})
            arrays = arrays | dict(zip(self.returns, results))
        return arrays

    def error(self, got, want):
        """The largest difference of checked results over the largest value; infinity where exact ones differ in any bit."""
        worst = 0.0
        for name in self.checked:
            a, b = np.asarray(got[name]), np.asarray(want[name])
            if a.shape != b.shape or a.dtype != b.dtype or not np.isfinite(b).all():
                return np.inf
            if self.exact:
                worst = max(worst, 0.0 if np.array_equal(a, b) else np.inf)
            else:
                worst = max(worst, float(abs(a - b).max()) / (float(abs(b).max()) or 1.0))
        return worst


def load(name, package="numpy", variant=""):
    """A program by its file's name, from a copy of its module: several packages can be at work at once."""
    path = Path(__file__).with_name(f"{name}.py")
    spec = importlib.util.spec_from_file_location(f"{name}_with_{package.replace('.', '_')}", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return Program(vars(module), package, variant)


def finish(arrays):
    """Waits until the arrays are computed: packages that defer do so no longer once an element is asked for."""
    for array in arrays.values():
        float(array[(0,) * array.ndim])


def main(namespace):
    """Runs the program whose module this is, as its command line says. Returns 1 if a check failed."""
    variants = ["", *(name.removeprefix("step_") for name in namespace if name.startswith("step_"))]
    parser = argparse.ArgumentParser(
        description=namespace["__doc__"], formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--package", choices=PACKAGES, default="fuseir.numpy", help="what computes")
    parser.add_argument("--size", type=int, default=1_000_000, help="elements of the large arrays, about")
    parser.add_argument("--iterations", type=int, default=10, help="timed, after one and as many again")
    parser.add_argument("--check", action="store_true", help="compares with NumPy after the last iteration")
    if len(variants) > 1:
        parser.add_argument("--variant", choices=variants, default="", help="another form of the problem")
    options = parser.parse_args()
    variant = getattr(options, "variant", "")
    program = Program(namespace, options.package, variant)

    arrays = program.setup(options.size)
    before = {name: np.array(value) for name, value in arrays.items()} if options.check else {}
    seconds = []
    for iterations in (1, options.iterations, options.iterations):
        start = time.perf_counter()
        arrays = program.advance(arrays, iterations)
        finish(arrays)
        seconds.append((time.perf_counter() - start) / max(1, iterations))
    first, warming, steady = (f"{each * 1e3:.3f} ms" for each in seconds)
    shapes = ", ".join(f"{name} {'x'.join(map(str, array.shape))}" for name, array in arrays.items() if array.ndim)
    print(f"{options.package}: {shapes}")
    print(
        f"first iteration {first}, the next {options.iterations} {warming} each, the same number after them {steady} each"
    )
    if not options.check:
        return 0
    reference = load(Path(namespace["__file__"]).stem, "numpy", variant)
    error = program.error(arrays, reference.advance(before, 2 * options.iterations + 1))
    right = error <= (0.0 if program.exact else TOLERANCE)
    promised = "the same bits" if program.exact else f"within {TOLERANCE:g} of the largest value"
    print(
        f"{'right' if right else 'WRONG'}: {', '.join(program.checked)} differ from NumPy's by {error:.2g} ({promised} asked for)"
    )
    return 0 if right else 1
