"""Functions of opaque tasks that take a device's arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class DeviceFunction:
    """A function that takes CuPy's arrays where stores are on a GPU; ``anywhere``: NumPy's elsewhere. Else it runs nowhere else."""

    function: Callable[..., None]
    anywhere: bool

    def __call__(self, *values: Any) -> None:
        """Calls it."""
        self.function(*values)
