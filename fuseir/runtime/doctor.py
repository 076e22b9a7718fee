"""What a session runs on, and what in a program costs it: the report of ``fuseir.doctor()``."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version

from fuseir.location import CallSite
from fuseir.runtime.session import Session

_SHOWN = 10


def report(session: Session) -> str:
    """Versions, options, counts, and the lines that made the program wait or leave the stream, the most frequent first."""
    options, statistics, usage = session.options, session.statistics, session.usage
    cache = session.cache_info()
    lines = [
        f"Python {platform.python_version()}, {platform.machine()}, {platform.system()}",
        ", ".join(f"{name} {_version(name)}" for name in ("fuseir", "numpy", "xdsl", "llvmlite")),
        f"executor {options.target}, {options.threads} threads, {options.procs} pieces, fusion {'on' if options.fuse else 'off'}",
        *str(cache).splitlines(),
        f"{statistics.tasks} tasks ran as {statistics.launches} launches; {statistics.plan_misses} plans were made, "
        f"{statistics.plan_hits} known",
        f"{statistics.forced_flushes} reads made what was captured run{':' if usage.syncs else ''}",
        *_counted((count, site, "") for site, count in usage.syncs.most_common()),
        f"{sum(usage.fallbacks.values())} calls were NumPy's to run{':' if usage.fallbacks else ''}",
        *_counted((count, site, f"{name}: ") for (name, site), count in usage.fallbacks.most_common()),
    ]
    return "\n".join(lines)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "(not installed)"


def _counted(found: Iterable[tuple[int, CallSite, str]]) -> list[str]:
    lines: list[str] = []
    for number, (count, site, what) in enumerate(found):
        if number == _SHOWN:
            lines.append("         ... and other places")
            break
        place = site.resolve()
        lines.append(f"{count:8}  {what}{place.file}:{place.line}: {(place.text or '').strip()}")
    return lines
