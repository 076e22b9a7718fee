"""What fails on a GPU, injected into an emulated one: memory, the device itself, and what is missing to begin with."""

from __future__ import annotations

import os
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from emulated_device import EmulatedDevice
from test_cuda_executor import ADD, AXPY, Loop, N

import fuseir
from fuseir.codegen.cuda.compilation import NvrtcCompiler
from fuseir.errors import (
    BackendUnavailableError,
    CompileError,
    DeviceLostError,
    OutOfMemoryError,
    StorePoisonedError,
    UsageError,
)
from fuseir.runtime.executors.cuda import cupy_device, platform

# Memory


def test_memory_that_is_kept_for_later_is_given_back_first(device: EmulatedDevice) -> None:
    session = fuseir.Session(target="cuda")
    x, y = session.from_numpy(np.arange(float(N))), session.store(N)
    session.launch(ADD, x, x, y)
    device.fails = {1}
    session.flush()
    assert device.given_back == 1
    assert np.array_equal(y.numpy(), 2 * np.arange(N))


@pytest.mark.parametrize("failing", range(1, 8))
def test_a_launch_that_gets_no_memory_loses_what_it_was_to_make_and_nothing_else(
    failing: int, device: EmulatedDevice
) -> None:
    """The allocation fails from then on; launches that need none of what is lost run."""
    session = fuseir.Session(target="cuda")
    x = session.from_numpy(np.arange(float(N)))
    made = [session.store(N) for _ in range(3)]
    for k, y in enumerate(made):
        session.launch(ADD, x, x if k == 0 else made[k - 1], y)
        session.fence()
    device.fails = set(range(failing, 1000))
    said = ""
    try:
        session.flush()
    except OutOfMemoryError as error:
        said = str(error)
    device.fails = set()
    assert np.array_equal(x.numpy(), np.arange(N))
    lost = False
    for k, y in enumerate(made):
        try:
            assert np.array_equal(y.numpy(), (k + 2) * np.arange(N))
            assert not lost
        except StorePoisonedError:
            lost = True
    assert ("the emulated GPU has no 8000 bytes of memory left" in said) is lost
    assert lost or failing > 3
    again = session.store(N)
    session.launch(ADD, x, x, again)
    assert np.array_equal(again.numpy(), 2 * np.arange(N))


@pytest.mark.parametrize("known", [False, True])
def test_what_does_not_fit_at_once_runs_launch_by_launch(known: bool, device: EmulatedDevice) -> None:
    """What dies on the way makes room: when an allocation fails, and when it is known before that it would."""
    session = fuseir.Session(target="cuda", trace=False)
    if known:
        session.buffers.asked_from = 0  # type: ignore[attr-defined]
    x = session.from_numpy(np.arange(float(N)))
    for _ in range(8):
        y = session.store(N)
        session.launch(ADD, x, x, y)
        session.fence()
        x = y
    del y
    device.limit = 5 * 8 * N
    before = device.allocations
    session.flush()
    assert np.array_equal(x.numpy(), 256 * np.arange(N))
    assert (device.allocations - before > 9) is not known  # the first try took all that there was
    assert session.statistics.fallbacks == 0


def test_what_fits_in_no_way_stays_captured(device: EmulatedDevice) -> None:
    session = fuseir.Session(target="cuda", trace=False)
    session.buffers.asked_from = 0  # type: ignore[attr-defined]
    x, y = session.from_numpy(np.arange(float(N))), session.store(N)
    session.launch(ADD, x, x, y)
    device.limit = 8 * N
    with pytest.raises(
        OutOfMemoryError, match="more bytes of memory are needed on the emulated GPU, which has 8000 left"
    ):
        session.flush()
    device.limit = 1 << 30
    assert np.array_equal(y.numpy(), 2 * np.arange(N))


# The device


@pytest.mark.parametrize("call", ["launch", "launch_graph", "set", "add"])
def test_a_lost_device_says_so_and_what_is_on_the_host_stays(call: str, device: EmulatedDevice) -> None:
    session = fuseir.Session(target="cuda")
    loop, host, fresh = Loop(session), session.from_numpy(np.arange(3.0)), session.from_numpy(np.ones(3))
    turns = {"launch": 0, "launch_graph": 2, "set": 2, "add": 1}[call]
    for _ in range(turns):
        loop.turn()
    device.fail_call(call, 1, 700)
    device_lost = r"the emulated GPU is lost to this process after CUDA_ERROR_ILLEGAL_ADDRESS \(700\)"
    with pytest.raises(DeviceLostError, match=device_lost) as first:
        loop.turn(a=5.0)
    device.lose(700)
    assert host.numpy().tolist() == [0.0, 1.0, 2.0]
    with pytest.raises(StorePoisonedError) as lost:
        loop.ys[0].numpy()
    assert isinstance(lost.value.__cause__, DeviceLostError)
    # What is not lost by the launch is lost with the device; later calls name the first cause.
    session.launch(AXPY, 1.0, host, fresh)
    with pytest.raises(DeviceLostError, match=device_lost) as second:
        session.flush()
    assert second.value.__cause__ is first.value.__cause__


def test_an_error_that_shows_in_a_read_is_told_there(device: EmulatedDevice) -> None:
    loop = Loop(fuseir.Session(target="cuda"))
    loop.turn()
    device.lose(719)
    with pytest.raises(DeviceLostError, match="719"):
        loop.ys[0].numpy()
    with pytest.raises(DeviceLostError, match="719"):
        loop.ys[1].numpy()


def test_a_forked_process_is_told_that_it_has_no_device(
    device: EmulatedDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = Loop(fuseir.Session(target="cuda"))
    loop.turn()
    monkeypatch.setattr(os, "getpid", lambda: -1)
    with pytest.raises(UsageError, match="before this process was forked"):
        loop.turn()
    monkeypatch.undo()
    assert np.array_equal(loop.x.numpy(), np.arange(N))


def test_a_kernel_that_does_not_compile_runs_on_the_host(
    device: EmulatedDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = Loop(session := fuseir.Session(target="cuda"))
    loop.turn()

    def fail(texts: object) -> None:
        raise CompileError("no")

    monkeypatch.setattr(device.compiler, "compile", fail)
    y, z = session.store(N), session.store(N)
    session.launch(ADD, loop.x, loop.ys[0], y)
    session.launch(AXPY, 2.0, loop.x, y)
    session.launch(ADD, y, loop.ys[1], z)
    with pytest.warns(fuseir.errors.FallbackWarning, match="runs a slower way"):
        session.flush()
    assert np.array_equal(z.numpy(), 7 * np.arange(N) + 1.0)
    loop.turn()
    assert np.array_equal(loop.ys[0].numpy(), 4 * np.arange(N))


# What is missing


class FakeError(RuntimeError):
    def __init__(self, status: int) -> None:
        super().__init__(f"error {status}")
        self.status = status


def fake_cupy(count: Callable[[], int], driver: int = 12040) -> Any:
    runtime = SimpleNamespace(
        getDeviceCount=count,
        getDevice=lambda: 0,
        CUDARuntimeError=FakeError,
        driverGetVersion=lambda: driver,
        runtimeGetVersion=lambda: 13010,
        getDeviceProperties=lambda number: {"name": b"A GPU", "major": 9, "minor": 0, "multiProcessorCount": 132},
    )
    nvrtc = SimpleNamespace(getVersion=lambda: (11, 2), getSupportedArchs=lambda: (50, 80))
    return SimpleNamespace(cuda=SimpleNamespace(runtime=runtime, nvrtc=nvrtc))


def failing(status: int) -> Callable[[], int]:
    def count() -> int:
        raise FakeError(status)

    return count


@pytest.mark.parametrize(
    ("cupy", "says"),
    [
        (None, r"needs CuPy, which cannot be imported .*: install fuseir\[cuda12\] or fuseir\[cuda13\]"),
        (fake_cupy(failing(35), driver=0), "needs NVIDIA's driver, which is not installed"),
        (fake_cupy(failing(35)), r"CuPy is for CUDA 13.1, and NVIDIA's driver supports CUDA 12.4 at most"),
        (fake_cupy(failing(100)), "CUDA finds none on this machine"),
        (fake_cupy(lambda: 0), "CUDA finds none on this machine"),
        (fake_cupy(failing(999)), "CUDA does not start: error 999"),
        (fake_cupy(lambda: 1), r"this GPU is sm_90, which the installed NVRTC \(CUDA 11.2\) does not compile for"),
    ],
    ids=["no CuPy", "no driver", "old driver", "no device", "no devices", "other", "old NVRTC"],
)
def test_what_is_missing_is_said_in_one_line(cupy: Any, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def find(name: str) -> Any:
        if cupy is None:
            raise ImportError(f"No module named '{name}'")
        return cupy

    monkeypatch.setattr(platform, "import_module", find)
    monkeypatch.setattr(platform, "_devices", {})
    with pytest.raises(BackendUnavailableError, match=says) as raised:
        fuseir.Session(target="cuda")
    assert "\n" not in str(raised.value)
    assert raised.value.code == "FIR-E010"


def test_the_driver_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cupy_device, "_LIBRARIES", ("libnowhere.so.1",))
    with pytest.raises(BackendUnavailableError, match=r"driver is not found: libnowhere\.so\.1"):
        cupy_device._library()


def test_nvrtc_says_why_a_kernel_does_not_compile() -> None:
    import nvrtc

    compiler = NvrtcCompiler(nvrtc.as_cupy_has_it(), "sm_90")
    with pytest.raises(CompileError, match=r"kernels\.cu\(1\): error"):
        compiler.compile(["__global__ void k() { nothing(); }"])
