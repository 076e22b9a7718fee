"""Memory of an emulated GPU that stores share with others: the CUDA array interface, DLPack, and opaque tasks on the device's arrays."""

from __future__ import annotations

import gc
from typing import Any

import numpy as np
import pytest
from emulated_device import EmulatedDevice
from test_cuda_executor import ADD, AXPY, N

import fuseir
import fuseir.numpy as fnp
from fuseir.errors import UnsupportedError, UsageError
from fuseir.runtime.device_sharing import library_array


class OnGpu:
    """An array of another library, on memory that stands for a GPU's."""

    def __init__(self, array: np.ndarray[Any, Any], *, stream: int | None = None, read_only: bool = False) -> None:
        self.array = array
        self.stream = stream
        self.read_only = read_only

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        array = self.array
        contiguous = array.flags.c_contiguous
        return {
            "version": 3,
            "shape": array.shape,
            "typestr": array.dtype.str,
            "data": (array.ctypes.data, self.read_only),
            "strides": None if contiguous else array.strides,
            "stream": self.stream,
        }


class ByDlpack:
    """One that has DLPack's interface only."""

    def __init__(self, array: OnGpu) -> None:
        self.array = array

    def __dlpack_device__(self) -> tuple[int, int]:
        return 2, 0

    def as_cuda(self) -> OnGpu:
        return self.array


def seen(store: Any) -> np.ndarray[Any, Any]:
    """What another library sees through the interface."""
    interface = store.__cuda_array_interface__
    assert interface["version"] == 3
    assert interface["stream"] == 1
    return np.asarray(type("", (), {"__array_interface__": interface})())


def test_others_see_a_store_and_what_is_written_to_it(device: EmulatedDevice) -> None:
    session = fuseir.Session(target="cuda")
    x, y = session.from_numpy(np.arange(float(N))), session.store(N)
    session.launch(ADD, x, x, y)
    copies = dict(device.copies)
    array, part = seen(y), seen(y[10:20:2])
    assert device.copies == {**copies, "in": copies["in"] + 1}
    assert np.array_equal(array, 2 * np.arange(N))
    assert part.tolist() == [20.0, 24.0, 28.0, 32.0, 36.0]
    session.launch(AXPY, 1.0, x, y)  # nobody asks: it runs before the call returns
    assert np.array_equal(array, 3 * np.arange(N))
    session.launch(ADD, x, x, y)  # replaces all of it, and the memory stays what others see
    session.flush()
    assert np.array_equal(array, 2 * np.arange(N))
    array[0] = 7.0
    assert y.numpy()[0] == 7.0
    z = session.store(N)
    session.launch(ADD, x, y, z)
    assert z.numpy()[0] == 7.0


def test_only_stores_on_a_gpu_have_the_interface(device: EmulatedDevice) -> None:
    store = fuseir.Session().from_numpy(np.ones(3))
    assert not hasattr(store, "__cuda_array_interface__")
    with pytest.raises(UsageError, match="target='cuda'"):
        library_array(store)
    with pytest.raises(UsageError, match="target='cuda'"):
        fuseir.Session().from_device(OnGpu(np.ones(3)))


def test_the_memory_of_others_is_a_store(device: EmulatedDevice) -> None:
    session = fuseir.Session(target="cuda")
    theirs = np.arange(float(N))
    x = session.from_device(OnGpu(theirs, stream=77))
    assert device.waited == [77]
    y = session.store(N)
    session.launch(ADD, x, x, y)
    session.flush()
    assert device.copies == {"in": 0, "out": 0, "on": 0}
    assert np.array_equal(y.numpy(), 2 * np.arange(N))
    session.launch(AXPY, 1.0, y, x)
    assert np.array_equal(theirs, 3 * np.arange(N))
    theirs[:] = 1.0
    session.launch(ADD, x, x, y)
    assert np.array_equal(y.numpy(), np.full(N, 2.0))
    del x
    session.launch(ADD, y, y, z := session.store(N))
    assert np.array_equal(z.numpy(), np.full(N, 4.0))
    assert np.array_equal(theirs, np.full(N, 1.0))


def test_two_stores_are_never_in_one_place(device: EmulatedDevice) -> None:
    session = fuseir.Session(target="cuda")
    theirs = np.arange(float(N))
    x = session.from_device(OnGpu(theirs))
    y = session.from_device(OnGpu(theirs))
    session.launch(AXPY, 1.0, x, z := session.full(N, 1.0))
    session.launch(AXPY, 1.0, z, y)
    assert np.array_equal(x.numpy(), 2 * np.arange(N) + 1.0)
    with pytest.raises(UsageError, match="a part of this memory"):
        session.from_device(OnGpu(theirs[10:]))
    again = session.from_device(OnGpu(seen(z)))  # ours, given away and taken back
    session.launch(AXPY, 1.0, x, again)
    assert np.array_equal(z.numpy(), 3 * np.arange(N) + 2.0)
    address = theirs.ctypes.data
    del x, y
    part = session.from_device(OnGpu(theirs[10:]))
    assert part.numpy()[0] == theirs[10]
    assert address


def test_what_dies_is_not_written_over_where_others_see_it(device: EmulatedDevice) -> None:
    """A result takes the memory of an input that dies, unless that is somebody else's."""
    session = fuseir.Session(target="cuda")
    theirs = np.arange(100_000.0)
    x, y = session.from_device(OnGpu(theirs)), session.store(100_000)
    session.launch(ADD, x, x, y)
    del x
    assert np.array_equal(y.numpy(), 2 * np.arange(100_000.0))
    assert np.array_equal(theirs, np.arange(100_000.0))


@pytest.mark.parametrize(
    ("array", "error"),
    [
        (OnGpu(np.ones((4, 4)).T[1:]), UsageError),
        (OnGpu(np.ones(8)[::2]), UsageError),
        (OnGpu(np.ones(8), read_only=True), UsageError),
        (OnGpu(np.ones(8, np.complex128)), UnsupportedError),
        (OnGpu(np.ones(8, ">f8")), UnsupportedError),
    ],
    ids=["transposed", "strided", "read-only", "complex", "byte order"],
)
def test_what_stores_cannot_have_is_refused(array: OnGpu, error: type[Exception], device: EmulatedDevice) -> None:
    with pytest.raises(error):
        fuseir.Session(target="cuda").from_device(array)


def test_memory_of_another_device_is_refused(device: EmulatedDevice) -> None:
    theirs = np.ones(8)
    device.elsewhere.add(theirs.ctypes.data)
    with pytest.raises(UsageError, match="another device than the emulated GPU"):
        fuseir.Session(target="cuda").from_device(OnGpu(theirs))


def test_arrays_by_both_protocols(device: EmulatedDevice) -> None:
    with fuseir.Session(target="cuda"):
        theirs = np.arange(12.0).reshape(3, 4)
        for ours in (fnp.asarray(OnGpu(theirs)), fnp.from_dlpack(ByDlpack(OnGpu(theirs)))):
            assert isinstance(ours, fnp.ndarray)
            assert ours.sum().item() == 66.0
        assert device.copies["in"] == 0
        copied = fnp.array(OnGpu(theirs))
        theirs[0, 0] = 100.0
        assert copied[0, 0].item() == 0.0
        doubled = ours * 2
        assert doubled.__dlpack_device__() == (2, 0)
        capsule = doubled.T.__dlpack__()
        assert "dltensor" in repr(capsule)
        assert np.array_equal(seen(doubled.T), 2 * theirs.T)


def test_nobody_watches_what_nobody_sees_any_more(device: EmulatedDevice) -> None:
    session = fuseir.Session(target="cuda")
    x, y = session.from_numpy(np.ones(N)), session.from_numpy(np.ones(N))
    array = library_array(y)
    session.launch(AXPY, 1.0, x, y)
    assert array[0] == 2.0
    del array
    gc.collect()
    before = device.counts["kernels"]
    session.launch(AXPY, 1.0, x, y)
    session.launch(AXPY, 1.0, x, y)
    assert device.counts["kernels"] == before
    assert y.numpy()[0] == 4.0


def test_numpy_and_a_gpu_see_one_store(device: EmulatedDevice) -> None:
    """What NumPy sees of an array is what launches on the GPU make of it."""
    with fuseir.Session(target="cuda"):
        x = fnp.arange(10.0)
        y = x * 2
        array = np.asarray(y)
        assert array.tolist() == list(range(0, 20, 2))
        z = y + 1  # moves the contents to the GPU, which leaves those on the host as they are
        assert z.sum().item() == 100.0
        y += 1
        assert array.tolist() == list(range(1, 21, 2))
        theirs = np.ones(4)
        ours = fnp.asarray(theirs)
        ours += 1
        assert (theirs.tolist(), ours.tolist()) == ([1.0] * 4, [2.0] * 4)  # a copy: the memory is not the GPU's


# Opaque tasks


def test_opaque_tasks_on_the_arrays_of_the_device(device: EmulatedDevice) -> None:
    kinds: list[str] = []

    def body(a: Any, factor: float, out: Any) -> None:
        kinds.append(type(a).__name__)
        out[...] = a * factor

    task = fuseir.opaque_task(body, ["read", None, "write"], arrays="any")
    results = []
    for session in (fuseir.Session(procs=1), fuseir.Session(target="cuda")):
        x, y, z = session.from_numpy(np.arange(12.0).reshape(3, 4)), session.store((4, 3)), session.store((4, 3))
        session.launch(ADD, x.T, x.T, y)
        session.launch(task, y[::-1], 3.0, z)
        session.launch(ADD, y, z, y2 := session.store((4, 3)))
        session.flush()
        results.append(y2.numpy().tolist())
    assert results[0] == results[1]
    assert device.copies == {"in": 1, "out": 1, "on": 0}


def test_opaque_tasks_for_a_gpu_run_nowhere_else(device: EmulatedDevice) -> None:
    task = fuseir.opaque_task(lambda a: None, ["read"], "peek", arrays="cupy")
    session = fuseir.Session()
    with pytest.raises(UsageError, match="'peek' takes CuPy's arrays"):
        session.launch(task, session.from_numpy(np.ones(3)))
    with pytest.raises(UsageError, match="arrays are"):
        fuseir.opaque_task(lambda a: None, ["read"], arrays="torch")
    with pytest.raises(UnsupportedError, match="reduces"):
        fuseir.opaque_task(lambda a: None, ["reduce<add>"], arrays="any")


def test_products_of_matrices_stay_on_the_device(device: EmulatedDevice) -> None:
    rng = np.random.default_rng(3)
    a, b = rng.random((5, 7)), rng.random((7, 4))
    with fuseir.Session(target="cuda"):
        x, y = fnp.array(a), fnp.array(b)
        product = (x + 0) @ y * 2
        assert np.array_equal(np.array(product), (a @ b) * 2)
        assert device.copies == {"in": 2, "out": 1, "on": 0}


def test_a_task_that_keeps_an_array_keeps_its_memory(device: EmulatedDevice) -> None:
    kept: list[Any] = []
    task = fuseir.opaque_task(lambda a: kept.append(a), ["read"], "keep", arrays="cupy")
    session = fuseir.Session(target="cuda")
    x, y = session.from_numpy(np.arange(float(N))), session.store(N)
    session.launch(task, x)
    session.launch(ADD, x, x, y)
    del x
    session.flush()
    z = session.store(N)
    session.launch(ADD, y, y, z)
    session.flush()
    assert np.array_equal(kept[0], np.arange(N))
