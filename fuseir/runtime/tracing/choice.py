"""Which of the complete matches are replayed, where they overlap."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from fuseir.runtime.tracing.candidates import Trace


class Match(NamedTuple):
    """A trace over ``[start, end)`` of the stream."""

    trace: Trace
    start: int
    end: int
    value: float
    """What replaying it is worth, as of when it was complete."""


def best(matches: Sequence[Match]) -> Sequence[Match]:
    """Disjoint matches of the greatest total value, in order: weighted interval scheduling. O(n log n).

    ``matches`` are in the order of their ends, and those with one end in the order of their starts. Intervals are half open: what begins
    where another one ends does not overlap it. Of equal sums the one is taken whose last match comes first in the order of
    ``matches``; so of two equally good matches the earlier, and a longer one rather than its parts.
    """
    if len(matches) == 1:
        return matches
    ends = [match.end for match in matches]
    totals = [0.0]
    for k, match in enumerate(matches):
        total = totals[bisect_right(ends, match.start, hi=k)] + match.value
        totals.append(max(totals[-1], total))
    chosen: list[Match] = []
    k = len(matches)
    while k:
        if totals[k] == totals[k - 1]:
            k -= 1
        else:
            chosen.append(matches[k - 1])
            k = bisect_right(ends, matches[k - 1].start, hi=k - 1)
    return chosen[::-1]
