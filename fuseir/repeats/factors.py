"""Which substrings of a sequence are equal, and how they are ordered.

``BasicFactors`` numbers the substrings whose lengths are powers of two, shorter ones first, each from two of the next smaller
(the dictionary of basic factors: Karp, Miller and Rosenberg, 1972). Equal substrings have equal numbers and smaller ones smaller numbers,
so that the last numbering orders all suffixes (Manber and Myers, 1993). The numberings that come before it are kept: with them common
prefixes are measured, and substrings of any length compared, for all positions at once. O(n log n) sorted keys for each of at most
log n numberings, all of it in NumPy; a sequence without long repeats needs few.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Positions = npt.NDArray[np.int64]


class BasicFactors:
    """The numberings of a sequence of integers; ``suffixes`` are the starts of all suffixes, the smallest first."""

    def __init__(self, tokens: npt.NDArray[np.int64]) -> None:
        count = len(tokens)
        self._span = count + 1
        self.suffixes: Positions = np.argsort(tokens)
        level, distinct = self._numbered(tokens[self.suffixes])
        self._levels = [level]
        while distinct < count:
            width = 1 << (len(self._levels) - 1)
            keys = level[:-1] * np.int64(self._span)
            keys[: count - width] += level[width:-1]  # 0 for what reaches over the end: smaller than any token
            self.suffixes = np.argsort(keys)
            level, distinct = self._numbered(keys[self.suffixes])
            self._levels.append(level)

    def _numbered(self, ordered: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int32], int]:
        """Numbers from 1 on for keys that ``suffixes`` has ordered, by position, with a 0 behind the end; and how many there are."""
        numbers = np.zeros(len(ordered), np.int32)
        np.cumsum(ordered[1:] != ordered[:-1], out=numbers[1:])
        numbers += 1
        level = np.zeros(self._span, np.int32)
        level[self.suffixes] = numbers
        return level, int(numbers[-1]) if len(numbers) else 0

    def common_prefixes(self) -> Positions:
        """For each suffix but the smallest, the tokens that it has in common with the next smaller one."""
        lengths = np.zeros(max(len(self.suffixes) - 1, 0), np.int64)
        smaller, larger = self.suffixes[:-1], self.suffixes[1:]
        for k in range(len(self._levels) - 1, -1, -1):
            level = self._levels[k]
            lengths += (level[smaller + lengths] == level[larger + lengths]).astype(np.int64) << k
        return lengths

    def identities(self, starts: Positions, lengths: Positions) -> Positions:
        """A number for each substring: of those of one length, equal ones get equal numbers, smaller ones smaller. None may be empty."""
        # A substring is two of the largest power of two that fits: one from its start, one up to its end.
        exponents = np.frexp(lengths.astype(np.float64))[1].astype(np.int64) - 1
        numbers = np.zeros(len(starts), np.int64)
        for k, level in enumerate(self._levels):
            chosen = np.flatnonzero(exponents == k)
            if len(chosen):
                first = starts[chosen]
                last = first + lengths[chosen] - (1 << k)
                numbers[chosen] = level[first] * np.int64(self._span) + level[last]
        beyond = np.flatnonzero(exponents >= len(self._levels))  # so long that each is there once
        numbers[beyond] = self._levels[-1][starts[beyond]] * np.int64(self._span)
        return numbers


def token_array(tokens: Any) -> npt.NDArray[np.int64]:
    """A sequence of integers as an array."""
    return np.asarray(tokens, dtype=np.int64).reshape(-1)
