"""Where programs wait and leave the stream: options, counts and the report; scripts that run as they are; draws in the stream."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fuseir
import fuseir.numpy as fnp
from fuseir.errors import FallbackError, SyncError, UsageError
from fuseir.numpy.array import ndarray


def test_reads_are_counted_by_line() -> None:
    with fuseir.Session() as session:
        for _ in range(3):
            float(fnp.ones(4).sum())
        x = fnp.ones(4) + 1.0
        print(x.shape, x.dtype, len(x))
    counted = {site.resolve().text: count for site, count in session.usage.syncs.items()}
    assert {(text or "").strip(): count for text, count in counted.items()} == {"float(fnp.ones(4).sum())": 3}
    assert session.statistics.forced_flushes == 3


def test_reads_can_be_logged(capsys: pytest.CaptureFixture[str]) -> None:
    with fuseir.Session(sync="log"):
        for _ in range(2):
            bool(fnp.ones(4).any())
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert f"{__file__}:" in said
    assert "bool(fnp.ones(4).any())" in said


def test_reads_can_be_forbidden() -> None:
    with fuseir.Session(sync="error") as session:
        total = fnp.ones(4).sum()
        with pytest.raises(SyncError, match="a value is read here") as caught:
            float(total)
        assert caught.value.location is not None
        assert caught.value.location.file == __file__
        fuseir.flush()
        assert float(total) == 4.0  # nothing waits any more
    assert session.statistics.forced_flushes == 0


def test_functions_that_numpy_runs_can_be_forbidden(recwarn: pytest.WarningsRecorder) -> None:
    with fuseir.Session(fallback="error"):
        x = fnp.ones(4)
        with pytest.raises(FallbackError, match=r"'unique' .* neighbours keep the shape"):
            fnp.unique(x)
        with pytest.raises(FallbackError, match=r"'fft.fft' .* complex"):
            fnp.fft.fft(x)
        assert fnp.hamming(4).shape == (4,)
    with fuseir.Session(fallback="allow"):
        fnp.unique(fnp.ones(4))
    assert not recwarn.list


@pytest.mark.parametrize("options", [{"sync": "never"}, {"fallback": "log"}])
def test_options_name_their_choices(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=r"is one of allow, "):
        fuseir.Session(**options)


def test_the_report_names_functions_and_lines() -> None:
    with fuseir.Session(fallback="allow"):
        fnp.unique(fnp.ones(4) + 1.0)
        said = fuseir.doctor()
    assert f"numpy {np.__version__}" in said
    assert "1 reads made what was captured run" in said
    assert f"unique: {__file__}:" in said
    assert "fnp.unique(fnp.ones(4) + 1.0)" in said


def test_late_errors_name_the_line() -> None:
    with fuseir.Session():
        places = fnp.arange(4) * 100
        taken = fnp.ones(4)[places]
        with pytest.raises(IndexError) as caught:
            taken.numpy()
    assert "taken = fnp.ones(4)[places]" in "".join(caught.value.__notes__)


# Scripts

SCRIPT = """
import sys
import numpy as np
import numpy.linalg as la
from numpy import sqrt
import helper
import package.inner
from package import inner

x = np.ones(4)
print(sys.argv[1:], __name__, np.__name__, la.__name__, type(x).__module__)
print(float(la.norm(x) + sqrt(x).sum()), helper.total(x), inner.kind)
import unittest.mock
print(sys.modules["numpy"].__name__)
"""


def command(*arguments: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "fuseir", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        cwd=folder,
    )


def test_a_script_runs_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").write_text("")
    (tmp_path / "package" / "inner.py").write_text("import numpy\nkind = type(numpy.zeros(2)).__module__\n")
    (tmp_path / "helper.py").write_text("from numpy import *\ndef total(x): return float(sum(x))\n")
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    done = command("run", "--doctor", str(script), "a", "--doctor")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "['a', '--doctor'] __main__ fuseir.numpy fuseir.numpy.linalg fuseir.numpy.array",
        "6.0 4.0 fuseir.numpy.array",
        "numpy",
    ]
    assert "2 reads made what was captured run" in done.stderr
    assert "script.py:12" in done.stderr


def test_the_command_says_how_it_is_used(tmp_path: Path) -> None:
    assert command().returncode == 2
    assert "usage" in command("--help").stdout
    missing = command("run", str(tmp_path / "none.py"))
    assert missing.returncode == 1
    assert "cannot read" in missing.stderr


# Draws


def draws(np: Any) -> list[Any]:
    g = np.random.default_rng(7)
    x = np.arange(9.0)
    found = [
        g.random(5),
        g.normal(1.0, 2.0, size=(2, 3)),
        g.integers(0, 10, size=4),
        g.integers(10, size=4, dtype=np.int32),
        g.permutation(7),
        g.permutation(np.arange(6.0).reshape(2, 3), axis=1),
        g.standard_normal(4, dtype=np.float32),
        g.uniform(-1, 1, 3),
        g.poisson(3.0, (2,)),
        g.normal(np.zeros(3), 1.0, (2, 3)),
        g.exponential(size=3),
    ]
    g.shuffle(x)
    return [*found, x, g.random(3) * 2.0]


def test_draws_wait_and_are_numpys() -> None:
    with fuseir.Session() as session:
        found = draws(fnp)
        assert all(type(each) is ndarray for each in found)
        assert session.statistics.forced_flushes == 0
        for one, other in zip(found, draws(np), strict=True):
            assert one.dtype == other.dtype
            np.testing.assert_array_equal(np.asarray(one), other)


def test_draws_at_once_come_behind_those_that_wait() -> None:
    with fuseir.Session():
        ours, theirs = fnp.random.default_rng(3), np.random.default_rng(3)
        first = ours.normal(size=4), theirs.normal(size=4)
        assert ours.random() == theirs.random()
        assert ours.choice(5) == theirs.choice(5)
        ours.normal(size=2)
        theirs.normal(size=2)
        assert ours.bit_generator.state == theirs.bit_generator.state
        assert pickle.loads(pickle.dumps(ours)).random() == theirs.random()
        np.testing.assert_array_equal(np.asarray(first[0]), first[1])


def test_generators_share_what_was_planned() -> None:
    with fuseir.Session() as session:
        for seed in range(4):
            x = fnp.random.default_rng(seed).normal(size=10) * 2.0
            np.testing.assert_array_equal(np.asarray(x), np.random.default_rng(seed).normal(size=10) * 2.0)
            assert session.statistics.plan_misses == 1


def test_draws_of_generators_that_are_gone() -> None:
    with fuseir.Session():
        x = fnp.random.Generator(np.random.PCG64(5)).random(3)
        np.testing.assert_array_equal(np.asarray(x), np.random.Generator(np.random.PCG64(5)).random(3))
