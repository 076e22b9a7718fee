"""What ``make bench-gpu`` measures, on an emulated GPU: the times say nothing there, but it is the same code that a GPU runs."""

from __future__ import annotations

import numpy as np
import pytest
from emulated_device import EmulatedDevice

import fuseir
from benchmarks import gpu
from benchmarks.suite.programs import PROGRAMS

PROGRAM_NAMES = ("black_scholes", "cg", "softmax")
FAST = {"wait": lambda: None, "rounds": 2, "seconds": 0.0, "checked": 300}


def test_programs_are_measured_and_right(device: EmulatedDevice) -> None:
    assert set(PROGRAM_NAMES) <= set(PROGRAMS)
    measured = gpu.measure(gpu.FuseirOnGpu(1), PROGRAM_NAMES, (100,), **FAST)  # type: ignore[arg-type]
    assert all(0 < measured[name]["100"] < 60 for name in PROGRAM_NAMES)
    assert device.counts["launch_graph"] > 0


def test_a_peer_that_is_wrong_is_told() -> None:
    """NumPy stands for CuPy, whose functions have the same names."""
    eager = gpu.measure(gpu.CupyContender(np), ("black_scholes",), (100,), **FAST)  # type: ignore[arg-type]
    assert isinstance(eager["black_scholes"], dict)
    wrong = gpu.CupyContender(np)
    wrong.ops.exp = staticmethod(np.log)
    with np.errstate(all="ignore"):
        assert gpu.measure(wrong, ("black_scholes",), (100,), **FAST)["black_scholes"] == "wrong by inf"  # type: ignore[arg-type]


def test_a_replay_is_one_call_of_the_host(device: EmulatedDevice) -> None:
    before = device.counts
    spent = gpu.host_microseconds(fuseir.Session(target="cuda"), lambda: None, turns=4)
    after = device.counts
    assert spent > 0
    assert (after["launch"] - before["launch"], after["launch_graph"] - before["launch_graph"]) == (gpu.KERNELS, 3)


@pytest.mark.parametrize(("own", "says"), [(0.001, "all that is asked for holds"), (0.1, "times the best peer's time")])
def test_the_report_says_what_is_missed(own: float, says: str) -> None:
    size = 16_000_000
    runs = {
        "fuseir": {"black_scholes": {str(size): own}},
        "cupy": {"black_scholes": {str(size): 0.05}, "cg": "no good way to say it"},
        "jax": "jax is not installed",
    }
    measured = {"runs": runs, "device": "A GPU", "date": "a day", "host": 9.0, "copy": {str(size): 7e11}}
    text = gpu.report(measured, (size,))
    assert says in text
    assert "jax: jax is not installed" in text
    assert "cupy, cg: no good way to say it" in text
