"""Terms: 64-bit words that stand for values of which nothing is known but how they were made.

Equal terms mean equal values up to a chance of about 2^-64 for each pair of words compared. Nothing depends on Python's hash seed.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Words: TypeAlias = NDArray[np.uint64]

_MASK = 2**64 - 1
_A, _B, _C = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB

UNDEFINED = 0x6A09E667F3BCC909
"""What an unnamed store holds before anything is written to it. One term for all: nobody may ask which garbage it is."""


def mix(a: int, b: int) -> int:
    """A word that depends on both words and on their order."""
    h = ((a + _A) * _B ^ (b + _C) * _A) & _MASK
    h = (h ^ h >> 29) * _C & _MASK
    return h ^ h >> 32


@lru_cache(1 << 14)
def word_of(text: str) -> int:
    """The word of a name."""
    return int.from_bytes(blake2b(text.encode("utf-8", "backslashreplace"), digest_size=8).digest(), "little")


class _Sequence:
    """Words that look random, one for each local index of a piece; longer on demand."""

    def __init__(self) -> None:
        self.words: Words = np.zeros(0, np.uint64)

    def first(self, count: int) -> Words:
        if count > self.words.size:
            h = np.arange(1, max(1024, 2 * count) + 1, dtype=np.uint64) * np.uint64(_A)
            h = (h ^ h >> np.uint64(30)) * np.uint64(_B)
            h = (h ^ h >> np.uint64(27)) * np.uint64(_C)
            self.words = h ^ h >> np.uint64(31)
        return self.words[:count]


_SEQUENCE = _Sequence()


def digest(piece: NDArray[np.uint64], size: int) -> int:
    """One word for the terms of a piece, in their order."""
    return int(np.dot(piece.ravel(), _SEQUENCE.first(size)))


def write_terms(base: int, piece: NDArray[np.uint64], size: int) -> None:
    """Put into each element of ``piece`` the term that ``base`` has at its index within the piece."""
    np.bitwise_xor(_SEQUENCE.first(size).reshape(piece.shape), np.uint64(base), out=piece)
    np.multiply(piece, np.uint64(_B), out=piece)
    np.bitwise_xor(piece, piece >> np.uint64(32), out=piece)


def fold(terms: NDArray[np.uint64], sums: NDArray[np.uint64], operator: int) -> NDArray[np.bool_] | None:
    """Fold sums of contributions into terms and clear them; where a sum is 0, nothing was contributed.

    Returns where something was, None if nowhere. Not associative: the order of folds shows, as it does with floats.
    """
    touched = sums != 0
    if not touched.any():
        return None
    folded = (terms * np.uint64(_B) ^ sums * np.uint64(_C)) + np.uint64(operator)
    folded *= np.uint64(_A)
    np.bitwise_xor(folded, folded >> np.uint64(32), out=folded)
    np.copyto(terms, folded, where=touched)
    sums[...] = 0
    return touched


def filled(base: int, size: int) -> Words:
    """Terms of a store of its own, all different."""
    words: NDArray[Any] = np.empty(size, np.uint64)
    write_terms(base, words, size)
    return words
