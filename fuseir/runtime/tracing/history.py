"""The last tokens of the stream, and when how many of them are to be mined.

*By the ruler*, the paper's policy: of a buffer of ``buffer`` tokens that is filled again and again, all is mined when it is full.
Meanwhile, whenever k times ``unit`` tokens are in it, as many of the most recent ones are mined as the largest power of two that divides
k, times ``unit``. Each token is mined once for each power of two at most, and a loop longer than the unit is seen before its seventh
time around.

*As phases begin*: a loop that starts is one whose tokens were never there before, and then are nothing else any more. So when ``first``
tokens have come since the last new one, twice as many are mined, and again whenever as many more have come. The same where what was
replayed ends. These samples are small and soon; there are ``credit`` of them to begin with, and one more for each eighth of a buffer.

*Less as time goes by*: what is shorter than the ``growth``-th part of what came since the last new token is not mined, so that
mining costs less and less where nothing changes; up to ``ceiling``, as something may.

Source: Apophenia §4.4 for the ruler; checks A14 to A17.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

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
    tokens: list[int]


class History:
    """The tokens of one stream. They come in pieces of any size: samples do not depend on how the stream is cut.

    A token is new if it is larger than any before, ``newest``: they are numbered in the order in which they first came.
    """

    def __init__(self, sampling: Sampling) -> None:
        self._sampling = sampling
        self._recent: list[int] = []
        self.newest = -1
        self._age = 0  # tokens since the last new one
        self._due = sampling.first or _NEVER  # the age of the next sample of this phase
        self._left = 0  # tokens before which nothing can be due
        self._spent = 0
        self._separators = 0
        self._replayed = False
        self.position = 0

    @property
    def until_due(self) -> int:
        """The tokens with which a sample may be due, if no new ones come: who hands them over later delays it."""
        if not self._left:
            self._left = min(self._until_ruler(), self._due - self._age)
        return self._left

    def append(self, tokens: Sequence[int], *, replayed: bool = False) -> list[Sample]:
        """Takes the next tokens of the stream; the samples that are due, in order.

        ``replayed``: these were a trace. What comes behind traces may be the end of what they were found for, so a phase begins.
        """
        if self._replayed is not replayed:
            self._replayed = replayed
            if not replayed:
                self.restart()
        samples: list[Sample] = []
        if replayed or not self._sampling.first or max(tokens, default=-1) <= self.newest:
            self._take(tokens, samples)
            return samples
        done = 0
        for begin, end in self._new_ones(tokens):
            self._take(tokens[done:begin], samples)
            self._keep(tokens[begin:end])  # where there is nothing but new tokens, nothing repeats
            self.restart()
            done = end
        self._take(tokens[done:], samples)
        return samples

    def separator(self) -> int:
        """A token that is like no other: no repeat spans it."""
        self._separators += 1
        return -self._separators

    def restart(self) -> None:
        """A phase begins, as if the last token were new."""
        self._age = self._left = 0
        self._due = self._sampling.first or _NEVER

    def _new_ones(self, tokens: Sequence[int]) -> list[tuple[int, int]]:
        """From where to where there are new tokens, never so far apart that a sample would be due between them."""
        ranges: list[tuple[int, int]] = []
        for place, token in enumerate(tokens):
            if token > self.newest:
                self.newest = token
                near = bool(ranges) and place - ranges[-1][1] < self._sampling.first
                ranges[-1:] = [(ranges[-1][0], place + 1)] if near else [*ranges[-1:], (place, place + 1)]
        return ranges

    def _take(self, tokens: Sequence[int], samples: list[Sample]) -> None:
        """Takes tokens none of which is new."""
        done = 0
        while done < len(tokens):
            step = min(len(tokens) - done, self.until_due)
            self._keep(tokens if step == len(tokens) else tokens[done : done + step])
            done += step
            self._age += step
            self._left -= step
            if not self._left:
                length = max(self._due_by_age(), self._due_by_ruler())
                if length:
                    samples.append(Sample(self.position, self._recent[-length:]))

    def _floor(self) -> int:
        """What is too short to be mined by the ruler."""
        sampling = self._sampling
        return min(self._age // sampling.growth, sampling.ceiling) if sampling.growth else 0

    def _until_ruler(self) -> int:
        """The tokens until the ruler may have a sample: from one place to the next that is long enough by now."""
        step, filled = self._sampling.unit, self.position % self._sampling.buffer
        while step < self._floor() and step < self._sampling.buffer:
            step *= 2
        return min(step - filled % step, self._sampling.buffer - filled)

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
        if self.position % sampling.unit or self._age < sampling.first:
            return 0
        filled = self.position % sampling.buffer
        if filled:
            length = _lowest_bit(filled // sampling.unit) * sampling.unit
            return length if length >= self._floor() else 0
        fills = _lowest_bit(self.position // sampling.buffer)
        return sampling.buffer if fills * sampling.buffer >= self._floor() else 0

    def _keep(self, tokens: Sequence[int]) -> None:
        self.position += len(tokens)
        self._recent += tokens
        if len(self._recent) > 2 * self._sampling.buffer:
            del self._recent[: -self._sampling.buffer]


def _lowest_bit(number: int) -> int:
    return number & -number
