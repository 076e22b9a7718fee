"""On a GPU (``pytest -m gpu``): the differential programs, graphs, memory of CuPy's, faults. Skipped where there is none.

The same tests run on an emulated GPU everywhere (``tests/cuda``). More programs, and sanitizers: ``tests/cuda/compare_executors.py --gpu``.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.append(str(Path(__file__).parents[1] / "cuda"))

from compare_executors import layouts, numpys, tasks, ways

import fuseir
import fuseir.numpy as fnp
from fuseir.errors import BackendUnavailableError, OutOfMemoryError
from fuseir.runtime.device_sharing import device_of

pytestmark = pytest.mark.gpu

ADD = fuseir.task("task add(x: read, y: read, z: write) { z = x + y }")
N = 100_000


@pytest.fixture(scope="module", autouse=True)
def _gpu() -> None:
    try:
        fuseir.Session(target="cuda")
    except BackendUnavailableError as error:
        pytest.skip(error.message)


@pytest.fixture
def cupy() -> Any:
    return pytest.importorskip("cupy")


def test_programs_of_tasks_have_the_bits_of_the_cpu() -> None:
    assert list(tasks(range(100), ways(procs=3), ulps=8)) == []


def test_programs_on_views_have_the_bits_of_the_cpu() -> None:
    assert list(layouts(range(100), ways(procs=1))) == []


def test_numpy_programs() -> None:
    assert list(numpys(range(300))) == []


def test_large_arrays_have_the_bits_of_the_cpu() -> None:
    """Grids of every size that a GPU has, and indices of 64 bits."""
    rng = np.random.default_rng(7)
    contents = rng.integers(-1000, 1000, 30_000_000).astype(np.float64)
    for target in ("cpu", "cuda"):
        with fuseir.Session(target=target, procs=1):
            x = fnp.array(contents)
            y = (x * 2 + 1)[::2] - x[1::2]
            assert y.sum().item() == ((contents * 2 + 1)[::2] - contents[1::2]).sum()
            assert np.array_equal(fnp.sum(fnp.reshape(x, (3000, 10000)), axis=0), contents.reshape(3000, 10000).sum(0))


def test_memory_of_cupy_s(cupy: Any) -> None:
    with fuseir.Session(target="cuda") as session:
        theirs = cupy.arange(float(N))
        x = fnp.asarray(theirs)
        y = x * 2
        assert np.array_equal(cupy.asarray(y).get(), 2 * np.arange(N))
        assert np.array_equal(cupy.from_dlpack(y).get(), 2 * np.arange(N))
        x += 1
        assert np.array_equal(theirs.get(), np.arange(N) + 1)
        assert np.array_equal(fnp.from_dlpack(theirs).sum().item(), (np.arange(N) + 1.0).sum())
        scaled = fuseir.opaque_task(lambda a, out: cupy.multiply(a, 3, out=out), ["read", "write"], arrays="cupy")
        z = session.store(N)
        session.launch(scaled, y, z)
        assert np.array_equal(z.numpy(), 6 * np.arange(N))
        a, b = np.random.default_rng(1).random((2, 50, 50))
        assert np.allclose(fnp.array(a) @ fnp.array(b), a @ b, rtol=1e-12)


@pytest.mark.parametrize("failing", range(1, 8))
def test_memory_that_runs_out_loses_nothing_else(failing: int, cupy: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    session = fuseir.Session(target="cuda")
    device: Any = device_of(session)
    x = session.from_numpy(np.arange(float(N)))
    made = [session.store(N) for _ in range(3)]
    for k, y in enumerate(made):
        session.launch(ADD, x, x if k == 0 else made[k - 1], y)
        session.fence()
    count, allocate = 0, cupy.cuda.alloc

    def fail(size: int) -> Any:
        nonlocal count
        count += 1
        if count >= failing:
            raise cupy.cuda.memory.OutOfMemoryError(size, 0)
        return allocate(size)

    monkeypatch.setattr(cupy.cuda, "alloc", fail)
    try:
        session.flush()
    except OutOfMemoryError as error:
        assert device.name in str(error)  # noqa: PT017 (it need not fail)
    monkeypatch.undo()
    assert np.array_equal(x.numpy(), np.arange(N))
    session.launch(ADD, x, x, again := session.store(N))
    assert np.array_equal(again.numpy(), 2 * np.arange(N))


LOST = """
import cupy, numpy as np, fuseir
from fuseir.errors import DeviceLostError
session = fuseir.Session(target="cuda")
x, host = session.from_numpy(np.ones(1000)), session.from_numpy(np.ones(3))
y = session.store(1000)
add = fuseir.task("task add(x: read, y: read, z: write) { z = x + y }")
session.launch(add, x, x, y)
session.flush()
cupy.RawKernel('extern "C" __global__ void bad(double *p) { *p = 1; }', "bad")((1,), (1,), (np.uint64(8),))
for _ in range(2):
    try:
        y.numpy()
    except DeviceLostError as error:
        print(error)
print(host.numpy().tolist())
"""


def test_a_lost_device_says_so_and_what_is_on_the_host_stays() -> None:
    done = subprocess.run([sys.executable, "-c", LOST], capture_output=True, text=True, check=False)
    first, second, host = done.stdout.splitlines()
    assert first == second
    assert "is lost to this process after" in first
    assert host == "[1.0, 1.0, 1.0]"
