"""Loops that go on are replayed several iterations at once; where they end, as many whole iterations as there were."""

from __future__ import annotations

import pytest
from helpers.replayed_stream import ReplayedStream

from fuseir.runtime.tracing.parameters import Costs, TracingParameters
from fuseir.runtime.tracing.replayer import Replayer

COSTS = Costs(untraced=3, recorded=3, replayed=1, replay=1, planned=0.1)
LOOP = [0, 1, 2]


def loop_of_three(maximum: int = 24, costs: Costs = COSTS) -> ReplayedStream:
    """The loop's trace is in use."""
    replayer = Replayer(TracingParameters(minimum_length=2, unrolled_length=maximum, visit_threshold=0, costs=costs))
    replayer.ingest([LOOP], 0)
    return ReplayedStream(replayer)


def lengths(stream: ReplayedStream) -> list[int]:
    return [end - start for start, end in stream.brackets]


def test_a_loop_is_unrolled_when_that_would_have_been_worth_it() -> None:
    stream = loop_of_three()
    stream.launch_all(LOOP * 30)
    stream.flush()
    # Three replays more than there had to be cost more than planning 24 launches.
    assert lengths(stream) == [3, 3, 3, 3, 24, 24, 24, 6]
    (trace,) = stream.replayer.report().traces
    assert trace.tokens == (0, 1, 2) * 8
    assert [replay.records for replay in stream.replays] == [True, False, False, False, True, False, False, True]


def test_up_to_a_length_where_more_would_not_help() -> None:
    for maximum, found in ((100, 99), (6, 6), (5, 3)):
        stream = loop_of_three(maximum)
        stream.launch_all(LOOP * 500)
        assert [len(trace.tokens) for trace in stream.replayer.report().traces] == [found]


@pytest.mark.parametrize("costs", [Costs(3, 3, 1, 1), Costs(3, 3, 1, 1, planned=1000)])
def test_not_before(costs: Costs) -> None:
    stream = loop_of_three(costs=costs)
    stream.launch_all(LOOP * 100)
    stream.flush()
    assert set(lengths(stream)) == {3}


def test_not_if_something_always_comes_in_between() -> None:
    stream = loop_of_three()
    for k in range(100):
        stream.launch_all(LOOP)
        if k % 2:
            stream.flush()
        else:
            stream.launch(9)
    assert set(lengths(stream)) == {3}


@pytest.mark.parametrize("flushed", [True, False])
@pytest.mark.parametrize("iterations", [1, 2, 3, 5, 7])
def test_whole_iterations_at_the_end_are_replayed_in_few_pieces(iterations: int, flushed: bool) -> None:
    stream = loop_of_three()
    stream.launch_all(LOOP * 12)
    stream.flush()
    stream.launch_all([*LOOP * iterations, 0, 1])
    before = len(stream.replays)
    if flushed:
        stream.flush()
    else:
        stream.launch(9)
    pieces = lengths(stream)[before:]
    assert sum(pieces) == 3 * iterations
    assert len(pieces) == iterations.bit_count()
    assert pieces == sorted(pieces, reverse=True)
    # What is left is not awaited any more.
    assert stream.settled >= len(stream.records) - 1


def test_what_was_unrolled_is_one_candidate() -> None:
    stream = loop_of_three()
    stream.launch_all(LOOP * 12)
    stream.replayer.ingest([LOOP, [1, 2, 0], LOOP * 3], len(stream.records))
    report = stream.replayer.report()
    assert len(report.traces) == 1
    assert not report.watched
