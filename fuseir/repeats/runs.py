"""Runs: repeats that follow themselves directly, as those of a loop do, brought down to one time around the loop.

The finder cuts a run into two halves, as long as what it happened to see of the loop. Here it becomes one period, as often as it is there:
the same loop gives the same repeat however much of it was seen, and the shorter one is there again the sooner. A repeat whose places are
apart stays as it is, even if it is periodic inside: something else marks where it begins and ends.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from fuseir.repeats.factors import token_array
from fuseir.repeats.finder import Repeat


def cut_runs(
    tokens: Sequence[int] | npt.NDArray[np.int64], repeats: Sequence[Repeat], minimum: int = 1
) -> list[Repeat]:
    """The repeats, with runs cut into whole periods: as few as have ``minimum`` tokens. The longest first.

    What is left behind the last half of a run is taken in, as far as no other repeat has it. ``minimum`` is what the repeats were found
    with. No interval of the result overlaps another; none is lost but where a run does not divide into pieces of ``minimum`` tokens.
    """
    sequence = token_array(tokens)
    free = np.ones(len(sequence), np.bool_)
    for repeat in repeats:
        for start in repeat.starts:
            free[start : start + repeat.length] = False
    starts_of: dict[bytes, list[int]] = {}
    for repeat in repeats:
        first = repeat.starts[0]
        substring = sequence[first : first + repeat.length]
        period = smallest_period(substring) if follows_itself(repeat) else repeat.length
        length = -(-max(minimum, 1) // period) * period
        if length >= repeat.length:
            starts_of.setdefault(substring.tobytes(), []).extend(repeat.starts)
            continue
        piece = substring[:length]
        starts = starts_of.setdefault(piece.tobytes(), [])
        for start, end in _runs(repeat):
            at = start
            while at + length <= end or _fits(sequence, free, piece, at, end):
                starts.append(at)
                free[at : at + length] = False
                at += length
            free[at:end] = True
    cut = [Repeat(len(key) // sequence.itemsize, tuple(sorted(starts))) for key, starts in starts_of.items()]
    return sorted(cut, key=lambda repeat: (-repeat.length, repeat.starts))


def follows_itself(repeat: Repeat) -> bool:
    """Whether the repeat is there twice in a row somewhere: it is a loop then."""
    return len(_runs(repeat)) < len(repeat.starts)


def _runs(repeat: Repeat) -> list[tuple[int, int]]:
    """Start and end of each chain of places that follow each other directly."""
    runs: list[tuple[int, int]] = []
    for start in repeat.starts:
        if runs and runs[-1][1] == start:
            runs[-1] = (runs[-1][0], start + repeat.length)
        else:
            runs.append((start, start + repeat.length))
    return runs


def _fits(
    sequence: npt.NDArray[np.int64], free: npt.NDArray[np.bool_], piece: npt.NDArray[np.int64], at: int, end: int
) -> bool:
    """Whether the piece is there once more, over the end of its run."""
    past = at + len(piece)
    return bool(past <= len(sequence) and free[max(at, end) : past].all() and (sequence[at:past] == piece).all())


def smallest_period(tokens: npt.NDArray[np.int64]) -> int:
    """The length of the shortest string that this one is a power of: its own length if it is none."""
    period = len(tokens)
    for prime in _prime_factors(period):
        while period % prime == 0 and bool((tokens[period // prime :] == tokens[: -(period // prime)]).all()):
            period //= prime
    return period


def _prime_factors(number: int) -> list[int]:
    factors: list[int] = []
    divisor = 2
    while divisor * divisor <= number:
        if number % divisor == 0:
            factors.append(divisor)
            while number % divisor == 0:
                number //= divisor
        divisor += 1
    return [*factors, number] if number > 1 else factors


def same_loop(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    """Whether one is a rotation of the other: the same loop, entered at another place."""
    if len(one) != len(other):
        return False
    around = np.asarray(one + one, np.int64).tobytes()
    inner = np.asarray(other, np.int64).tobytes()
    at = around.find(inner)
    while at >= 0 and at % 8:
        at = around.find(inner, at + 1)
    return at >= 0
