"""Tables of what was measured."""

from __future__ import annotations

from math import exp, log
from typing import Any

from benchmarks.suite.examples import ALL_PROGRAMS
from benchmarks.suite.measure import PEERS, TUNED

_COLUMNS = (
    f"{'program':22}{'FuseIR ms':>11}{'frozen':>10}{'C ms':>10}{'FuseIR/C':>10}{'frozen/C':>10}"
    f"   {'best peer':15}{'FuseIR/peer':>12}{'frozen':>8}{'vs NumPy':>10}"
    f"{'GB/s':>7}{'of STREAM':>11}{'compile ms':>12}{'peak MB':>9}{'C MB':>7}"
)


def median(result: dict[str, Any], name: str) -> float | None:
    """Median seconds of a contender that was right."""
    reply = result["contenders"].get(name, {})
    return reply.get("median") if reply.get("right") and "failed" not in reply else None


def best_peer(result: dict[str, Any]) -> tuple[str, float] | None:
    """The fastest peer, with either allocator, and its seconds."""
    times = [(median(result, name), name) for peer in PEERS for name in (peer, peer + TUNED)]
    fastest = min(((seconds, name) for seconds, name in times if seconds is not None), default=None)
    return None if fastest is None else (fastest[1], fastest[0])


def stream_rate(document: dict[str, Any], threads: int) -> float | None:
    """The rate that memory-bound programs are compared with: the best of STREAM's loops with ordinary stores."""
    rates = document["stream"].get(str(threads))
    return None if not rates else max(rates["copy"], rates["triad"])


def ratio_to_c(result: dict[str, Any], name: str = "fuseir") -> float | None:
    """A contender's time over that of C."""
    ours, c = median(result, name), median(result, "c")
    return None if ours is None or c is None else ours / c


def report(document: dict[str, Any]) -> str:
    """The whole report, for people."""
    machine = document["machine"]
    lines = [
        f"{machine['processor']}, {machine['processors']} processors, {machine['system']}",
        f"Python {machine['python']}, NumPy {machine['numpy']}",
        f"{machine['date']}, load {document['load_before']:.1f} before and {document['load_after']:.1f} after; "
        f"medians of {'processor time' if document['clock'] == 'cpu' else 'samples'}, taken in turns",
        "+malloc: glibc keeps its memory, with huge pages",
    ]
    if "c_compile_seconds" in document:
        lines.append(f"C compiled in {document['c_compile_seconds']:.1f} s")
    for threads, rates in document["stream"].items():
        shown = ", ".join(f"{name.replace('_', ' ')} {rate / 1e9:.1f} GB/s" for name, rate in rates.items())
        lines.append(f"STREAM, threads {threads}: {shown}")
    lines += _wrong(document)
    lines += [f"refused: {what}: {why}" for what, why in document.get("refused", {}).items()]
    keys = sorted({(result["size"], result["threads"]) for result in document["results"]})
    for size, threads in keys:
        rows = [result for result in document["results"] if (result["size"], result["threads"]) == (size, threads)]
        if not any("median" in reply for row in rows for reply in row["contenders"].values()):
            continue
        lines += ["", f"{size} elements, {threads} thread{'s' if threads > 1 else ''}", _COLUMNS]
        lines += [_row(document, result) for result in rows]
        lines += _means(rows)
        lines += ["", *_all_times(rows)]
    return "\n".join(lines)


def _wrong(document: dict[str, Any]) -> list[str]:
    lines = []
    for result in document["results"]:
        for name, reply in result["contenders"].items():
            where = f"{name}, {result['program']}, {result['size']} elements, threads {result['threads']}"
            if "failed" in reply:
                lines.append(f"FAILED: {where}: {reply['failed']}")
            elif not reply["right"]:
                lines.append(f"WRONG: {where}: error {reply['error']:.3g}")
    return lines


def _row(document: dict[str, Any], result: dict[str, Any]) -> str:
    ours, frozen, c, numpy = (median(result, name) for name in ("fuseir", "frozen", "c", "numpy"))
    peer, ratio = best_peer(result), ratio_to_c(result)
    program, stream = ALL_PROGRAMS[result["program"]], stream_rate(document, result["threads"])
    rate = program.streams * 8 * result["size"] / ours if ours and program.streams else None
    reply = result["contenders"].get("fuseir", {})
    cells = [
        f"{program.name:22}",
        _cell(ours and ours * 1e3, 11, ".3f"),
        _cell(frozen and frozen * 1e3, 10, ".3f"),
        _cell(c and c * 1e3, 10, ".3f"),
        _cell(ratio, 10, ".2f"),
        _cell(ratio_to_c(result, "frozen"), 10, ".2f"),
        f"   {peer[0] if peer else '-':15}",
        _cell(ours / peer[1] if ours and peer else None, 12, ".2f"),
        _cell(frozen / peer[1] if frozen and peer else None, 8, ".2f"),
        _cell(numpy / ours if ours and numpy else None, 10, ".1f", "x"),
        _cell(rate and rate / 1e9, 7, ".1f"),
        _cell(rate / stream * 100 if rate and stream else None, 11, ".0f", "%"),
        _cell(reply["compile"] * 1e3 if "compile" in reply else None, 12, ".0f"),
        _cell(reply["peak"] / 1e6 if "peak" in reply else None, 9, ".0f"),
        _cell(peak / 1e6 if (peak := result["contenders"].get("c", {}).get("peak")) else None, 7, ".0f"),
    ]
    return "".join(cells)


def _means(rows: list[dict[str, Any]]) -> list[str]:
    """Geometric means over the array programs, and over the NumPy programs."""
    lines = []
    for family, examples in (("array programs", False), ("NumPy programs", True)):
        chosen = [row for row in rows if bool(ALL_PROGRAMS[row["program"]].example) == examples]
        means = []
        for name in ("fuseir", "frozen"):
            times = [(median(row, name), median(row, "c"), median(row, "numpy")) for row in chosen]
            over_c = _mean([ours / c for ours, c, _ in times if ours and c])
            numpy_over = _mean([numpy / ours for ours, _, numpy in times if ours and numpy])
            if over_c is not None and numpy_over is not None:
                means.append(f"{name} {over_c:.2f} of C's time, {numpy_over:.2f}x NumPy")
        if len(chosen) > 1 and means:
            lines.append(f"{family}, geometric means: {'; '.join(means)}")
    return lines


def _mean(values: list[float]) -> float | None:
    return exp(sum(map(log, values)) / len(values)) if values else None


def _cell(value: float | None, width: int, form: str, unit: str = "") -> str:
    return f"{'-' if value is None else format(value, form) + unit:>{width}}"


def _all_times(rows: list[dict[str, Any]]) -> list[str]:
    names = list(dict.fromkeys(name for row in rows for name in row["contenders"]))
    lines = [f"{'ms a call':22}" + "".join(f"{name:>15}" for name in names)]
    for row in rows:
        times = [median(row, name) for name in names]
        lines.append(f"{row['program']:22}" + "".join(_cell(t and t * 1e3, 15, ".3f") for t in times))
    return lines
