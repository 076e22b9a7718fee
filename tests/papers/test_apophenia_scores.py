"""Scores: which trace gets the launches that several want (Apophenia §4.3; A43–A48). Each test names its check."""

from __future__ import annotations

import itertools
import random

import pytest
from helpers.replayed_stream import ReplayedStream
from oracle.pointer_replayer import Complete, optimum

from fuseir.runtime.tracing.candidates import Trace
from fuseir.runtime.tracing.choice import Match, best
from fuseir.runtime.tracing.parameters import Costs, TracingParameters
from fuseir.runtime.tracing.reasons import Reason
from fuseir.runtime.tracing.replayer import Replayer
from fuseir.runtime.tracing.scores import Score


def visited(length: int, *positions: int) -> Score:
    score = Score(length)
    for position in positions:
        score.visit(position)
    return score


def test_a43_vector() -> None:
    score = visited(10, 10, 20, 30)
    assert score.visits == pytest.approx(2.9701, abs=1e-9)
    assert score.score(30) == pytest.approx(79.00499, abs=1e-9)
    assert score.score(130) == pytest.approx(73.35349, abs=1e-5)
    assert score.score(130) == pytest.approx((0.99**10 * 2.9701 + 1) * 10 * 1.99, abs=1e-9)


def test_a43_visits_that_overlap_do_not_count() -> None:
    score = visited(10, 10, 20, 29, 30)
    assert score.visits == visited(10, 10, 20, 30).visits
    assert visited(10, 5, 8).visits == 1


def test_a44_longer_beats_shorter() -> None:
    for visits in range(1, 30):
        scores = [visited(length, *range(0, visits * 100, 100)).score(visits * 100) for length in (5, 6, 20, 99)]
        assert scores == sorted(scores)
        assert len(set(scores)) == len(scores)


def test_a44_of_equal_scores_the_earlier_start_is_first() -> None:
    stream = ReplayedStream(Replayer(TracingParameters(minimum_length=2, visit_threshold=0)))
    stream.replayer.ingest([(1, 2, 3), (3, 4, 5)], 0)
    stream.launch_all((1, 2, 3, 4, 5))
    stream.flush()
    assert stream.brackets == [(0, 3)]


def test_a45_visits_are_capped() -> None:
    # Not back to back, so that nothing but visits counts.
    score = visited(10, *range(0, 10_000, 11))
    assert score.visits > 20
    assert score.score(10_000) == 100
    assert visited(10, *range(0, 88, 11)).score(88) < 100


def test_a46_visits_fade() -> None:
    score = visited(7, *range(0, 700, 8))
    assert score.faded_visits(696 + 700) / score.visits == pytest.approx(0.366, abs=1e-3)
    assert score.faded_visits(696 + 6) == score.visits


def test_a47_bonuses_are_bounded() -> None:
    plain = visited(10, *range(0, 10_000, 11))
    replayed = visited(10, *range(0, 10_000, 11))
    for replays, bonus in ((1, 1), (2, 1.75), (1000, 1.75)):
        replayed.replays = replays
        assert replayed.score(10_000) == bonus * plain.score(10_000)
    back_to_back = visited(10, *range(0, 10_000, 10))
    assert back_to_back.score(9_990) == 200


def test_a48_a_longer_trace_displaces_an_early_one_and_stays() -> None:
    stream = ReplayedStream(Replayer(TracingParameters(visit_threshold=0)))
    body, early = tuple(range(20)), tuple(range(5, 12))
    stream.replayer.ingest([early], 0)
    for _ in range(40):
        stream.launch_all(body)
    assert {replay.trace.tokens for replay in stream.replays} == {early}
    stream.replayer.ingest([(*body[8:], *body[:8])], len(stream.records))
    for _ in range(60):
        stream.launch_all(body)
    late = stream.replays[-40:]
    assert {replay.trace.length for replay in late} == {20}
    # A rare trace that is longer still does not break that.
    rare = (*body[3:], *range(50, 60))
    stream.replayer.ingest([rare], len(stream.records))
    before = len(stream.replays)
    for k in range(100):
        stream.launch_all((*body, *range(50, 60)) if k == 50 else body)
    assert sum(replay.trace.length == 20 for replay in stream.replays[before:]) >= 95


def test_a48_the_cap_is_what_lets_it() -> None:
    """A short trace of 1000 visits, replayed and back to back, is worth less than a longer one after ten."""
    short, long = visited(10, *range(0, 10_000, 10)), visited(40, *range(10_000, 10_400, 40))
    short.replays = 1000
    assert short.score(10_360) < long.score(10_360)


# Beyond the checklist: the choice is made by total value, and value may be measured costs.


def test_the_best_choice_is_that_of_exhaustion() -> None:
    rng = random.Random(11)
    for _ in range(500):
        spans = sorted(
            {(start := rng.randrange(12), start + rng.randint(1, 6)) for _ in range(rng.randint(1, 9))},
            key=lambda span: (span[1], span[0]),
        )
        weights = [float(rng.randint(1, 4)) for _ in spans]
        matches = [Match(Trace((0,) * (e - s), 0), s, e, w) for (s, e), w in zip(spans, weights, strict=True)]
        chosen = best(matches)
        assert all(one.end <= other.start for one, other in itertools.pairwise(chosen))
        subsets = itertools.chain.from_iterable(itertools.combinations(matches, k) for k in range(len(matches) + 1))
        most = max(
            sum(match.value for match in subset)
            for subset in subsets
            if all(one.end <= other.start for one, other in itertools.pairwise(subset))
        )
        assert sum(match.value for match in chosen) == most
        oracle = optimum(tuple(Complete((), match.start, match.end, match.value) for match in matches))[1]
        assert [(m.start, m.end) for m in chosen] == [(m.start, m.end) for m in oracle]


def test_costs_are_what_a_replay_saves() -> None:
    costs = Costs(untraced=4, recorded=6, replayed=1, replay=5)
    score = visited(10, 0)
    assert score.value(0, costs) == (10 * (4 - 6) + 1 * (10 * 3 - 5)) / 2
    score.replays = 1
    assert score.value(0, costs) == 10 * 3 - 5


@pytest.mark.parametrize(("length", "pays"), [(3, False), (4, True)])
def test_what_costs_more_than_it_saves_is_not_replayed(length: int, pays: bool) -> None:
    costs = Costs(untraced=3, recorded=3, replayed=1, replay=7)
    stream = ReplayedStream(Replayer(TracingParameters(minimum_length=2, visit_threshold=0, costs=costs)))
    stream.replayer.ingest([range(length)], 0)
    for _ in range(10):
        stream.launch_all(range(length))
    stream.flush()
    assert bool(stream.replays) == pays
    assert (Reason.TOO_SHORT in stream.replayer.report().reasons) == (not pays)


def test_recording_must_be_worth_it() -> None:
    """A trace that is expensive to record is recorded when it was seen often enough."""
    costs = Costs(untraced=3, recorded=10, replayed=1, replay=0)
    stream = ReplayedStream(Replayer(TracingParameters(minimum_length=2, visit_threshold=0, costs=costs)))
    stream.replayer.ingest([(1, 2)], 0)
    stream.launch_all((1, 2) * 10)
    stream.flush()
    # The visits before the recording pay for it at 2 × 7 for recording and 2 × 2 for each of them.
    assert stream.brackets == [(k, k + 2) for k in range(6, 20, 2)]


def test_by_costs_one_long_trace_is_better_than_its_parts() -> None:
    costs = Costs(untraced=3, recorded=3, replayed=1, replay=2)
    stream = ReplayedStream(
        Replayer(TracingParameters(minimum_length=2, visit_threshold=0, costs=costs, prefix_free=True))
    )
    stream.replayer.ingest([(2, 3, 4), (0, 1, 2, 3, 4, 5, 6), (4, 5, 6)], 0)
    for _ in range(20):
        stream.launch_all(range(7))
    stream.flush()
    assert [replay.trace.length for replay in stream.replays[-10:]] == [7] * 10
