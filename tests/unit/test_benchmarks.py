"""The benchmarks compute what they say: every program, in every implementation that is installed, at tiny sizes. Nothing is timed here."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from benchmarks.suite.__main__ import main
from benchmarks.suite.contenders import make
from benchmarks.suite.examples import EXAMPLES, without_assignments
from benchmarks.suite.measure import PEERS, Process
from benchmarks.suite.plot import write_plots
from benchmarks.suite.programs import PROGRAMS, NumpyOps, error, expected
from benchmarks.suite.report import report
from benchmarks.suite.worker import load, save
from examples import common

ROOT = Path(__file__).parents[2]
needs_c = pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler")


@needs_c
def test_every_program_is_right_in_every_implementation(tmp_path: Path) -> None:
    # 700 elements: no extent is a multiple of what C or we compute at once; torch would take minutes to compile them all.
    peers = ",".join(peer for peer in PEERS if peer != "torch")
    command = [
        "--check",
        "--sizes",
        "700",
        "--threads",
        "2",
        "--no-tuned-malloc",
        "--peers",
        peers,
        "--programs",
        ",".join(PROGRAMS),
        "--json",
        str(tmp_path / "r.json"),
    ]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.suite", *command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found = {row["program"]: row["contenders"] for row in json.loads((tmp_path / "r.json").read_text())["results"]}
    assert found.keys() == PROGRAMS.keys()
    for contenders in found.values():
        assert {"fuseir", "frozen", "c", "numpy"} <= contenders.keys()
        assert all(reply["right"] for reply in contenders.values())


@needs_c
def test_numpy_programs_in_c_do_what_numpy_does() -> None:
    contender = make("c", 2)
    in_c = 0
    for name, program in EXAMPLES.items():
        inputs = program.inputs(700, np.random.default_rng(0))
        wanted = expected(program, inputs)
        prepared = contender.prepare(program, {key: value.copy() for key, value in inputs.items()})
        if prepared is not None:
            in_c += 1
            for _ in range(2):  # from the first state again
                prepared.call()
                assert error(program, prepared.results(), wanted) <= program.tolerance, name
                prepared.reset(inputs)
    assert in_c >= 12


def test_numpy_programs_take_part_or_say_why_not(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    options = ["--check", "--sizes", "300", "--threads", "1", "--peers", "numpy", "--no-tuned-malloc"]
    assert main([*options, "--programs", "np.stencil,np.kmeans", "--json", str(tmp_path / "r.json")]) == 0
    document = json.loads((tmp_path / "r.json").read_text())
    stencil, kmeans = (row["contenders"] for row in document["results"])
    assert {"fuseir", "frozen", "numpy"} <= stencil.keys()
    assert {"fuseir", "numpy"} <= kmeans.keys()
    if "frozen" not in kmeans:  # while it reads what NumPy is to compute
        assert "refused: frozen, np.kmeans: " in capsys.readouterr().out


class Immutable(np.ndarray):
    """An array with the one way of changing elements that JAX has: ``x.at[part].set(value)``, which makes another."""

    def __setitem__(self, part: Any, value: Any) -> None:
        raise TypeError("immutable")

    @property
    def at(self) -> Any:
        outer = self

        class At:
            def __getitem__(self, part: Any) -> Any:
                class Part:
                    @staticmethod
                    def set(value: Any) -> Any:
                        changed = np.array(outer)
                        changed[part] = value
                        return changed.view(Immutable)

                return Part

        return At()


@pytest.mark.parametrize("name", ["cavity_flow", "channel_flow", "stencil"])
def test_programs_without_assignments_do_the_same(name: str) -> None:
    plain = common.load(name)
    functional = common.Program(without_assignments(name), "numpy")
    initial = plain.setup(100)
    frozen = {key: value.copy().view(Immutable) for key, value in initial.items()}
    results = functional.step(**frozen)
    for key, value in frozen.items():
        np.testing.assert_array_equal(value, initial[key])
    for got, want in zip(results, plain.step(**initial), strict=True):
        np.testing.assert_array_equal(got, want)


def test_timings_become_a_report_and_a_plot(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = [
        "--quick",
        "--sizes",
        "1k",
        "--threads",
        "1",
        "--programs",
        "hash,cg",
        "--peers",
        "numpy",
        "--rounds",
        "1",
    ]
    assert main([*options, "--json", str(tmp_path / "r.json"), "--plots", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert "1000 elements, 1 thread\n" in printed
    document = json.loads((tmp_path / "r.json").read_text())
    assert report(document) in printed
    hashed, cg = document["results"]
    assert {"fuseir", "numpy", "numpy+malloc"} <= hashed["contenders"].keys()
    for reply in (*hashed["contenders"].values(), *cg["contenders"].values()):
        assert reply["right"]
        assert len(reply["samples"]) == 3
        assert 0 < reply["best"] <= reply["median"]
    for path in write_plots(document, tmp_path, "plot"):
        assert path.suffix != ".svg" or ET.parse(path).getroot().tag.endswith("svg")


def test_wrong_results_are_reported() -> None:
    reply = {"first": 1.0, "error": 0.5, "right": False, "peak": 0, "median": 1.0, "samples": [1.0]}
    result = {
        "program": "hash",
        "size": 10,
        "threads": 1,
        "contenders": {"fuseir": reply, "c": {**reply, "right": True}},
    }
    machine = dict.fromkeys(("processor", "processors", "system", "python", "numpy", "date"), "")
    document = {
        "machine": machine,
        "clock": "wall",
        "load_before": 0.0,
        "load_after": 0.0,
        "stream": {},
        "results": [result],
    }
    printed = report(document)
    assert "WRONG: fuseir, hash, 10 elements, threads 1: error 0.5" in printed
    # And have no times.
    (row,) = [line for line in printed.splitlines() if line.startswith("hash  ")][:1]
    assert row.split()[1] == "-"


def test_a_peer_that_is_missing_or_dies_does_not_end_the_run(tmp_path: Path) -> None:
    dead = tmp_path / "python"
    dead.write_text("#!/bin/sh\nexit 1\n")
    dead.chmod(0o755)
    options = ["--check", "--sizes", "10", "--threads", "1", "--programs", "hash", "--peers", "numpy"]
    assert main([*options, "--peer-python", str(dead)]) == 0


def test_a_worker_reports_failures(tmp_path: Path) -> None:
    process = Process("numpy", 1, sys.executable)
    try:
        reply = process.ask("prepare", program="hash", folder=str(tmp_path / "nowhere"))
        assert reply["failed"].startswith("FileNotFoundError")
        inputs = PROGRAMS["hash"].inputs(8, np.random.default_rng(0))
        save(tmp_path / "inputs", inputs)
        save(tmp_path / "expected", {"y": np.zeros(8, np.int64)})
        assert process.ask("prepare", program="hash", folder=str(tmp_path))["error"] > 0
    finally:
        process.close()


@pytest.mark.parametrize("name", PROGRAMS)
def test_errors_are_seen(name: str) -> None:
    program = PROGRAMS[name]
    inputs = program.inputs(900, np.random.default_rng(3))
    before = {key: value.copy() for key, value in inputs.items()}
    wanted = expected(program, inputs)
    for key, value in inputs.items():
        np.testing.assert_array_equal(value, before[key])
    assert error(program, wanted, wanted) == 0
    for key, value in wanted.items():
        # Every element of every result counts, but for the share that may be off.
        wrong: dict[str, Any] = {**wanted, key: value + (np.abs(value).max() * 1e-6 if program.tolerance else 1)}
        assert error(program, wrong, wanted) > program.tolerance
        assert error(program, {**wanted, key: value * np.nan}, wanted) == np.inf
    assert error(program, {}, wanted) == np.inf


def test_hash_and_polynomial_by_hand() -> None:
    x = 123456789
    for _ in range(2):
        x = (((x >> 16) ^ x) * 0x45D9F3B) & 0xFFFFFFFF
    found = PROGRAMS["hash"].run(NumpyOps, {"x": np.array([123456789])})
    assert found["y"].tolist() == [(x >> 16) ^ x]
    powers = sum((-1.0) ** k / (k + 1.5) * 0.5**k for k in range(20))
    assert PROGRAMS["polynomial"].run(NumpyOps, {"x": np.array([0.5])})["y"][0] == pytest.approx(powers, rel=1e-14)


def test_arrays_of_a_folder_keep_their_order(tmp_path: Path) -> None:
    arrays = {"z": np.arange(3), "a": np.array(2.5)}
    save(tmp_path / "f", arrays)
    again = load(tmp_path / "f")
    assert list(again) == ["z", "a"]
    assert again["a"].shape == ()
