"""The knobs of a session: one frozen dataclass, read from the environment once.

Precedence: keyword of ``Session(...)`` > environment variable > default.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from fuseir.errors import UsageError
from fuseir.resources import available_cpus, total_memory


@dataclass(frozen=True)
class Options:
    """What a session does; see docs/options.md for the variables that set each."""

    target: str = "cpu"
    """The executor: ``cpu``, ``cuda`` or ``reference``."""
    threads: int = 0
    """Worker threads of the CPU executor; 0 means one for each available processor. Never affects results."""
    procs: int = 8
    """Pieces that stores are divided into by default: the launch domain is ``[procs]``. Reductions of inexact values depend on it. On a GPU
    the default is 1: it works on one piece at a time."""
    window: int = 64
    """Launches at which a window is full at first: all its tasks but the last run without being asked for."""
    max_window: int = 1024
    """What a window grows to at most, while all of it becomes one task; it never grows if this is not above ``window``."""
    trace: bool = True
    """Whether repeating fragments of the stream are looked for, to be run as one segment each (docs/tracing.md); never affects results."""
    fuse: bool = True
    """Whether tasks are fused (``FUSEIR_DISABLE=1`` turns it off; results do not change)."""
    memory_bytes: int | None = None
    """What stores may take at most, all together; beyond it is an OutOfMemoryError. None leaves it to the system."""
    pool_bytes: int | None = None
    """Memory of dead stores that is kept for the next ones at most; None stands for an eighth of the memory that this process may use."""
    check: bool = False
    """Whether what the passes make of each window is checked point by point (docs/checking.md); slow, never affects results."""
    cache: bool = True
    """Whether plans and compiled kernels are kept on disk for the next process (docs/caching.md); never affects results."""
    cache_dir: str | os.PathLike[str] | None = None
    """The folder they are kept in; ``fuseir`` in the user's cache folder unless given."""
    cache_bytes: int = 1 << 28
    """What that folder may hold; the longest unused is removed."""
    cache_probe: bool = False
    """Whether a child process tries to load code from the cache before this one does."""
    background: bool = False
    """Whether windows that are not known run unfused at once, while their plans are made on a thread; never affects results."""
    sync: str = "allow"
    """What becomes of reads that make what was captured run: ``allow``, ``log`` (a line for each place), or ``error``."""
    fallback: str = "warn"
    """What becomes of functions that NumPy runs in place of ``fuseir.numpy``: ``allow``, ``warn`` (once each), or ``error``."""
    dump_ir: str | os.PathLike[str] | None = None
    """Folder that receives every captured window as IR, and the output of every pass."""
    remarks: str | None = None
    """Kinds of remarks to print for each window that is planned: ``missed``, or ``passed,missed``, or ``all``."""
    remarks_file: str | os.PathLike[str] | None = None
    """File that remarks are added to; standard error unless given."""

    @property
    def remark_kinds(self) -> tuple[str, ...]:
        """``remarks`` as a list of kinds."""
        asked = tuple(kind.strip() for kind in (self.remarks or "").split(",") if kind.strip())
        return REMARK_KINDS if "all" in asked else asked


_KEPT_SHARE = 8
_USUAL_MEMORY = 1 << 33
"""Where the system does not say how much there is."""

REMARK_KINDS = ("passed", "missed", "failed", "analysis")
"""MLIR's kinds of remarks."""


TARGETS = ("cpu", "cuda", "reference")
_CHOICES = {"sync": ("allow", "log", "error"), "fallback": ("allow", "warn", "error")}

_VARIABLES = {
    "target": "FUSEIR_BACKEND",
    "threads": "FUSEIR_NUM_THREADS",
    "procs": "FUSEIR_PROCS",
    "window": "FUSEIR_WINDOW",
    "max_window": "FUSEIR_MAX_WINDOW",
    "memory_bytes": "FUSEIR_MEMORY_BYTES",
    "pool_bytes": "FUSEIR_POOL_BYTES",
    "fuse": "FUSEIR_DISABLE",
    "trace": "FUSEIR_TRACE",
    "check": "FUSEIR_CHECK",
    "cache": "FUSEIR_CACHE",
    "cache_dir": "FUSEIR_CACHE_DIR",
    "cache_bytes": "FUSEIR_CACHE_BYTES",
    "cache_probe": "FUSEIR_CACHE_PROBE",
    "background": "FUSEIR_BACKGROUND",
    "sync": "FUSEIR_SYNC",
    "fallback": "FUSEIR_FALLBACK",
    "dump_ir": "FUSEIR_DUMP_IR",
    "remarks": "FUSEIR_REMARKS",
    "remarks_file": "FUSEIR_REMARKS_FILE",
}


def options_from(overrides: Mapping[str, Any], environment: Mapping[str, str] | None = None) -> Options:
    """Defaults, then the environment, then ``overrides`` (entries of None count as not given).

    Raises UsageError that names the variable or keyword at fault.
    """
    environment = os.environ if environment is None else environment
    values: dict[str, Any] = {}
    for field, variable in _VARIABLES.items():
        text = environment.get(variable)
        if text is not None and text != "":
            values[field] = _parse(field, variable, text)
    known = {f.name for f in fields(Options)}
    for key, value in overrides.items():
        if key not in known:
            raise UsageError(f"unknown option '{key}'; options are {', '.join(sorted(known))}")
        if value is not None:
            values[key] = value
    if values.get("target") == "cuda":
        values.setdefault("procs", 1)
    options = replace(Options(), **values)
    if options.target not in TARGETS:
        raise UsageError(f"unknown target '{options.target}'; targets are {', '.join(TARGETS)}")
    if options.target == "cuda" and options.memory_bytes is not None:
        raise UsageError(
            "option 'memory_bytes' is for the host's memory; CUPY_GPU_MEMORY_LIMIT bounds what CuPy's pool takes of a GPU's"
        )
    for key, choices in _CHOICES.items():
        if (value := getattr(options, key)) not in choices:
            raise UsageError(f"option '{key}' is one of {', '.join(choices)}, not {value!r}")
    if options.pool_bytes is None:
        options = replace(options, pool_bytes=(total_memory() or _USUAL_MEMORY) // _KEPT_SHARE)
    for key, least in (
        ("procs", 1),
        ("window", 1),
        ("max_window", 1),
        ("threads", 0),
        ("cache_bytes", 1),
        ("memory_bytes", 0),
        ("pool_bytes", 0),
    ):
        value: Any = getattr(options, key)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise UsageError(f"option '{key}' is a whole number of at least {least}, not {value!r}")
    # Every launch has `procs` points, and each point costs time: a slip of the keyboard must not look like a hang.
    for key, most in (("procs", 65536), ("threads", 4096)):
        if (value := getattr(options, key)) > most:
            raise UsageError(f"option '{key}' is at most {most}, not {value!r}")
    for key in ("fuse", "trace", "check", "cache", "cache_probe", "background"):
        if not isinstance(value := getattr(options, key), bool):
            raise UsageError(f"option '{key}' is True or False, not {value!r}")
    for key in ("cache_dir", "dump_ir", "remarks_file"):
        if (value := getattr(options, key)) is not None and not isinstance(value, str | os.PathLike):
            raise UsageError(f"option '{key}' is a path, not {value!r}")
    if not isinstance(options.remarks, str | None):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise UsageError(f"option 'remarks' is text such as 'missed', not {options.remarks!r}")
    if unknown := [kind for kind in options.remark_kinds if kind not in REMARK_KINDS]:
        raise UsageError(f"unknown kind of remarks '{unknown[0]}'; kinds are {', '.join(REMARK_KINDS)}, and all")
    return replace(options, threads=options.threads or available_cpus())


def _parse(field: str, variable: str, text: str) -> Any:
    if field in ("target", "sync", "fallback", "cache_dir", "dump_ir", "remarks", "remarks_file"):
        return text
    if field in ("fuse", "trace", "check", "cache", "cache_probe", "background"):
        if text not in ("0", "1"):
            raise UsageError(f"{variable} is 0 or 1, not {text!r}")
        return text == ("0" if field == "fuse" else "1")  # FUSEIR_DISABLE says what not to do
    try:
        return int(text)
    except ValueError:
        raise UsageError(f"{variable} is a whole number, not {text!r}") from None
