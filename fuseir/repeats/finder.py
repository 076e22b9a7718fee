"""The repeats of a sequence: substrings that stand in it twice or more, at places that do not overlap.

Source: Apophenia §4.2, Algorithm 2; checks A5 to A12. Differences from what is published or shipped:

- A substring is reported if it is picked at two places or more, as the paper's Figure 4 shows; its pseudo-code does not say so.
- Substrings are the same if their tokens are, wherever the suffix array has them.
- Positions are signed: a run at the very front is cut as one in the middle is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fuseir.repeats.factors import BasicFactors, Positions, token_array

_FIRST_BLOCK = 64
"""Candidates that are looked at one by one before the others are asked again whether they are still possible."""


class Repeat(NamedTuple):
    """A substring: its length, and where it stands, in ascending order."""

    length: int
    starts: tuple[int, ...]


def find_repeats(tokens: Sequence[int] | npt.NDArray[np.int64], minimum: int = 1) -> list[Repeat]:
    """The repeats of at least ``minimum`` tokens, the longest first, those of one length in the order of their tokens.

    No two of all the intervals overlap, and each repeat has two or more. O(n log n); which of several equally good answers it is depends on
    the order of the tokens, but not on anything outside.
    """
    sequence = token_array(tokens)
    factors = BasicFactors(sequence)
    return _choose(len(sequence), *candidates(factors, max(minimum, 1)))


def candidates(factors: BasicFactors, minimum: int) -> tuple[Positions, Positions, Positions]:
    """Lengths, starts, and the numbers of groups of equal substrings, the longest first: what repeats are chosen from."""
    common = factors.common_prefixes()
    first = np.minimum(factors.suffixes[:-1], factors.suffixes[1:])
    second = np.maximum(factors.suffixes[:-1], factors.suffixes[1:])
    distance = second - first
    # Two that overlap are a run of that period: it is cut into two equal halves of whole periods.
    run = distance < common
    halves = (common + distance) // 2 // np.maximum(distance, 1) * distance
    length = np.where(run, halves, common)
    second = np.where(run, first + length, second)
    wanted = length >= minimum
    lengths = np.tile(length[wanted], 2)
    starts = np.concatenate([first[wanted], second[wanted]])
    identities = factors.identities(starts, lengths)
    order = np.lexsort((starts, identities, -lengths))
    lengths, starts, identities = lengths[order], starts[order], identities[order]
    other = np.ones(len(lengths), np.bool_)
    other[1:] = (lengths[1:] != lengths[:-1]) | (identities[1:] != identities[:-1])
    groups: Positions = np.cumsum(other.astype(np.int64))
    other[1:] |= starts[1:] != starts[:-1]
    return lengths[other], starts[other], groups[other]


def _choose(count: int, lengths: Positions, starts: Positions, groups: Positions) -> list[Repeat]:
    """Longest first, each group from left to right, what does not overlap anything that was chosen before."""
    chosen: list[Repeat] = []
    taken = bytearray(count)
    is_taken = np.frombuffer(taken, np.bool_)
    # What was chosen before is at least as long: what overlaps it has its first or its last token in it.
    at, block = 0, _FIRST_BLOCK
    while at < len(starts):
        end = int(np.searchsorted(groups, groups[min(at + block, len(groups)) - 1], side="right"))
        free = at + np.flatnonzero(~(is_taken[starts[at:end]] | is_taken[starts[at:end] + lengths[at:end] - 1]))
        several = np.zeros(len(free), np.bool_)
        same = groups[free[1:]] == groups[free[:-1]]
        several[1:] |= same
        several[:-1] |= same
        free = free[several]
        bounds = np.flatnonzero(np.diff(groups[free], prepend=0, append=0)).tolist()
        group_lengths = lengths[free].tolist()
        group_starts = starts[free].tolist()
        for k, lower in enumerate(bounds[:-1]):
            length = group_lengths[lower]
            picks: list[int] = []
            past = 0
            for start in group_starts[lower : bounds[k + 1]]:
                if start >= past and not taken[start] and not taken[start + length - 1]:
                    picks.append(start)
                    past = start + length
            if len(picks) > 1:
                chosen.append(Repeat(length, tuple(picks)))
                for start in picks:
                    taken[start : start + length] = b"\1" * length
        at, block = end, 2 * block
    return chosen
