"""Decides where the stream is cut so that its segments repeat: which launches are replayed as traces (Apophenia §4.3, Alg. 1).

A launch is a token at a position of the stream. Launches wait where they are captured; what comes out is *replays*, ``[start, end)`` of the
stream as one trace, in order and disjoint. What lies before ``settled`` and in no replay is *untraced*: it may run any way.

**The fast path** is one look-up in the launch's capture, without a call:

    state = replayer.state.get(token)
    if state is None:
        replays = replayer.step(token, position)  # mostly none
    else:
        replayer.state = state

``state`` is a state of the automaton (matching.py), which is the dict of its plain transitions: a token that only carries on what has begun
is found there, and that is all there is to do. Everything else is an absent key and goes to ``step``, which follows the same
transitions by all the rules: a pointer that dies, a match that is complete, a match that waits to be decided. Positions are not counted
on the fast path. The caller knows that of the token, and the depth of the state says where its pointer began.

**Deferral.** A match that is complete is not replayed at once, but with the next token, or flush: Python rebinds the variables of a loop
after the launch has returned, and what dies with that is dead when the trace runs. Meanwhile ``state`` is one without transitions, so that
the next token comes to ``step``.

**The rules.** A complete match *awaits* the pointers that began before its end and may become longer traces than it (bias to longer ones).
With each token, the best choice of the complete matches is made (choice.py), and the first ones of it are replayed, up to one that this
very token completed, or that awaits a pointer. A replay ends the pointers and matches that overlap it. The published rules lose some
matches, as their author says: they take them by score alone, so that a later one may keep an earlier one out that it does not overlap;
they take matches that touch for overlapping; and they await pointers of the same trace inside a match of it, for nothing.

**Loops.** A trace that follows itself again and again is *unrolled*: it is replaced by one that consists of it several times
(``Candidates.unroll``). Where the stream leaves such a trace, or is flushed, the iterations that are complete are a match too.

**Changes** of the set of traces take effect once nothing is undecided that began before them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from fuseir.runtime.tracing.candidates import Candidates, Trace
from fuseir.runtime.tracing.choice import Match, best
from fuseir.runtime.tracing.matching import State, automaton, dismantle
from fuseir.runtime.tracing.parameters import TracingParameters
from fuseir.runtime.tracing.prefix_free import Tokens
from fuseir.runtime.tracing.reasons import Reason, ReplayReport, TraceReport
from fuseir.runtime.tracing.watching import Watcher


class Replay(NamedTuple):
    """A trace over ``[start, end)`` of the stream."""

    trace: Trace
    start: int
    end: int
    records: bool
    """Whether it is the first run of the trace, which records it (A31)."""


_NOTHING: tuple[Replay, ...] = ()
_STEP = State(0)
"""A state without transitions: each token comes to ``step``."""


class Replayer:
    """Candidates, watching, and replays of one stream.

    Positions count what is captured. They only grow, and between flushes every position is a token or ignored. Calls, and the fast path,
    belong to one thread at a time.
    """

    def __init__(self, parameters: TracingParameters | None = None) -> None:
        self._parameters = parameters or TracingParameters()
        self._reasons: Counter[Reason] = Counter()
        self._candidates = Candidates(self._parameters, self._reasons)
        self._watcher = Watcher(self._parameters, self._candidates)
        self._root = State(0)
        self.state: State = self._root
        """Where the fast path goes on; the docstring above says how."""
        self._held = self._root
        """The state, while ``state`` is ``_STEP``."""
        self._matches: list[Match] = []
        """Complete and undecided, in the order of ``best``."""
        self._longest = 0
        """No match is longer."""
        self._traces: list[Trace] = []
        """What the automaton was made for."""
        self.has_traces = False
        """Whether the stream can match anything."""
        self._changed = False
        self._suspended = 0
        self._flushed = 0
        """Nothing that begins here follows what ended here."""
        self._last: tuple[Trace, int] | None = None
        """What was replayed last, and where it ended."""
        self._ignored = 0
        self._ignored_before: list[int] = []
        """For each ignored operation among what is undecided: how many tokens were captured before it."""
        self._numbers = 0
        self._mismatches = 0
        self._promoted = 0
        self._replays = 0
        self._replayed_launches = 0

    @property
    def watches(self) -> bool:
        """Whether there are candidates to watch for."""
        return bool(self._candidates.watched)

    @property
    def replayed_launches(self) -> int:
        """Launches in replays so far."""
        return self._replayed_launches

    # Candidates

    def ingest(self, candidates: Iterable[Sequence[int]], position: int) -> None:
        """Takes up repeats that were found in the stream. Only matches that begin at or after the position count (A25)."""
        known = len(self._candidates.traces)
        for tokens in candidates:
            self._candidates.add(tokens, position)
        if len(self._candidates.traces) < known:
            self._change()
        if self._parameters.visit_threshold == 0:
            self._promote(list(self._candidates.watched))

    def observe(self, tokens: Sequence[int], position: int, *, cut: bool = False) -> None:
        """Watches for candidates in the stream: its tokens from a position on, in chunks of any size, each token once.

        Chunks decide how soon a candidate is promoted: a few iterations of a loop are soon enough. ``cut``: the stream was flushed behind
        this chunk, so that nothing can be replayed across its end.
        """
        self._promote(self._watcher.observe(tokens, position, cut=cut))

    def _promote(self, candidates: Sequence[Tokens]) -> None:
        for tokens in candidates:
            self._candidates.promote(tokens)
        self._promoted += len(candidates)
        if candidates:
            self._change()

    # The stream

    def step(self, token: int, position: int) -> Sequence[Replay]:
        """A launch is captured. Returns what is decided to be replayed now, in order; the launch itself is not in it yet."""
        state = self.state
        if state is _STEP:
            if self._suspended:
                return _NOTHING
            state = self._held
        elif state.resume is not state:
            before = self._arrive(state, position - 1)
            if before or self.state is not _STEP:
                return [*before, *self._step_or_go(token, position)]
            state = self._held
        arrived = state.get(token)
        if arrived is None:
            arrived = state.others.get(token)
        if arrived is None:
            if state is not self._root:
                self._mismatches += 1
                self._complete_iterations(state, position - self._ignored)
                arrived = state.after(token, self._root)
            elif self._matches:
                arrived = state
            else:
                return _NOTHING
        return self._arrive(arrived, position)

    def _step_or_go(self, token: int, position: int) -> Sequence[Replay]:
        state = self.state.get(token)
        if state is None:
            return self.step(token, position)
        self.state = state
        return _NOTHING

    def _arrive(self, arrived: State, position: int) -> Sequence[Replay]:
        """The token at a position leads to a state. What is decided to be replayed."""
        token = position - self._ignored
        if arrived.completes:
            alone = not self._matches
            self._complete(arrived.completes, token)
            if alone and self._matches:
                # There is nothing to decide before the next token.
                self.state, self._held = _STEP, arrived.resume
                return _NOTHING
        if self._matches:
            return self._decide(arrived.resume, token)
        self.state = arrived.resume
        if self._changed:
            self._take_over(token + 1)
        return _NOTHING

    def flush(self, position: int) -> Sequence[Replay]:
        """Nothing is replayed across this position: a fence, or a launch that cannot be traced, stands there, or all before it has to run.

        Returns what is replayed of what came before. The rest of that is untraced.
        """
        if self._suspended:
            return _NOTHING
        ends = self.state.resume is not self.state
        replays = self._arrive(self.state, position - 1) if ends else _NOTHING
        state = self._held if self.state is _STEP else self.state
        if state is not self._root:
            self._reasons[Reason.INTERRUPTED] += 1
            self._complete_iterations(state, position - self._ignored)
        if self._matches:
            replays = [*replays, *self._replay(best(self._matches), position)]
            self._matches, self._longest = [], 0
        self._ignored_before.clear()
        self.state = self._root
        self._flushed = position
        if self._changed:
            self._take_over(position - self._ignored)
        return replays

    def read(self, launched: int, position: int) -> Sequence[Replay]:
        """The program waits for the result of the launch at one position. Flushes if that is undecided (A37)."""
        return self.flush(position) if launched >= self.settled(position) else _NOTHING

    def ignore(self, position: int) -> None:
        """What stands at this position is no token: it goes along in a trace that it is captured within (A39)."""
        token = position - self._ignored
        first = self._first_undecided(token)
        if first < token:
            self._ignored_before = [k for k in self._ignored_before if k > first]
            self._ignored_before.append(token)
        else:
            self._ignored_before.clear()
        self._ignored += 1

    def settled(self, position: int) -> int:
        """Up to where everything is decided, when all before ``position`` is captured: what is in no replay there is untraced."""
        if self._suspended:
            return position
        token = position - self._ignored
        first = self._first_undecided(token)
        return position if first == token else self._position(first)

    def suspend(self, position: int) -> Sequence[Replay]:
        """An explicit trace begins: what comes is no business of this, until ``resume``, but for its positions (A38). Nests."""
        replays = self.flush(position)
        self._suspended += 1
        self.state, self._held = _STEP, self._root
        return replays

    def resume(self) -> None:
        """The explicit trace is over."""
        self._suspended -= 1
        if not self._suspended:
            self.state = self._root
            if self._changed:
                self._take_over(0)

    def report(self) -> ReplayReport:
        """What was done so far, and why not more."""
        reasons = Counter(self._reasons)
        reasons[Reason.MISMATCH] = self._mismatches
        traces = self._candidates.traces.values()
        return ReplayReport(
            watched=tuple(self._candidates.watched),
            traces=tuple(TraceReport(t.number, t.tokens, t.visits, t.score.replays) for t in traces),
            promoted=self._promoted,
            replays=self._replays,
            replayed_launches=self._replayed_launches,
            reasons={reason: count for reason in Reason if (count := reasons[reason])},
        )

    # Below, positions are those of tokens: ignored operations do not count.

    def _complete(self, traces: Sequence[Trace], token: int) -> None:
        """Traces end with a token, and are complete."""
        end, costs = token + 1, self._parameters.costs
        for trace in traces:
            start = end - trace.length
            trace.visits += 1
            trace.seen = end + self._ignored
            trace.awaited = 0
            score = trace.score
            score.visit(start)
            value = score.value(start, costs)
            if value > 0:
                self._matches.append(Match(trace, start, end, value))
                self._longest = max(self._longest, trace.length)
            else:
                self._reasons[Reason.UNPROFITABLE] += 1

    def _complete_iterations(self, pointer: State, token: int) -> None:
        """A pointer dies before a token. If it is in a trace that was unrolled, the whole iterations are complete."""
        trace = pointer.through
        if trace is None or trace.iteration == trace.length:
            return
        start = token - pointer.depth
        length = pointer.depth - pointer.depth % trace.iteration
        if length and (costs := self._parameters.costs) is not None:
            trace.seen = start + length + self._ignored
            trace.awaited = 0
            value = costs.saved(length)
            if value > 0:
                self._matches.append(Match(trace, start, start + length, value))
                self._matches.sort(key=lambda match: (match.end, match.start))
                self._longest = max(self._longest, length)

    def _decide(self, state: State, token: int) -> Sequence[Replay]:
        """What is replayed now that a token has come, and where the fast path goes on."""
        if state.longest > self._longest and state.depth > token + 1 - self._matches[0].end and not _given_up(state):
            # Whatever would be chosen, it awaits this pointer.
            self._await(state, token)
            self.state = state
            return _NOTHING
        chosen = best(self._matches)
        decided = 0
        awaited = None
        for match in chosen:
            behind = token + 1 - match.end
            if state.depth > behind:
                awaited = _awaited(match, state, behind)
            if awaited is not None or not behind:
                break
            decided += 1
            while state.depth > behind:
                state = state.fallback
        replays: Sequence[Replay] = _NOTHING
        if decided:
            end = chosen[decided - 1].end
            replays = self._replay(chosen[:decided], end)
            self._matches = [match for match in self._matches if match.start >= end]
        if awaited is not None:
            self._await(awaited, token)
        if decided == len(chosen):
            self.state, self._longest = state, 0
            if self._changed:
                self._take_over(token + 1)
        elif awaited is state:
            # Nothing changes as long as this one goes on as it does.
            self.state = state
        else:
            self.state, self._held = _STEP, state
        return replays

    def _replay(self, chosen: Sequence[Match], end: int) -> list[Replay]:
        """Replays matches. Others that begin before the end are lost."""
        if len(chosen) < len(self._matches):
            kept = {id(match) for match in chosen}
            for match in self._matches:
                if match.start < end and id(match) not in kept:
                    self._lose(match, chosen)
        replays: list[Replay] = []
        for trace, start, stop, _ in chosen:
            if trace.number is None:
                trace.number = self._numbers
                self._numbers += 1
            trace.losses = 0
            for length in _pieces(trace, stop - start):
                trace.score.replays += 1
                self._replays += 1
                self._replayed_launches += length
                begin, end = start, start + length
                if self._ignored:
                    begin, end = self._position(begin), self._position(end - 1) + 1
                replays.append(Replay(trace, begin, end, length not in trace.recorded))
                trace.recorded.add(length)
                start += length
            self._note_succession(trace, replays[-1])
        return replays

    def _note_succession(self, trace: Trace, replay: Replay) -> None:
        """Unrolls a trace that followed itself so often that it would have been worth it."""
        last, self._last = self._last, (trace, replay.end)
        if last is None or last[0] is not trace or last[1] != replay.start or replay.start == self._flushed:
            return
        trace.successions += 1
        parameters = self._parameters
        costs, times = parameters.costs, parameters.unrolled_length // trace.length
        if (
            costs is not None
            and times > 1
            and not parameters.prefix_free
            and trace.successions * costs.replay > times * trace.length * costs.planned
            and self._candidates.traces.get(trace.tokens) is trace
        ):
            self._candidates.unroll(trace, times)
            self._changed = True

    def _lose(self, match: Match, chosen: Sequence[Match]) -> None:
        """A match is not replayed, since some of the chosen overlap it."""
        trace = match.trace
        self._reasons[Reason.OVERLAPPED] += 1
        trace.losses += 1
        if trace.losses >= self._parameters.losses and self._candidates.traces.get(trace.tokens) is trace:
            winner = next(other.trace for other in chosen if other.end > match.start)
            if winner is not trace:
                self._candidates.forget_loser(trace.tokens, winner.tokens)
                self._changed = True

    def _await(self, pointer: State, token: int) -> None:
        """A match waits for a pointer. A trace that never comes, and keeps others waiting, is forgotten."""
        trace, start = pointer.through, token + 1 - pointer.depth
        if trace is None or trace.awaited_from == start:
            return
        trace.awaited_from = start
        trace.awaited += 1
        silence = (start + self._ignored - trace.seen) // trace.length
        if trace.awaited > self._parameters.losses and silence > self._parameters.patience and not trace.forgotten:
            self._candidates.forget(trace.tokens, Reason.AWAITED_IN_VAIN)
            self._changed = True

    def _first_undecided(self, token: int) -> int:
        state = self._held if self.state is _STEP else self.state
        first = token - state.depth
        return min([first, *[match.start for match in self._matches]]) if self._matches else first

    def _position(self, token: int) -> int:
        """The position of an undecided token."""
        before = self._ignored_before
        return token + self._ignored - len(before) + bisect_right(before, token)

    def _change(self) -> None:
        """The set of traces was changed between two tokens."""
        self._changed = True
        if self.state is self._root:
            self._take_over(0)

    def _take_over(self, end: int) -> None:
        """Makes changes of the set of traces take effect, but for traces that came after what is undecided.

        Where no match is undecided, behind the token before ``end``.
        """
        depth = self.state.depth
        traces = self._candidates.traces.values()
        for trace in traces:
            if trace.since is None:
                trace.since = 0 if depth == 0 else end - 1
        taken = [trace for trace in traces if depth == 0 or (trace.since or 0) <= end - depth]
        self._changed = len(taken) < len(traces)
        if taken == self._traces:
            return
        undecided = self.state.beginning()
        self._traces, self.has_traces = taken, bool(taken)
        dismantle(self._root)
        self._root = self._held = state = automaton(taken)
        for token in undecided:
            state = state.after(token, self._root).resume
        self.state = state


def _awaited(match: Match, state: State, behind: int) -> State | None:
    """The longest pointer for which a match waits, if there is one; ``state`` is reached so many tokens behind the match."""
    while state.depth > behind:
        if state.longest > match.end - match.start and not _given_up(state):
            return state
        state = state.fallback
    return None


def _pieces(trace: Trace, length: int) -> Sequence[int]:
    """How a number of launches, which is one of whole iterations, is replayed: in powers of two, which are few to plan."""
    if length == trace.length:
        return (length,)
    times, iteration = length // trace.iteration, trace.iteration
    return [iteration << bit for bit in reversed(range(times.bit_length())) if times >> bit & 1]


def _given_up(pointer: State) -> bool:
    """Whether the longest trace that a pointer can become was forgotten."""
    return pointer.through is not None and pointer.through.forgotten
