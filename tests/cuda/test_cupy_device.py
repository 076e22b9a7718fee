"""The device of CuPy, on what stands for CuPy and for CUDA's driver: all of FuseIR's own code runs, and no other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from compare_executors import on
from emulated_device import AVAILABLE, driver_library
from fake_cupy import FakeCupy
from test_cuda_executor import ADD, Loop, N

import fuseir
import fuseir.numpy as fnp
from fuseir.errors import DeviceLostError, FuseirError, OutOfMemoryError
from fuseir.runtime.device_sharing import library_array
from fuseir.runtime.executors.cuda import cupy_device, platform


@pytest.fixture
def cupy(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeCupy]:
    if not AVAILABLE:
        pytest.skip("the emulation takes g++ and an x86-64")
    made = FakeCupy()
    monkeypatch.setattr(platform, "import_module", lambda name: made)
    monkeypatch.setattr(platform, "_devices", {})
    monkeypatch.setattr(cupy_device, "_library", driver_library)
    with on(None):
        yield made


def test_loops_and_arrays(cupy: FakeCupy) -> None:
    session = fuseir.Session(target="cuda")
    loop = Loop(session)
    for _ in range(4):
        loop.turn()
    assert np.array_equal(loop.ys[0].numpy(), 8.0 * np.arange(N))
    part = library_array(loop.ys[0][10:20:3])
    assert part.tolist() == [80.0, 104.0, 128.0, 152.0]
    other = session.store(N)
    session.launch(
        fuseir.opaque_task(lambda x, y: y.__setitem__(..., x + 1), ["read", "write"], arrays="cupy"), loop.x, other
    )
    assert np.array_equal(other.numpy(), np.arange(N) + 1.0)
    assert {0} == set(cupy.current)
    (options,) = cupy.cuda.nvrtc.options
    assert options[0] == "--gpu-architecture=sm_90"
    assert "--fmad=false" in options
    with fuseir.Session(target="cuda"):
        x = fnp.array(np.arange(12.0).reshape(3, 4))
        assert np.array_equal(np.array(x @ x.T), np.arange(12.0).reshape(3, 4) @ np.arange(12.0).reshape(3, 4).T)


def test_errors_of_cupy_s(cupy: FakeCupy) -> None:
    loop = Loop(session := fuseir.Session(target="cuda"))
    loop.turn()
    cupy.left = 100
    session.launch(ADD, loop.x, loop.x, y := session.store(N))
    with pytest.raises(OutOfMemoryError, match="NVIDIA Fake has no 8000 bytes of memory left"):
        session.flush()
    assert cupy.given_back > 0
    cupy.left = 1 << 40
    assert y is not None
    cupy.status = 1
    with pytest.raises(FuseirError, match=r"CUDA failed on NVIDIA Fake: cudaErrorOfTheFake \(1\)"):
        loop.x[1:].numpy()
    cupy.status = 700
    with pytest.raises(DeviceLostError):
        loop.ys[0].numpy()
    cupy.status = 0
    with pytest.raises(DeviceLostError):
        loop.ys[1].numpy()


def test_sessions_share_a_device(cupy: FakeCupy) -> None:
    one, other = fuseir.Session(target="cuda"), fuseir.Session(target="cuda")
    device: Any = one.buffers
    assert device.device is other.buffers.device  # type: ignore[attr-defined]
