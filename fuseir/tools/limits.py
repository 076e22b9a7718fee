"""Bounds on what one run of a tool may use of the machine."""

from __future__ import annotations

import re
import resource
import signal
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType

from fuseir.errors import LimitError, UsageError

DEFAULT_MEMORY = "4GiB"
DEFAULT_SECONDS = 60.0

_UNITS = {"": 1, "B": 1, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "K": 2**10, "M": 2**20, "G": 2**30}
# Python answers signals between bytecodes only. Should one of them never end, the kernel ends the process after as much
# processor time again.
_GRACE_SECONDS = 10


def parse_size(text: str) -> int:
    """A number of bytes from text like ``4GiB``, ``512M`` or ``1000000``; 0 means no limit."""
    match = re.fullmatch(r"([0-9]{1,15})\s*([A-Za-z]*)", text.strip())
    if match is None or match[2].upper() not in _UNITS:
        raise UsageError(f"not a size: '{text}' (write for example 4GiB, 512MiB or a number of bytes)")
    return int(match[1]) * _UNITS[match[2].upper()]


@contextmanager
def limited(max_bytes: int, max_seconds: float) -> Generator[None, None, None]:
    """Within this, memory beyond ``max_bytes`` is a MemoryError and time beyond ``max_seconds`` a LimitError.

    For the main thread of a tool's process. Zero means no limit.
    """

    def out_of_time(signum: int, frame: FrameType | None) -> None:
        raise LimitError(f"gave up after {max_seconds:g} seconds (--max-seconds)")

    memory = resource.getrlimit(resource.RLIMIT_AS)
    processor = resource.getrlimit(resource.RLIMIT_CPU)
    handler = signal.signal(signal.SIGALRM, out_of_time)
    try:
        if max_bytes:
            _lower(resource.RLIMIT_AS, memory, max_bytes)
        if max_seconds:
            used = resource.getrusage(resource.RUSAGE_SELF)
            spent = used.ru_utime + used.ru_stime
            _lower(resource.RLIMIT_CPU, processor, int(spent + max_seconds) + _GRACE_SECONDS)
            # Again every second, in case code that recovers from any exception swallowed the first.
            signal.setitimer(signal.ITIMER_REAL, max_seconds, 1.0)
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        resource.setrlimit(resource.RLIMIT_AS, memory)
        resource.setrlimit(resource.RLIMIT_CPU, processor)


def _lower(which: int, current: tuple[int, int], wanted: int) -> None:
    """Set the soft limit, never above what is in force already."""
    bounds = [bound for bound in current if bound != resource.RLIM_INFINITY]
    resource.setrlimit(which, (min([wanted, *bounds]), current[1]))
