"""Which device a session runs on: the one that is current in CuPy. What is missing for that is said in one line."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from fuseir.dialects.dist.partition import Shape
from fuseir.errors import BackendUnavailableError
from fuseir.runtime.arrays import Array
from fuseir.runtime.buffers import LARGE_BYTES, BufferPool
from fuseir.runtime.device_arrays import as_contents
from fuseir.runtime.executors.cuda.device import Device

_devices: dict[int, Device] = {}
"""By CUDA's number. Made once: what is on a device is shared by all sessions."""


def current_device() -> Device:
    """The device that is current in CuPy (``cupy.cuda.Device``). Raises BackendUnavailableError."""
    try:
        cupy = import_module("cupy")
    except ImportError as error:
        raise BackendUnavailableError(
            f"target 'cuda' needs CuPy, which cannot be imported ({error}): install fuseir[cuda12] or fuseir[cuda13], as the driver allows"
        ) from None
    runtime = cupy.cuda.runtime
    try:
        count, number = runtime.getDeviceCount(), runtime.getDevice()
    except runtime.CUDARuntimeError as error:
        raise BackendUnavailableError(_unavailable(error, runtime)) from None
    if not count:
        raise BackendUnavailableError("target 'cuda' needs an NVIDIA GPU, and CUDA finds none on this machine")
    device = _devices.get(number)
    if device is None:
        from fuseir.runtime.executors.cuda.cupy_device import CupyDevice

        device = _devices[number] = CupyDevice.open(cupy, number)
    return device


_INSUFFICIENT_DRIVER = 35
_NO_DEVICE = 100


def _unavailable(error: Exception, runtime: Any) -> str:
    """Why CUDA does not start."""
    code: object = getattr(error, "status", None)
    if code == _NO_DEVICE:
        return (
            "target 'cuda' needs an NVIDIA GPU, and CUDA finds none on this machine (CUDA_VISIBLE_DEVICES may hide it)"
        )
    if code == _INSUFFICIENT_DRIVER:
        version, needed = runtime.driverGetVersion(), runtime.runtimeGetVersion()
        if not version:
            return "target 'cuda' needs NVIDIA's driver, which is not installed on this machine"
        return (
            f"the installed CuPy is for CUDA {_version(needed)}, and NVIDIA's driver supports CUDA {_version(version)} at most: "
            "install a newer driver, or fuseir[cuda12] in place of fuseir[cuda13]"
        )
    return f"target 'cuda' cannot be used, as CUDA does not start: {error}"


def _version(number: int) -> str:
    return f"{number // 1000}.{number % 1000 // 10}"


class DeviceBuffers(BufferPool):
    """The host's memory of a session whose plans run in a device's."""

    on_device = True

    def __init__(self, device: Device, most_kept: int) -> None:
        super().__init__(most_kept)
        self.device = device
        self.asked_from = LARGE_BYTES
        """To ask CUDA how much is left takes longer than a small plan."""

    @property
    def unasked(self) -> int:
        """See ``BufferPool``."""
        return self.asked_from

    def zeros(self, shape: Shape, dtype: np.dtype[Any]) -> Array:
        """See ``BufferPool``; on the device."""
        return self.full(shape, dtype, np.zeros((), dtype))

    def full(self, shape: Shape, dtype: np.dtype[Any], value: Array) -> Array:
        """See ``BufferPool``; on the device."""
        return as_contents(self.device.filled(shape, dtype, value))

    def require_for_run(self, size: int) -> None:
        """Raises OutOfMemoryError if a plan cannot have so many more bytes of the device's memory."""
        self.device.require(size)
