"""The examples and the README's program run and print what they say."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fuseir
import fuseir.numpy
from examples import common
from fuseir.runtime.executors import kernel_steps

ROOT = Path(__file__).parents[2]


def run(*command: str) -> str:
    done = subprocess.run(
        [sys.executable, *command],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "PYTHONWARNINGS": "error"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_black_scholes_by_tasks() -> None:
    printed = run("examples/black_scholes_tasks.py", "--options", "20000", "--repeats", "1")
    assert "tasks                61 -> 1\n" in printed
    assert "temporaries removed  59, " in printed
    assert printed.count("same bits") == 2
    for function in ("log", "exp", "sqrt"):
        found = re.search(rf"^{function} +(\d+) ulp from NumPy, (\d+) from the reference$", printed, re.M)
        assert found is not None
        assert max(map(int, found.groups())) <= 4


def test_scale_shift_is_one_launch() -> None:
    passes = "fuse-tasks,eliminate-temporaries,compose-kernels,fuse-kernels"
    printed = run("-m", "fuseir.tools.opt", "examples/scale_shift.mlir", "-p", passes)
    assert printed.count("dist.launch") == 1
    printed = run(
        "-m", "fuseir.tools.run", "examples/scale_shift.mlir", "--in", "x=arange", "--print", "y", "--compare"
    )
    assert "y = [1.0, 3.0, 5.0, " in printed


def test_the_programs_in_the_readme() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    array_program, task_program = re.findall(r"```python\n(.*?)```", text, re.S)
    assert run("-c", array_program) == "500000.000\n"
    assert run("-c", task_program).startswith("116.0\n")


PROGRAMS = {  # elements and iterations: few where an iteration is hundreds of operations
    "bicgstab": (400, 2),
    "bicgstab:dense": (400, 2),
    "black_scholes": (400, 1),
    "cavity_flow": (400, 1),
    "cg": (400, 3),
    "cg:dense": (400, 2),
    "channel_flow": (400, 1),
    "gray_scott": (400, 2),
    "heat3d": (400, 2),
    "jacobi": (400, 2),
    "kmeans": (400, 2),
    "logistic_regression": (400, 2),
    "multigrid": (100, 1),
    "nbody": (400, 2),
    "shallow_water": (400, 1),
    "stencil": (400, 2),
}


def test_every_program_is_tested() -> None:
    others = {"black_scholes_tasks", "common"}
    files = {path.stem for path in (ROOT / "examples").glob("*.py")} - others
    assert files == {name.partition(":")[0] for name in PROGRAMS}


@pytest.fixture(scope="module")
def kernels(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder of compiled kernels: what one session compiled the next ones find."""
    return str(tmp_path_factory.mktemp("kernels"))


@pytest.mark.filterwarnings("ignore::fuseir.errors.FallbackWarning")
@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_do_what_numpy_does(name: str, kernels: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel_steps, "_INLINE_BYTES", 0)  # so that threads take part however little there is to do
    file, _, variant = name.partition(":")
    size, steps = PROGRAMS[name]
    reference, program = common.load(file, "numpy", variant), common.load(file, "fuseir.numpy", variant)
    for each in (reference, program):
        each.step.__globals__["SWEEPS"] = 2  # of flows: no need for more
    initial = reference.setup(size)
    wanted = reference.advance({key: np.array(value) for key, value in initial.items()}, steps)
    before: dict[str, np.ndarray[Any, Any]] = {}
    for fuse, threads in ((True, 1), (True, 2), (False, 2)):
        with fuseir.Session(fuse=fuse, threads=threads, cache=True, cache_dir=kernels):
            arrays = {key: fuseir.numpy.array(value) for key, value in initial.items()}
            results = program.advance(arrays, steps)
            found = {key: np.asarray(results[key]) for key in program.returns}
        assert program.error(found, wanted) <= (0.0 if program.exact else common.TOLERANCE)
        for key, value in before.items():
            assert found[key].tobytes() == value.tobytes(), f"{key} with fuse={fuse}, {threads} threads"
        before = found


@pytest.mark.parametrize("package", ["numpy", "fuseir.numpy"])
def test_programs_run_from_the_command_line(package: str) -> None:
    command = ["--package", package, "--size", "64", "--iterations", "2", "--check"]
    printed = run("examples/stencil.py", *command)
    assert printed.startswith(f"{package}: grid 8x8\nfirst iteration ")
    assert printed.endswith("right: grid differ from NumPy's by 0 (the same bits asked for)\n")


def test_programs_that_are_wrong_are_told() -> None:
    program = common.load("stencil")
    right = program.advance(program.setup(64), 1)
    wrong = {"grid": np.nextafter(right["grid"], 2.0)}
    assert program.error(right, right) == 0.0
    assert program.error(wrong, right) == np.inf
    inexact = common.load("jacobi")
    right = inexact.advance(inexact.setup(64), 1)
    assert inexact.error({"x": right["x"] * (1.0 + 1e-11)}, right) > common.TOLERANCE
