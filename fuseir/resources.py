"""What this process may use of the machine: processors and memory, as affinity and control groups limit them.

Both versions of control groups are asked, since a machine may have either, or both. Limits nest: those of all enclosing groups hold.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

_GROUPS = Path("/sys/fs/cgroup")
_MEMBERSHIP = Path("/proc/self/cgroup")
_MEMORY = Path("/proc/meminfo")


def available_cpus(groups: Path = _GROUPS, membership: Path = _MEMBERSHIP) -> int:
    """The processors this process may use, by its affinity and the CPU quotas of its control groups; at least 1."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quotas = [_words(folder / "cpu.max") for folder in _folders("", groups, membership)]
    quotas += [
        [*_words(folder / "cpu.cfs_quota_us"), *_words(folder / "cpu.cfs_period_us")]
        for folder in _folders("cpu", groups, membership)
    ]
    for quota in quotas:
        # "max" in version 2 and -1 in version 1 say that there is none.
        if len(quota) == 2 and all(word.isdecimal() for word in quota) and int(quota[1]):
            count = min(count, -(-int(quota[0]) // int(quota[1])))
    return max(1, count)


def total_memory(groups: Path = _GROUPS, membership: Path = _MEMBERSHIP, memory: Path = _MEMORY) -> int | None:
    """The bytes of memory this process could use if it were alone; None if the system does not say."""
    limits = [_size(folder / "memory.max") for folder in _folders("", groups, membership)]
    limits += [_size(folder / "memory.limit_in_bytes") for folder in _folders("memory", groups, membership)]
    limits.append(_fields(memory).get("MemTotal:"))
    return min((limit for limit in limits if limit is not None), default=None)


def available_memory(groups: Path = _GROUPS, membership: Path = _MEMBERSHIP, memory: Path = _MEMORY) -> int | None:
    """The bytes that this process can have now, files that the system would drop for it included; None if the system does not say."""
    system = _fields(memory)
    found = [system["MemAvailable:"] + system.get("SwapFree:", 0)] if "MemAvailable:" in system else []
    for controller, most, used, prefix in (
        ("", "memory.max", "memory.current", ""),
        ("memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_"),
    ):
        for folder in _folders(controller, groups, membership):
            limit, usage, parts = _size(folder / most), _size(folder / used), _fields(folder / "memory.stat")
            if limit is not None and usage is not None:
                files = sum(parts.get(f"{prefix}{kind}_file", 0) for kind in ("active", "inactive"))
                found.append(limit - max(usage - files, 0))
    return max(min(found), 0) if found else None


def _folders(controller: str, groups: Path, membership: Path) -> Iterator[Path]:
    """The folders of this process's group and those around it: of a controller of version 1, or of version 2 for ''."""
    for line in _lines(membership):
        _, _, rest = line.partition(":")
        names, _, place = rest.partition(":")
        if controller not in names.split(","):
            continue
        # Where both versions are in use, version 2 has a folder of its own.
        for mount in (groups / names, groups / controller) if names else (groups, groups / "unified"):
            # A container may see its own group as the outermost one, whatever its name is outside.
            parts = [part for part in place.split("/") if part]
            inner = [] if ".." in parts else parts
            yield from (mount.joinpath(*inner[:depth]) for depth in range(len(inner) + 1))


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []


def _words(file: Path) -> list[str]:
    return " ".join(_lines(file)).split()


def _size(file: Path) -> int | None:
    words = _words(file)
    return int(words[0]) if words and words[0].isdecimal() else None


def _fields(file: Path) -> dict[str, int]:
    """Lines of a name and a number, which counts kilobytes where the line says so."""
    found: dict[str, int] = {}
    for name, *words in (line.split() for line in _lines(file) if line):
        if words and words[0].isdecimal():
            found[name] = int(words[0]) * (1024 if words[1:] == ["kB"] else 1)
    return found
