"""How much of a sequence a choice of repeats covers, and whether it is a choice at all (Apophenia §3; check A13)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

from fuseir.errors import UsageError
from fuseir.repeats.finder import Repeat


def coverage(repeats: Iterable[Repeat]) -> int:
    """The tokens in the intervals of all repeats together: what finding repeats is to make large."""
    return sum(repeat.length * len(repeat.starts) for repeat in repeats)


def check_repeats(tokens: Sequence[Any], repeats: Iterable[Repeat], minimum: int = 1) -> None:
    """Raises UsageError unless each repeat is one substring of at least ``minimum`` tokens at all its places, and no places overlap."""
    intervals: list[tuple[int, int]] = []
    for length, starts in repeats:
        if length < max(minimum, 1):
            raise UsageError(f"a repeat of {length} tokens is shorter than {max(minimum, 1)}")
        for start in starts:
            if not 0 <= start <= len(tokens) - length:
                raise UsageError(f"[{start}, {start + length}) is outside of a sequence of {len(tokens)} tokens")
            if list(tokens[start : start + length]) != list(tokens[starts[0] : starts[0] + length]):
                raise UsageError(f"[{start}, {start + length}) and [{starts[0]}, {starts[0] + length}) are not equal")
            intervals.append((start, start + length))
    intervals.sort()
    for (first, end), (second, last) in pairwise(intervals):
        if second < end:
            raise UsageError(f"[{first}, {end}) and [{second}, {last}) overlap")
