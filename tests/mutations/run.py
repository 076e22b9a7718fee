"""Is every unsound edit of the legality code noticed by the tests?

    python tests/mutations/run.py [WORDS OF A NAME]

Each edit is made in a copy of the package, on which the tests below run until the first failure. Prints what caught it; exits with 1 if
an edit went unnoticed, or no longer fits the code, or if the tests fail without any.
"""

from __future__ import annotations

import importlib
import io
import multiprocessing
import os
import shutil
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stderr, redirect_stdout
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from edits import EDITS, Edit

ROOT = Path(__file__).parents[2]

# The quick part of the suite; what decides fastest comes first.
TESTS = (
    "tests/oracle/test_broadcast_pieces.py",
    "tests/oracle/test_forward_copies.py",
    "tests/oracle/test_split_launches.py",
    "tests/papers/test_diffuse_partitions.py",
    "tests/papers/test_diffuse_legality.py",
    "tests/papers/test_diffuse_temporaries.py",
    "tests/unit/test_dist_passes.py",
    "tests/oracle/test_fusion_oracle.py",
    "tests/unit/test_reuse_inputs.py",
)
OPTIONS = ("-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--no-header", "--tb=no")
MOST_SECONDS = 50

# Loaded once, before the forks: most of what a test run would wait for.
HEAVY = ("numpy", "xdsl.parser", "xdsl.dialects.linalg", "xdsl.dialects.math", "xdsl.dialects.memref")


def copied(edit: Edit | None, folder: Path) -> None:
    """Copies package and tests, and makes the edit. Raises ValueError if it does not fit the code."""
    for part in ("fuseir", "tests"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__", "Output", "filecheck"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    if edit is None:
        return
    path = folder / edit.file
    text = path.read_text(encoding="utf-8")
    if text.count(edit.old) != 1:
        raise ValueError(f"'{edit.old}' occurs {text.count(edit.old)} times in {edit.file}")
    path.write_text(text.replace(edit.old, edit.new), encoding="utf-8")


def run_tests(folder: Path, answer: Connection) -> None:
    """In a process of its own: sends the first test that fails, or an empty text."""
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    sys.dont_write_bytecode = True
    output = io.StringIO()
    with redirect_stdout(output), redirect_stderr(output):
        pytest.main([*OPTIONS, *TESTS])
    failed = [line for line in output.getvalue().splitlines() if line.startswith(("FAILED", "ERROR"))]
    answer.send(failed[0].split(" - ")[0] if failed else "")


def caught_by(edit: Edit | None) -> str:
    """The first test that fails with the edit made; empty if all pass. Raises EOFError if the tests did not run."""
    with tempfile.TemporaryDirectory() as folder:
        copied(edit, Path(folder))
        receiver, sender = multiprocessing.Pipe(duplex=False)
        process = multiprocessing.get_context("fork").Process(target=run_tests, args=(Path(folder), sender))
        process.start()
        sender.close()  # so that a process that dies ends the wait
        try:
            return receiver.recv() if receiver.poll(MOST_SECONDS) else ""
        finally:
            process.kill()
            process.join()


def report(edit: Edit) -> bool:
    """Whether the edit is noticed; says so."""
    start = time.perf_counter()
    try:
        test = caught_by(edit)
    except ValueError as error:
        print(f"does not fit  {edit.name}: {error}", flush=True)
        return False
    seconds = time.perf_counter() - start
    print(f"{'caught' if test else 'UNNOTICED'} {seconds:5.1f} s  {edit.name:50} {test}", flush=True)
    return bool(test)


def main(words: list[str]) -> int:
    for name in HEAVY:
        importlib.import_module(name)
    chosen = [edit for edit in EDITS if all(word in edit.name for word in words)]
    start = time.perf_counter()
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        results = list(pool.map(report, chosen))
    print(f"{sum(results)} of {len(results)} caught in {time.perf_counter() - start:.0f} s")
    if failing := caught_by(None):
        print(f"without any edit, too: {failing}")
        return 1
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
