"""Memory that results take over from inputs (``passes/reuse_inputs.py``) must be seen by nobody else.

Python code may: the one that gave an array away by ``from_numpy(copy=False)``, and opaque tasks that kept views of what they were given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from fuseir.runtime.arrays import Array
from fuseir.runtime.buffers import private_array
from fuseir.runtime.plan import Number


@dataclass(frozen=True)
class PrivateStep:
    """Gives a slot memory of its own, with the same contents, where Python code may see the one it has."""

    slot: int
    needs: Mapping[int, frozenset[int]] = field(default_factory=dict[int, frozenset[int]])
    reads: frozenset[int] = frozenset()
    launch_number: int | None = None

    def run(self, slots: list[Array | None], scalars: Sequence[Number]) -> None:
        """Copies, if need be. Raises OutOfMemoryError, with the slot as it was."""
        buffer = slots[self.slot]
        if buffer is not None:
            slots[self.slot] = private_array(buffer)
