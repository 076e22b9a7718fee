"""Traces in a session: the stream's tokens go to the miner, what it finds to the replayer, and what that decides says where to cut.

While there are traces, the capture of a launch asks the replayer itself (replayer.py). Now
and then, when so many launches wait as ``Window.limit`` says, and whenever it runs something: ``note``. Nothing here can make a result
wrong: a replay is only a place to cut the window, and its plan is found by what is in the piece (design rule R3).
"""

from __future__ import annotations

from collections.abc import Sequence

from fuseir.runtime.tracing.agreement import Agreement, Alone
from fuseir.runtime.tracing.coverage import Coverage
from fuseir.runtime.tracing.history import History, Sampling
from fuseir.runtime.tracing.miner import Miner, Mining
from fuseir.runtime.tracing.parameters import Costs, TracingParameters
from fuseir.runtime.tracing.replayer import Replay, Replayer
from fuseir.runtime.tracing.report import TracingReport
from fuseir.runtime.window import FENCE, Record, Window

_STEADY = 4096
"""Launches that are replayed one behind the other, from which on replays are not looked at: they are what was found."""

_COSTS = Costs(untraced=3.0, recorded=3.0, replayed=1.0, replay=10.0, planned=100.0)
"""What decides between traces that overlap, and when loops are unrolled: measured, in microseconds. That planning takes longer than that is
not counted against new traces: it is for once, and what is not traced is planned as well."""

_PARAMETERS = TracingParameters(visit_threshold=1, costs=_COSTS)


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
        self._parameters = parameters or _PARAMETERS
        self._history = History(sampling or Sampling())
        self._miner = Miner(Mining(minimum=self._parameters.shortest), synchronous=synchronous)
        self._agreement: Agreement = Alone()
        self.replayer = Replayer(self._parameters)
        self.coverage = Coverage()
        self._noted = 0  # up to where in the stream
        self._steady = 0  # launches replayed since the last one that was not
        self._pending: list[int] = []  # tokens that the history has not got
        self._separated = True  # whether the last of all is one that no repeat spans
        self._replayed = False  # whether those that wait were replayed
        self._due = 0  # how many may wait

    @property
    def following(self) -> Replayer | None:
        """The replayer, if there are traces that the stream can match."""
        replayer = self.replayer
        return replayer if replayer.has_traces else None

    @property
    def interval(self) -> int:
        """After how many launches the stream is worth a look."""
        return max(self._history.until_due - len(self._pending), 1)

    def report(self) -> TracingReport:
        """What was found, and how much of the stream it covers."""
        return TracingReport(self.coverage, self._miner.left_out, self.replayer.report())

    def note(self, end: int, *, replay: Replay | None = None) -> None:
        """Takes note of what was captured since the last time, up to a position; ``replay`` says that it is one."""
        window = self._window
        begin = max(self._noted, window.start)
        self._noted = end
        if end <= begin:
            return
        if replay is None:
            self.coverage.untraced(end - begin)
            if self._steady > _STEADY:
                self._separate()  # what was not looked at is left out
            self._steady = 0
        else:
            self.coverage.traced(end - begin, recording=replay.records)
            self._steady += end - begin
            if self._steady > _STEADY and not self.replayer.watches:
                return
        records = window.records[begin - window.start : end - window.start]
        if replay is None:
            while FENCE in records:
                fence = records.index(FENCE)
                self._add(records[:fence], end - len(records), replayed=False)
                self._cut(end - len(records) + fence)
                del records[: fence + 1]
        self._add(records, end - len(records), replayed=replay is not None)

    def cut(self) -> None:
        """Nothing is replayed across this place of the stream."""
        self._cut(self._noted)

    def skip(self) -> None:
        """What was captured since the last time is no part of what repeats."""
        self._noted = self._window.end

    def _add(self, records: Sequence[Record], position: int, *, replayed: bool) -> None:
        tokens = [form.token for form, _, _, _, _ in records if form is not None]
        if self.replayer.watches:
            self.replayer.observe(tokens, position)
        if replayed is not self._replayed:
            self._hand_over()
            self._replayed = replayed
        if tokens:
            pending = self._pending
            pending += tokens
            self._separated = False
            # Small pieces wait for each other: the history takes a hundred tokens about as fast as one.
            if len(pending) >= self._due or max(tokens) > self._history.newest:
                self._hand_over()
        if self._miner.in_flight:
            self._collect()

    def _cut(self, position: int) -> None:
        if self.replayer.watches:
            self.replayer.observe((), position, cut=True)
        elif self._steady > _STEADY:
            return
        self._separate()

    def _separate(self) -> None:
        if not self._separated:  # one is as good as many
            self._pending.append(self._history.separator())
            self._separated = True

    def _hand_over(self) -> None:
        """Gives the history what waits, and has mined what is due."""
        samples = self._history.append(self._pending, replayed=self._replayed)
        self._pending = []
        self._due = self._history.until_due
        if samples:
            for sample in samples:
                self._agreement.submitted(sample.position)
            self._miner.submit(samples)
            self._collect()

    def _collect(self) -> None:
        """Takes up what was found in samples."""
        agreed = self._agreement.agreed(self._history.position, self._miner.ready)
        for mined in self._miner.collect(agreed):
            self.replayer.ingest(mined.candidates, self._noted)
