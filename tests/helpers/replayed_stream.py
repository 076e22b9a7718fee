"""A stream that is captured as a session does it, through the replayer's fast path; and all that must hold for it is asserted."""

from __future__ import annotations

from collections.abc import Sequence

from fuseir.runtime.tracing.replayer import Replay, Replayer

IGNORED = None
FENCE = -1


class ReplayedStream:
    """``records`` are what was captured: tokens, and what is none. ``replays`` were decided, ``settled`` is up to where all is."""

    def __init__(self, replayer: Replayer) -> None:
        self.replayer = replayer
        self.records: list[int | None] = []
        self.replays: list[Replay] = []
        self.settled = 0
        self.steps = 0
        self.most_waiting = 0
        self._tokens_of: dict[int, set[tuple[int | None, ...]]] = {}

    def launch(self, token: int) -> Sequence[Replay]:
        position = len(self.records)
        self.records.append(token)
        replays: Sequence[Replay] = ()
        state = self.replayer.state.get(token)
        if state is None:
            self.steps += 1
            replays = self.replayer.step(token, position)
        else:
            self.replayer.state = state
        assert all(replay.end <= position for replay in replays), "a trace runs before the launch behind it is captured"
        self._check(replays)
        return replays

    def launch_all(self, tokens: Sequence[int]) -> list[Replay]:
        return [replay for token in tokens for replay in self.launch(token)]

    def flush(self) -> Sequence[Replay]:
        replays = self.replayer.flush(len(self.records))
        self._check(replays)
        assert self.settled == len(self.records), "all is decided behind a flush"
        return replays

    def fence(self) -> Sequence[Replay]:
        replays = self.flush()
        self.records.append(FENCE)
        return replays

    def suspend(self) -> Sequence[Replay]:
        replays = self.replayer.suspend(len(self.records))
        self._check(replays)
        return replays

    def ignore(self) -> None:
        self.replayer.ignore(len(self.records))
        self.records.append(IGNORED)

    def _check(self, replays: Sequence[Replay]) -> None:
        for replay in replays:
            # In order, each launch once (A29), no replay inside another, and nothing in it but its own tokens (A30).
            assert self.settled <= replay.start < replay.end <= len(self.records)
            assert not self.replays or self.replays[-1].end <= replay.start
            inside = tuple(token for token in self.records[replay.start : replay.end] if token is not IGNORED)
            trace = replay.trace
            assert inside == trace.tokens[: len(inside)]
            assert inside
            assert len(inside) % trace.iteration == 0, "of a loop, whole iterations"
            assert trace.number is not None
            known = self._tokens_of.setdefault(trace.number, set())
            assert replay.records == (inside not in known)
            known.add(inside)
            assert {tokens[: trace.iteration] for tokens in known} == {inside[: trace.iteration]}
            self.replays.append(replay)
        settled = self.replayer.settled(len(self.records))
        assert self.settled <= settled <= len(self.records)
        assert not self.replays or self.replays[-1].end <= settled
        self.settled = settled
        self.most_waiting = max(self.most_waiting, len(self.records) - settled)

    @property
    def brackets(self) -> list[tuple[int, int]]:
        return [(replay.start, replay.end) for replay in self.replays]

    @property
    def replayed(self) -> int:
        """Launches that were replayed."""
        return sum(replay.end - replay.start for replay in self.replays)
