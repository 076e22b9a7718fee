"""Traces in a session: the stream's tokens go to the miner, what it finds to the replayer, and what that decides says where to cut.

While there are traces, the capture of a launch asks the replayer itself (replayer.py). Now
and then, when so many launches wait as ``Window.limit`` says, and whenever it runs something: ``note``. Nothing here can make a result
wrong: a replay is only a place to cut the window, and its plan is found by what is in the piece (design rule R3).
"""

from __future__ import annotations

from fuseir.runtime.tracing.agreement import Agreement, Alone
from fuseir.runtime.tracing.coverage import Coverage
from fuseir.runtime.tracing.history import History, Sample, Sampling
from fuseir.runtime.tracing.miner import Miner, Mining
from fuseir.runtime.tracing.parameters import Costs, TracingParameters
from fuseir.runtime.tracing.replayer import Replay, Replayer
from fuseir.runtime.tracing.report import TracingReport
from fuseir.runtime.window import Window

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
        self._miner = Miner(Mining(minimum=self._parameters.minimum_length), synchronous=synchronous)
        self._agreement: Agreement = Alone()
        self.replayer = Replayer(self._parameters)
        self.coverage = Coverage()
        self._noted = 0  # up to where in the stream
        self._steady = 0  # launches replayed since the last one that was not

    @property
    def following(self) -> Replayer | None:
        """The replayer, if there are traces that the stream can match."""
        return self.replayer if self.replayer.has_traces else None

    @property
    def interval(self) -> int:
        """After how many launches the stream is worth a look."""
        return self._history.until_due

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
        tokens: list[int] = []
        for record in records:
            if record[0] is None:
                self._add(tokens, end - len(records) + len(tokens), replayed=False, cut=True)
                tokens = []
            else:
                tokens.append(record[0].token)
        self._add(tokens, end - len(tokens), replayed=replay is not None, cut=False)

    def cut(self) -> None:
        """Nothing is replayed across this place of the stream."""
        if self.replayer.watches:
            self.replayer.observe((), self._noted, cut=True)
        self._separate()

    def skip(self) -> None:
        """What was captured since the last time is no part of what repeats."""
        self._noted = self._window.end

    def _add(self, tokens: list[int], position: int, *, replayed: bool, cut: bool) -> None:
        if self.replayer.watches:
            self.replayer.observe(tokens, position, cut=cut)
        self._mine(self._history.append(tokens, replayed=replayed))
        if cut:
            self._separate()

    def _separate(self) -> None:
        self._mine(self._history.separate())

    def _mine(self, samples: list[Sample]) -> None:
        """Has samples mined, and takes up what was found in earlier ones."""
        miner = self._miner
        if samples:
            for sample in samples:
                self._agreement.submitted(sample.position)
            miner.submit(samples)
        if miner.in_flight:
            for mined in miner.collect(self._agreement.agreed(self._history.position, miner.ready)):
                self.replayer.ingest(mined.candidates, self._noted)
