"""What is known of the stream's repeats: candidates that are watched for, and the traces that some of them became.

``Candidates`` decides what of a repeat that was found is worth knowing (Apophenia's trie; A23, A24), and what is forgotten for it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from fuseir.runtime.tracing.parameters import TracingParameters
from fuseir.runtime.tracing.prefix_free import PrefixFreeSet, Tokens
from fuseir.runtime.tracing.reasons import Reason
from fuseir.runtime.tracing.scores import Score

_LIVELY = 8
"""What was seen within so many times its own length makes no room for others."""


class Candidate:
    """A string that is watched for. ``seen`` is where it was seen last, or added."""

    __slots__ = ("next", "pattern", "searched", "seen", "tokens", "visits")

    def __init__(self, tokens: Tokens, position: int) -> None:
        self.tokens = tokens
        self.seen = position
        self.visits = 0
        self.next = position
        """Where the next visit can begin."""
        self.searched = position
        """Up to where the stream was searched for it."""
        self.pattern = ""
        """It, in the watcher's symbols."""


class Trace:
    """A string that is replayed. ``number`` is drawn when it is replayed first; ``seen`` is where its last match ended.

    ``iteration`` is how many of its tokens it was found with: if it was unrolled since, it consists of several such strings.
    """

    __slots__ = (
        *(
            "__weakref__",
            "awaited",
            "awaited_from",
            "forgotten",
            "iteration",
            "length",
            "losses",
            "number",
            "recorded",
            "score",
            "seen",
        ),
        *("since", "successions", "tokens", "visits"),
    )

    def __init__(self, tokens: Tokens, position: int, iteration: int | None = None) -> None:
        self.tokens = tokens
        self.length = len(tokens)
        self.iteration = iteration or self.length
        self.seen = position
        self.since: int | None = None
        """Matches begin there at the earliest; None until the replayer hears of the trace."""
        self.number: int | None = None
        self.visits = 0
        self.losses = 0
        """Matches in a row that lost their launches to better traces."""
        self.awaited = 0
        """How often other matches waited for this trace since it was seen, ..."""
        self.awaited_from = -1
        """... the last time for one that would have begun there."""
        self.forgotten = False
        self.score = Score(len(tokens))
        self.recorded: set[int] = set()
        """The lengths that were replayed: of all, or of its first iterations."""
        self.successions = 0
        """How often one replay of it followed another, with nothing in between."""

    def __repr__(self) -> str:
        return f"Trace(number={self.number}, length={self.length})"


class Candidates:
    """All candidates and traces, with ``capacity`` tokens at most."""

    def __init__(self, parameters: TracingParameters, reasons: Counter[Reason]) -> None:
        self._parameters = parameters
        self._shortest = parameters.shortest
        self._reasons = reasons
        self._strings = PrefixFreeSet()
        """All of them, if they are ``prefix_free``."""
        self._loops: dict[Tokens, Tokens] = {}
        """Otherwise: by their loops."""
        self._winners: dict[Tokens, Tokens] = {}
        """What always lost, and the trace it lost to last."""
        self._size = 0
        self.watched: dict[Tokens, Candidate] = {}
        self.traces: dict[Tokens, Trace] = {}

    def add(self, tokens: Sequence[int], position: int) -> None:
        """Takes up a repeat, or what of it is worth knowing. Matches that begin before the position do not count (A25)."""
        least, most = self._shortest, self._parameters.maximum_length
        rest = tuple(tokens)
        while len(rest) > most + least:
            self._add_piece(rest[:most], position)
            rest = rest[most:]
        self._add_piece(rest, position)

    def _add_piece(self, piece: Tokens, position: int) -> None:
        if self._parameters.prefix_free:
            piece = self._without_known(piece)
        else:
            piece = self._once_around(piece)
        if len(piece) < self._shortest:
            self._reasons[Reason.TOO_SHORT] += 1
        elif piece in self.watched or piece in self.traces or self._strings.begins_one(piece):
            self._reasons[Reason.KNOWN] += 1
        elif self._would_lose(piece, position):
            self._reasons[Reason.LOST_BEFORE] += 1
        elif not self._replace_loop(piece, position):
            self._reasons[Reason.SAME_LOOP] += 1
        elif not self._make_room(len(piece), position):
            self._reasons[Reason.NO_ROOM] += 1
        else:
            self._size += len(piece)
            self.watched[piece] = Candidate(piece, position)
            if self._parameters.prefix_free:
                self._strings.add(piece)
            else:
                self._loops[loop_of(piece)] = piece

    def _without_known(self, piece: Tokens) -> Tokens:
        """What is left of a string without the known ones that it begins with."""
        while len(piece) >= self._shortest and (known := self._strings.prefix_of(piece)) is not None:
            piece = piece[len(known) :]
        return piece

    def _once_around(self, piece: Tokens) -> Tokens:
        """One iteration of what consists of several; as many as the least length needs."""
        once = len(loop_of(piece))
        return piece[: once * -(-self._shortest // once)] if once else piece

    def _would_lose(self, piece: Tokens, position: int) -> bool:
        """Whether a string always lost to a trace that is still in use."""
        winner = self._winners.get(piece)
        if winner in self.traces and self._silence(winner, position) < _LIVELY:
            return True
        self._winners.pop(piece, None)
        return False

    def _replace_loop(self, piece: Tokens, position: int) -> bool:
        """Whether no other string of the loop is in use. One that is not makes room."""
        known = None if self._parameters.prefix_free else self._loops.get(loop_of(piece))
        if known is not None:
            if self._silence(known, position) < _LIVELY:
                return False
            self.forget(known, Reason.REPLACED)
        return True

    def promote(self, tokens: Tokens) -> Trace:
        """Makes a trace of a candidate."""
        candidate = self.watched.pop(tokens)
        trace = self.traces[tokens] = Trace(tokens, candidate.seen)
        return trace

    def unroll(self, trace: Trace, times: int) -> None:
        """Replaces a trace by one that consists of it so many times, if there is room."""
        if self._size + (times - 1) * trace.length > self._parameters.capacity:
            return
        unrolled = Trace(trace.tokens * times, trace.seen, trace.iteration)
        unrolled.number, unrolled.recorded, unrolled.visits = trace.number, trace.recorded, trace.visits
        unrolled.score.replays = trace.score.replays
        self._loops[loop_of(trace.tokens)] = unrolled.tokens
        self._size += unrolled.length - trace.length
        del self.traces[trace.tokens]
        trace.forgotten = True
        self.traces[unrolled.tokens] = unrolled

    def forget(self, tokens: Tokens, reason: Reason) -> None:
        """Forgets a candidate or a trace."""
        self._reasons[reason] += 1
        if self._parameters.prefix_free:
            self._strings.remove(tokens)
        else:
            del self._loops[loop_of(tokens)]
        self._size -= len(tokens)
        if self.watched.pop(tokens, None) is None:
            self.traces.pop(tokens).forgotten = True

    def forget_loser(self, loser: Tokens, winner: Tokens) -> None:
        """Forgets a trace that always lost, the last time to this one: it is not taken up again while that is in use."""
        self.forget(loser, Reason.LOST_TO_OTHERS)
        self._winners[loser] = winner
        if sum(map(len, self._winners)) > self._parameters.capacity:
            del self._winners[next(iter(self._winners))]

    def _silence(self, tokens: Tokens, position: int) -> int:
        """For how many times its own length something has not been seen."""
        known = self.watched.get(tokens) or self.traces[tokens]
        return (position - known.seen) // len(tokens)

    def _make_room(self, length: int, position: int) -> bool:
        """Forgets what has been silent for longest, until so many more tokens have room."""
        capacity = self._parameters.capacity
        if length > capacity:
            return False
        while len(self.watched) >= self._parameters.maximum_watched or self._size + length > capacity:
            known = [*self.watched] if self._size + length <= capacity else [*self.watched, *self.traces]
            longest = max(known, key=lambda tokens: self._silence(tokens, position))
            if self._silence(longest, position) < _LIVELY:
                return False
            self.forget(longest, Reason.LONGEST_SILENT)
        return True


def loop_of(tokens: Tokens) -> Tokens:
    """One iteration of the loop that a string is made of, begun where it is least in lexicographic order.

    The same for all strings that go around a loop twice or more, wherever they begin and end; also for one whole iteration.
    """
    length = len(tokens)
    # Borders of the prefixes, as in the search by Knuth, Morris and Pratt: what is left of a border is a period.
    borders = [0] * length
    border = 0
    for k in range(1, length):
        while border and tokens[k] != tokens[border]:
            border = borders[border - 1]
        if tokens[k] == tokens[border]:
            border += 1
        borders[k] = border
    period = length - border
    loop = tokens[:period] if 2 * period <= length else tokens
    # Two places to begin are compared; up to the first difference, nothing behind the greater one can be least.
    size, here, there, equal = len(loop), 0, 1, 0
    twice = loop + loop
    while there < size and equal < size:
        a, b = twice[here + equal], twice[there + equal]
        if a == b:
            equal += 1
            continue
        if a > b:
            here = max(there, here + equal + 1)
        else:
            there += equal + 1
        if here >= there:
            there = here + 1
        equal = 0
    return twice[here : here + size]
