"""What compiled CUDA kernels take of a processor, as ptxas says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

MOST_SPILLED = 256
"""Bytes that a kernel may spill, stores and loads: so much lives across the calls that divisions and functions have for rare operands.
Of what is beyond, it is said that smaller kernels may be faster."""


@dataclass(frozen=True)
class Resources:
    """What an entry point takes: registers, bytes of stack, bytes spilled (stores and loads), bytes of shared memory."""

    registers: int
    stack: int
    spills: int
    shared: int


def resources(log: str) -> dict[str, Resources]:
    """By entry point, from the log of a compilation to cubin with ``--ptxas-options=-v``."""
    found: dict[str, Resources] = {}
    for part in re.split(r"ptxas info\s*: Compiling entry function ", log)[1:]:
        name = re.match(r"'(\w+)'", part)
        frame = re.search(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads", part)
        used = re.search(r"Used (\d+) registers", part)
        if name is None or frame is None or used is None:
            continue  # another version of ptxas says it otherwise: it is a report, and nothing depends on it
        shared = re.search(r"(\d+) bytes smem", part)
        stack, stores, loads = map(int, frame.groups())
        found[name[1]] = Resources(int(used[1]), stack, stores + loads, int(shared[1]) if shared else 0)
    return found


def as_json(found: Mapping[str, Resources]) -> dict[str, dict[str, int]]:
    """What JSON says of them."""
    return {name: asdict(each) for name, each in found.items()}


def from_json(value: Any) -> dict[str, Resources]:
    """What ``as_json`` made this of. Raises TypeError, AttributeError or ValueError for anything else."""
    return {str(name): Resources(**{key: int(number) for key, number in each.items()}) for name, each in value.items()}
