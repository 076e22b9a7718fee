"""The last tokens of the stream, and when how many of them are to be mined.

*By the ruler*, the paper's policy: of a buffer of ``buffer`` tokens that is filled again and again, all is mined when it is full.
Meanwhile, whenever k times ``unit`` tokens are in it, as many of the most recent ones are mined as the largest power of two that divides
k, times ``unit``. Each token is mined once for each power of two at most, and a loop longer than the unit is seen before its seventh
time around.

*As phases begin*: a loop that starts is one whose tokens were never there before, and then are nothing else any more. So when ``first``
tokens have come since the last new one, twice as many are mined, and again whenever as many more have come. These samples are small
and soon; there are ``credit`` of them to begin with, and one more for each eighth of a buffer.

*Less as time goes by*: what is shorter than the ``growth``-th part of what came since the last new token is not mined, so that
mining costs less and less where nothing changes; up to ``ceiling``, as something may.

Source: Apophenia §4.4 for the ruler; checks A14 to A17.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fuseir.errors import UsageError


@dataclass(frozen=True)
class Sampling:
    """When to mine; see the module. ``first`` 0 and ``growth`` 0 leave the paper's policy. Raises UsageError for what is none."""

    unit: int = 256
    buffer: int = 8192
    first: int = 8
    credit: int = 64
    growth: int = 4
    ceiling: int = 1 << 18

    def __post_init__(self) -> None:
        """Checks the figures."""
        if self.unit < 1 or self.buffer < self.unit or self.buffer % self.unit:
            raise UsageError(f"a buffer of {self.buffer} tokens is no multiple of a unit of {self.unit}")
        if min(self.first, self.credit, self.growth, self.ceiling) < 0:
            raise UsageError("what a sampling is made of is not negative")


_NEVER = 1 << 62


class Sample(NamedTuple):
    """Tokens to be mined, and how many had come when they were taken: they are the last of these."""

    position: int
    tokens: npt.NDArray[np.int64]


class History:
    """The tokens of one stream. They come in pieces of any size: samples do not depend on how the stream is cut.

    A token is new if it is larger than any before: they are numbered in the order in which they first came.
    """

    def __init__(self, sampling: Sampling) -> None:
        self._sampling = sampling
        self._recent = np.zeros(2 * sampling.buffer, np.int64)
        self._end = 0  # of what is in there
        self._newest = -1
        self._age = 0  # tokens since the last new one
        self._due = sampling.first or _NEVER  # the age of the next sample of this phase
        self._spent = 0
        self._separators = 0
        self.position = 0

    def append(self, tokens: Sequence[int]) -> list[Sample]:
        """Takes the next tokens of the stream; the samples that are due, in order."""
        incoming = np.asarray(tokens, np.int64)
        samples: list[Sample] = []
        done = 0
        for begin, end in [*self._new_ones(incoming), (len(incoming), len(incoming))]:
            self._take(incoming[done:begin], samples)
            if end > begin:
                self.restart()
                self._take(incoming[begin:end], samples, new=True)
                self.restart()
            done = end
        return samples

    def separate(self) -> list[Sample]:
        """Takes a token that is like no other: no repeat spans it. The samples that are due."""
        self._separators += 1
        return self.append([-self._separators])

    def restart(self) -> None:
        """A phase begins, as if the last token were new."""
        self._age = 0
        self._due = self._sampling.first or _NEVER

    def _new_ones(self, incoming: npt.NDArray[np.int64]) -> list[tuple[int, int]]:
        """From where to where there are new tokens, never so far apart that a sample would be due between them."""
        if not len(incoming) or not self._sampling.first:
            return []
        highest = np.maximum.accumulate(incoming)
        places = np.flatnonzero(incoming > np.concatenate([[self._newest], np.maximum(highest[:-1], self._newest)]))
        if not len(places):
            return []
        self._newest = int(highest[-1])
        apart = np.flatnonzero(np.diff(places) > self._sampling.first)
        begins = places[np.concatenate([[0], apart + 1])]
        ends = places[np.concatenate([apart, [len(places) - 1]])] + 1
        return list(zip(begins.tolist(), ends.tolist(), strict=True))

    def _take(self, tokens: npt.NDArray[np.int64], samples: list[Sample], new: bool = False) -> None:
        unit = self._sampling.unit
        done = 0
        while done < len(tokens):
            step = min(len(tokens) - done, unit - self.position % unit)
            if not new:
                step = min(step, self._due - self._age)
                self._age += step
            self._keep(tokens[done : done + step])
            done += step
            length = max(0 if new else self._due_by_age(), self._due_by_ruler())
            if length:
                samples.append(Sample(self.position, self._last(length)))

    def _due_by_age(self) -> int:
        """How many tokens to mine as a phase has begun, if any."""
        if self._age < self._due:
            return 0
        length = 2 * self._due
        self._due *= 2
        if length > self._sampling.buffer:
            self._due = _NEVER
            return 0
        if self._spent >= self._sampling.credit + 8 * self.position // self._sampling.buffer:
            return 0
        self._spent += 1
        return length

    def _due_by_ruler(self) -> int:
        """How many tokens to mine by the ruler, if any."""
        sampling = self._sampling
        if self.position % sampling.unit:
            return 0
        floor = min(self._age // sampling.growth, sampling.ceiling) if sampling.growth else 0
        filled = self.position % sampling.buffer
        if filled:
            length = _lowest_bit(filled // sampling.unit) * sampling.unit
            return length if length >= floor else 0
        fills = _lowest_bit(self.position // sampling.buffer)
        return sampling.buffer if fills * sampling.buffer >= floor else 0

    def _keep(self, tokens: npt.NDArray[np.int64]) -> None:
        if self._end + len(tokens) > len(self._recent):
            kept = self._sampling.buffer
            self._recent[:kept] = self._recent[self._end - kept : self._end].copy()
            self._end = kept
        self._recent[self._end : self._end + len(tokens)] = tokens
        self._end += len(tokens)
        self.position += len(tokens)

    def _last(self, count: int) -> npt.NDArray[np.int64]:
        return self._recent[max(self._end - count, 0) : self._end].copy()


def _lowest_bit(number: int) -> int:
    return number & -number
