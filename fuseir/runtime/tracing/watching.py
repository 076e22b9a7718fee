"""The watching stage: a candidate is seen a few times more before it is replayed (papers call these visits).

The stream comes in chunks, off the hot path, and is searched as text: each token that some candidate has is a character, all others are one
more. A search by ``str.find`` takes about a nanosecond a token.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat

from fuseir.runtime.tracing.candidates import Candidate, Candidates
from fuseir.runtime.tracing.parameters import TracingParameters
from fuseir.runtime.tracing.prefix_free import Tokens
from fuseir.runtime.tracing.reasons import Reason

_OTHER = "\0"
_SPARE_SYMBOLS = 1 << 10
"""How many characters may belong to tokens that no candidate has any more."""
_PARTS = 4
"""A long candidate is looked for when another so-manieth of its length has come: chunks may be much shorter than it."""


class Watcher:
    """Counts visits of candidates in the stream.

    A visit begins at or after the candidate's ``next``: where it was added, then where its last visit ended; so visits do not overlap (A25,
    A26).
    """

    def __init__(self, parameters: TracingParameters, candidates: Candidates) -> None:
        self._parameters = parameters
        self._candidates = candidates
        self._symbols: dict[int, str] = {}
        self._text = ""
        self._end = 0

    def observe(self, tokens: Sequence[int], position: int, *, cut: bool) -> list[Tokens]:
        """The stream from a position on. Returns the candidates that were seen often enough (A27), in the order they were added.

        A chunk that does not begin where the last one ended, or follows one with ``cut``, begins anew: no match extends over that.
        """
        watched = self._candidates.watched
        if position != self._end:
            self._text = ""
        if not watched:
            self._text, self._symbols, self._end = "", {}, position + len(tokens)
            return []
        self._end = position
        self._learn()
        self._end += len(tokens)
        self._text += "".join(map(self._symbols.get, tokens, repeat(_OTHER)))
        ripe: list[Tokens] = []
        for candidate in list(watched.values()):
            length = len(candidate.tokens)
            unsearched = self._end - candidate.searched
            if self._end - candidate.next >= length and (cut or _PARTS * unsearched >= length):
                self._search(candidate)
            if candidate.visits >= self._parameters.visit_threshold:
                ripe.append(candidate.tokens)
            elif (self._end - candidate.seen) // length > self._parameters.patience:
                self._candidates.forget(candidate.tokens, Reason.NOT_SEEN_AGAIN)
        # What no visit can begin in any more is done with.
        first = min((candidate.next for candidate in watched.values()), default=self._end)
        self._text = "" if cut else self._text[max(0, first - self._end + len(self._text)) :]
        return ripe

    def _search(self, candidate: Candidate) -> None:
        """Counts the visits of a candidate in what was not searched for it."""
        length, begin = len(candidate.tokens), self._end - len(self._text)
        find, pattern = self._text.find, candidate.pattern
        while candidate.visits < self._parameters.visit_threshold:
            place = find(pattern, max(0, candidate.next - begin))
            if place < 0:
                candidate.next = max(candidate.next, self._end - length + 1)
                break
            candidate.visits += 1
            candidate.seen = begin + place
            candidate.next = begin + place + length
        candidate.searched = self._end

    def _learn(self) -> None:
        """Gives new candidates their patterns. What came before has none of them, and they none of that."""
        watched = self._candidates.watched
        if len(self._symbols) > _SPARE_SYMBOLS + 2 * sum(map(len, watched)):
            self._symbols, self._text = {}, ""
            for candidate in watched.values():
                candidate.pattern = ""
        symbols = self._symbols
        for candidate in watched.values():
            if not candidate.pattern:
                for token in candidate.tokens:
                    if token not in symbols:
                        symbols[token] = chr(len(symbols) + 1)
                candidate.pattern = "".join(map(symbols.__getitem__, candidate.tokens))
