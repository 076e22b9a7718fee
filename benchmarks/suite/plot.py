"""A plot of times relative to C: SVG by hand, and PNG where matplotlib is installed."""

from __future__ import annotations

from html import escape
from math import log10
from pathlib import Path
from typing import Any

from benchmarks.suite.measure import PEERS, TUNED
from benchmarks.suite.report import median

COLOURS = {
    "fuseir": "#d62728",
    "frozen": "#e7969c",
    "numpy": "#1f77b4",
    "numexpr": "#2ca02c",
    "numba": "#9467bd",
    "jax": "#ff7f0e",
    "torch": "#8c564b",
}
_HEIGHT, _TOP, _LEFT, _BAR, _GAP = 300, 50, 60, 11, 18


def ratios(rows: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Time over that of C, by program and contender; of a peer, the better of its two allocators."""
    found: dict[str, dict[str, float]] = {}
    for row in rows:
        c = median(row, "c")
        if c is None:
            continue
        for name in ("fuseir", "frozen", *PEERS):
            times = [t for t in (median(row, name), median(row, name + TUNED)) if t is not None]
            if times:
                found.setdefault(row["program"], {})[name] = min(times) / c
    return found


def svg(title: str, values: dict[str, dict[str, float]]) -> str:
    """Bars on a logarithmic scale; the line at 1 is C."""
    names = [name for name in COLOURS if any(name in row for row in values.values())]
    numbers = [value for row in values.values() for value in row.values()] or [1.0]
    low = min(-0.35, log10(min(numbers)) - 0.05)
    high = max(1.0, log10(max(numbers)) + 0.05)
    group = _BAR * len(names) + _GAP
    width = _LEFT + group * len(values) + 20

    def y(value: float) -> float:
        return _TOP + _HEIGHT * (high - log10(value)) / (high - low)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{_TOP + _HEIGHT + 60}" font-family="sans-serif" font-size="11">',
        f'<rect width="100%" height="100%" fill="white"/><text x="{_LEFT}" y="18" font-size="14">{escape(title)}</text>',
    ]
    ticks = [m * 10.0**e for e in range(-3, 6) for m in (1, 2, 5) if low <= log10(m * 10.0**e) <= high]
    for tick in ticks:
        weight = 2 if tick == 1 else 0.5
        parts.append(
            f'<line x1="{_LEFT}" x2="{width - 10}" y1="{y(tick):.1f}" y2="{y(tick):.1f}" stroke="#888" stroke-width="{weight}"/>'
        )
        parts.append(f'<text x="{_LEFT - 6}" y="{y(tick) + 4:.1f}" text-anchor="end">{tick:g}x</text>')
    for g, (program, row) in enumerate(values.items()):
        left = _LEFT + g * group + _GAP / 2
        for k, name in enumerate(names):
            if name in row:
                top, bottom = sorted((y(row[name]), y(1.0)))
                place = (
                    f'x="{left + k * _BAR:.1f}" y="{top:.1f}" width="{_BAR - 1}" height="{max(bottom - top, 0.5):.1f}"'
                )
                label = escape(f"{program}, {name}: {row[name]:.2f}x")
                parts.append(f'<rect {place} fill="{COLOURS[name]}"><title>{label}</title></rect>')
        middle = left + _BAR * len(names) / 2
        parts.append(f'<text x="{middle:.1f}" y="{_TOP + _HEIGHT + 18}" text-anchor="middle">{escape(program)}</text>')
    for k, name in enumerate(names):
        x = _LEFT + k * 90
        parts.append(f'<rect x="{x}" y="28" width="10" height="10" fill="{COLOURS[name]}"/>')
        parts.append(f'<text x="{x + 14}" y="37">{name}</text>')
    legend = "time over that of hand-fused C (the line at 1x); lower is better"
    parts.append(f'<text x="{_LEFT}" y="{_TOP + _HEIGHT + 45}">{legend}</text></svg>')
    return "\n".join(parts)


def write_plots(document: dict[str, Any], folder: Path, stem: str) -> list[Path]:
    """One plot for each number of elements and of threads."""
    written: list[Path] = []
    for size, threads in sorted({(result["size"], result["threads"]) for result in document["results"]}):
        rows = [result for result in document["results"] if (result["size"], result["threads"]) == (size, threads)]
        values = ratios(rows)
        if not values:
            continue
        path = folder / f"{stem}-{size}-{threads}.svg"
        title = f"{size:,} elements, {threads} thread{'s' if threads > 1 else ''}"
        path.write_text(svg(title, values) + "\n", encoding="utf-8")
        written.append(path)
        written += _png(title, values, path.with_suffix(".png"))
    return written


def _png(title: str, values: dict[str, dict[str, float]], path: Path) -> list[Path]:
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return []
    names = [name for name in COLOURS if any(name in row for row in values.values())]
    figure = Figure(figsize=(1.2 * len(values) + 2, 4.5))
    axes = figure.subplots()
    for k, name in enumerate(names):
        at = [(g + k / (len(names) + 1), row[name]) for g, row in enumerate(values.values()) if name in row]
        axes.bar(
            [x for x, _ in at], [v for _, v in at], 1 / (len(names) + 1), label=name, color=COLOURS[name], align="edge"
        )
    axes.set_yscale("log")
    axes.axhline(1.0, color="black")
    axes.set_xticks([g + 0.4 for g in range(len(values))], list(values))
    axes.set_ylabel("time over hand-fused C")
    axes.set_title(title)
    axes.legend(ncols=len(names))
    figure.savefig(path, dpi=120)
    return [path]
