"""Traces in a session: the stream's tokens go to the miner, what it finds to the replayer, and what that decides says where to cut.

While there are traces, the capture of a launch asks the replayer itself (replayer.py). Now
and then, when so many launches wait as ``Window.limit`` says, and whenever it runs something: ``note``. Nothing here can make a result
wrong: a replay is only a place to cut the window, and its plan is found by what is in the piece (design rule R3).
"""

from __future__ import annotations

from collections import deque
from itertools import count
from typing import NamedTuple

from fuseir.runtime.tracing.history import History, Sampling
from fuseir.runtime.tracing.miner import Miner, Mining
from fuseir.runtime.tracing.parameters import Costs, TracingParameters
from fuseir.runtime.tracing.replayer import Replayer
from fuseir.runtime.tracing.report import TracingReport
from fuseir.runtime.window import Window

_EARLY = 16
"""Launches after which the stream is looked at, at first: a loop of few launches should not wait for a full window."""

_EARLY_LAUNCHES = 1024
"""For how many launches it is, after something new."""

_BATCH = 1024
"""Tokens that are passed on together later: NumPy's calls take time whatever the number."""

_CALM = 0.9
"""The share of a batch that has to be replayed for the next launches not to be looked at, twice as many each time ..."""
_LONGEST_REST = 1 << 17
"""... but not more than these."""

_COSTS = Costs(untraced=3.0, recorded=3.0, replayed=1.0, replay=10.0)
"""What decides between traces that overlap, in microseconds, measured; but planning, which takes a hundred times as long, is not
counted: it is for once, and what is not traced is planned as well."""

_MARKS = 8
"""Batches that a report calls recent."""


class Tracer:
    """Finds the repeating fragments of one session's stream, and tells where they are. Under the session's lock, but for ``state``.

    ``synchronous``: what is to be mined is mined at once, so that the same program is always cut in the same way.
    """

    def __init__(
        self,
        window: Window,
        parameters: TracingParameters | None = None,
        sampling: Sampling | None = None,
        *,
        synchronous: bool = False,
    ) -> None:
        self._window = window
        self._parameters = parameters or TracingParameters(costs=_COSTS)
        self._history = History(sampling or Sampling())
        self._miner = Miner(Mining(minimum=self._parameters.minimum_length), synchronous=synchronous)
        self.replayer = Replayer(self._parameters)
        self._noted = 0  # up to where in the stream
        self._chunks: list[_Chunk] = []  # what is noted and not passed on yet
        self._waiting = 0  # tokens in there
        self._separators = count(-1, -1)
        self._new_at = 0  # where something new was planned last
        self._rest = 0  # launches that are not looked at behind a batch
        self._resting_until = 0
        self._replayed = 0  # launches, when the last batch was passed on
        self._first_replay: int | None = None
        self._marks: deque[tuple[int, int]] = deque([(0, 0)], maxlen=_MARKS)

    @property
    def following(self) -> Replayer | None:
        """The replayer, if there are traces that the stream can match."""
        return self.replayer if self.replayer.has_traces else None

    @property
    def interval(self) -> int:
        """After how many launches the stream is worth a look."""
        return _EARLY if self._noted - self._new_at < _EARLY_LAUNCHES else _BATCH

    def report(self) -> TracingReport:
        """What was found, and how much of the stream it covers."""
        begin, before = self._marks[0]
        replays = self.replayer.report()
        return TracingReport(
            launches=self._window.end,
            recent=self._window.end - begin,
            recent_replayed=replays.replayed_launches - before,
            first_replay=self._first_replay,
            samples_left_out=self._miner.left_out,
            replays=replays,
        )

    def note(self, *, cut: bool = False) -> None:
        """Takes note of what was captured since the last time. ``cut``: nothing is replayed across this place of the stream."""
        window = self._window
        if window.end < self._resting_until:
            self._noted = window.end
            return
        begin = max(self._noted, window.start)
        records = window.records[begin - window.start :]
        self._noted = begin + len(records)
        try:
            # Fences are rare: there is nothing to look for where there is none.
            self._add(begin, [record[0].token for record in records], cut)  # pyright: ignore[reportOptionalMemberAccess]
        except AttributeError:
            tokens: list[int] = []
            for position, record in enumerate(records, begin):
                if record[0] is None:
                    self._add(position - len(tokens), tokens, True)
                    tokens = []
                else:
                    tokens.append(record[0].token)
            self._add(self._noted - len(tokens), tokens, cut)
        if self._waiting >= self.interval:
            self._pass_on()
            replayed = self.replayer.replayed_launches
            if replayed and self._first_replay is None:
                self._first_replay = self._noted
            self._marks.append((self._noted, replayed))
        if self._miner.in_flight:
            for mined in self._miner.collect():
                self.replayer.ingest(mined.candidates, self._noted)

    def _add(self, position: int, tokens: list[int], cut: bool) -> None:
        if tokens or cut:
            self._chunks.append(_Chunk(position, tokens, cut))
            self._waiting += len(tokens)

    def _pass_on(self) -> None:
        """Gives what is noted to those who look for repeats in it, and for candidates."""
        tokens: list[int] = []
        for chunk in self._chunks:
            tokens += chunk.tokens
            if chunk.cut:
                tokens.append(next(self._separators))
        self._miner.submit(self._history.append(tokens))
        if self.replayer.watches:
            for chunk in self._chunks:
                self.replayer.observe(chunk.tokens, chunk.position, cut=chunk.cut)
        self._chunks.clear()
        replayed = self.replayer.replayed_launches
        if replayed - self._replayed >= _CALM * self._waiting and not self.replayer.watches:
            # It goes as it should: looking on would cost time and find nothing.
            self._rest = min(max(_BATCH, 2 * self._rest), _LONGEST_REST)
            self._resting_until = self._noted + self._rest
        self._replayed = replayed
        self._waiting = 0

    def wake(self) -> None:
        """Something is new about the stream: it is looked at closely for a while."""
        self._rest = self._resting_until = 0
        self._new_at = self._noted

    def skip(self) -> None:
        """What was captured since the last time is no part of what repeats."""
        self._noted = self._window.end
        self._add(self._noted, [], True)


class _Chunk(NamedTuple):
    """Tokens from a position on. ``cut``: what follows in the stream does not continue them."""

    position: int
    tokens: list[int]
    cut: bool
