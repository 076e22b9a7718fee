"""A set of strings none of which begins another: the leaves of a trie, in order, without its inner nodes."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

Tokens = tuple[int, ...]
"""A string of the stream: one token a launch."""


class PrefixFreeSet:
    """Strings in lexicographic order.

    Whatever begins with t stands together, right behind where t would stand; and since no string begins another, the only one that can
    begin t stands right before it. So both questions of a trie are one binary search, and to forget a string is to delete it.
    """

    def __init__(self) -> None:
        self._strings: list[Tokens] = []

    def __iter__(self) -> Iterator[Tokens]:
        return iter(self._strings)

    def __len__(self) -> int:
        return len(self._strings)

    def begins_one(self, tokens: Tokens) -> bool:
        """Whether a string of the set begins with these tokens, or is them."""
        place = bisect_left(self._strings, tokens)
        return place < len(self._strings) and self._strings[place][: len(tokens)] == tokens

    def prefix_of(self, tokens: Tokens) -> Tokens | None:
        """The string of the set that these tokens begin with, if there is one, and it is not all of them."""
        place = bisect_left(self._strings, tokens)
        if place == 0:
            return None
        before = self._strings[place - 1]
        return before if tokens[: len(before)] == before else None

    def add(self, tokens: Tokens) -> None:
        """Adds a string that begins none of the set, and that none of the set begins."""
        self._strings.insert(bisect_left(self._strings, tokens), tokens)

    def remove(self, tokens: Tokens) -> None:
        """Removes a string of the set."""
        del self._strings[bisect_left(self._strings, tokens)]
