"""The examples and the README's program run and print what they say."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

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


def test_black_scholes() -> None:
    printed = run("examples/black_scholes.py", "--options", "20000", "--repeats", "1")
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
