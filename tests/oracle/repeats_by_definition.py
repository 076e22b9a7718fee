"""Apophenia's Algorithm 2 as it is printed, with sorted lists of suffixes: slow and obvious. Shares nothing with fuseir/repeats."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise


def repeats_by_definition(tokens: Sequence[int], minimum: int) -> list[tuple[int, tuple[int, ...]]]:
    """Length and starts of each repeat, in the order in which they are chosen."""
    text = tuple(tokens)
    suffixes = sorted(range(len(text)), key=lambda start: text[start:])
    candidates: set[tuple[int, tuple[int, ...], int]] = set()
    for s1, s2 in pairwise(suffixes):
        common = 0
        while max(s1, s2) + common < len(text) and text[s1 + common] == text[s2 + common]:
            common += 1
        low, distance = min(s1, s2), abs(s1 - s2)
        if common == 0:
            continue
        if distance >= common:
            found = [(common, s1), (common, s2)]
        else:
            half = (common + distance) // 2 // distance * distance
            found = [(half, low), (half, low + half)]
        candidates |= {(length, text[start : start + length], start) for length, start in found}
    groups: dict[tuple[int, tuple[int, ...]], list[int]] = {}
    for length, substring, start in sorted(candidates, key=lambda c: (-c[0], c[1], c[2])):
        groups.setdefault((length, substring), []).append(start)
    taken: set[int] = set()
    repeats: list[tuple[int, tuple[int, ...]]] = []
    for (length, _), starts in groups.items():
        picks: list[int] = []
        for start in starts:
            after_last = not picks or start >= picks[-1] + length
            if after_last and start not in taken and start + length - 1 not in taken:
                picks.append(start)
        if length >= max(minimum, 1) and len(picks) > 1:
            repeats.append((length, tuple(picks)))
            taken |= {cell for start in picks for cell in range(start, start + length)}
    return repeats


def best_coverage(tokens: Sequence[int], minimum: int) -> int:
    """The most tokens that any choice of repeats covers, by trying all sets of substrings. Exponential: a dozen tokens at most."""
    text = tuple(tokens)
    lengths = range(max(minimum, 1), len(text) // 2 + 1)
    substrings = {text[s : s + n] for n in lengths for s in range(len(text) - n + 1)}
    useful = [u for u in substrings if _most_places(text, u) > 1]

    def best(start: int, used: dict[tuple[int, ...], int]) -> int:
        if start >= len(text):
            return sum(len(u) * k for u, k in used.items()) if all(k > 1 for k in used.values()) else 0
        most = best(start + 1, used)
        for u in useful:
            if text[start : start + len(u)] == u:
                most = max(most, best(start + len(u), {**used, u: used.get(u, 0) + 1}))
        return most

    return best(0, {})


def _most_places(text: tuple[int, ...], substring: tuple[int, ...]) -> int:
    places, at = 0, 0
    while at + len(substring) <= len(text):
        if text[at : at + len(substring)] == substring:
            places += 1
            at += len(substring)
        else:
            at += 1
    return places
