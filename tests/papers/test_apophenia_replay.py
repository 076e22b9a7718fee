"""Candidates, watching, and replay (Apophenia §4.3–4.4; A23–A42). Each test names its check."""

from __future__ import annotations

import gc
import os
import random
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest
from helpers.replayed_stream import ReplayedStream
from oracle.pointer_replayer import Pointers, Published
from oracle.repeats_by_definition import repeats_by_definition

from fuseir.errors import UsageError
from fuseir.runtime.tracing.candidates import loop_of
from fuseir.runtime.tracing.matching import State
from fuseir.runtime.tracing.parameters import Costs, TracingParameters
from fuseir.runtime.tracing.reasons import Reason
from fuseir.runtime.tracing.replayer import Replayer

AT_ONCE = TracingParameters(minimum_length=1, visit_threshold=0)
"""Every candidate is replayed as it comes."""


def tokens(text: str) -> tuple[int, ...]:
    return tuple(map(ord, text))


def text(string: Sequence[int]) -> str:
    return "".join(map(chr, string))


def replayer_of(*traces: str, parameters: TracingParameters = AT_ONCE) -> Replayer:
    replayer = Replayer(parameters)
    replayer.ingest([tokens(trace) for trace in traces], 0)
    return replayer


def replays_of(stream: ReplayedStream) -> list[tuple[str, int]]:
    return [(text(replay.trace.tokens), replay.start) for replay in stream.replays]


def replayed(traces: Sequence[str], string: str) -> list[tuple[str, int]]:
    """The traces that are replayed of a string, and where, flushed at its end."""
    stream = ReplayedStream(replayer_of(*traces))
    stream.launch_all(tokens(string))
    stream.flush()
    return replays_of(stream)


def candidates_of(replayer: Replayer) -> set[str]:
    return {text(string) for string in replayer.report().watched}


@pytest.mark.parametrize(
    ("minimum", "added", "stored"),
    [
        (2, ["abc", "ab"], {"abc"}),
        (2, ["abc", "abc"], {"abc"}),
        (2, ["abc", "abcde"], {"abc", "de"}),
        (2, ["abc", "abcde", "abcdef"], {"abc", "de"}),
        (2, ["abc", "xy", "xyabc"], {"abc", "xy"}),
        (2, ["a"], set()),
        (1, ["abc", "abcde", "abcdef"], {"abc", "de", "f"}),
    ],
)
def test_a23_candidates_are_no_prefixes_of_each_other(minimum: int, added: list[str], stored: set[str]) -> None:
    replayer = replayer_of(*added, parameters=replace(TracingParameters.as_shipped(), minimum_length=minimum))
    assert candidates_of(replayer) == stored


def test_a23_what_is_not_added_has_a_reason() -> None:
    replayer = replayer_of("abc", "ab", "abcdef", "x", parameters=TracingParameters(minimum_length=3, prefix_free=True))
    replayer.ingest([tokens("abcde"), tokens("def")], 0)
    assert candidates_of(replayer) == {"abc", "def"}
    assert replayer.report().reasons == {Reason.TOO_SHORT: 3, Reason.KNOWN: 1}


@pytest.mark.parametrize(("length", "pieces"), [(25, [25]), (26, [20, 6]), (47, [20, 20, 7]), (20, [20])])
def test_a24_long_candidates_are_cut_with_slack(length: int, pieces: list[int]) -> None:
    replayer = Replayer(TracingParameters(minimum_length=5, maximum_length=20))
    replayer.ingest([range(length)], 0)
    assert sorted(map(len, replayer.report().watched), reverse=True) == pieces


def test_a24_pieces_are_recognised_separately() -> None:
    replayer = Replayer(TracingParameters(minimum_length=5, maximum_length=20, visit_threshold=0))
    replayer.ingest([range(26)], 0)
    stream = ReplayedStream(replayer)
    stream.launch_all([*range(26), *range(20, 26), *range(20)])
    stream.flush()
    assert stream.brackets == [(0, 20), (20, 26), (26, 32), (32, 52)]


@pytest.mark.parametrize("chunk", [1, 4, 64])
def test_a25_a_match_that_began_before_the_candidate_does_not_count(chunk: int) -> None:
    replayer = Replayer(TracingParameters(minimum_length=2, visit_threshold=1))
    string = tokens("xabcxabcx")
    replayer.ingest([tokens("abc")], 2)
    for position in range(0, 5, chunk):
        replayer.observe(string[position : min(5, position + chunk)], position)
    assert candidates_of(replayer) == {"abc"}
    replayer.observe(string[5:], 5)
    assert candidates_of(replayer) == set()
    assert replayer.report().promoted == 1


def test_a25_nor_does_one_that_began_before_its_trace_was_promoted() -> None:
    stream = ReplayedStream(replayer_of("abcd"))
    stream.launch_all(tokens("ab"))
    stream.replayer.ingest([tokens("bx")], 2)
    stream.launch_all(tokens("xabcdbxx"))
    stream.flush()
    assert replays_of(stream) == [("abcd", 3), ("bx", 7)]


def test_a25_even_if_another_match_goes_on_meanwhile() -> None:
    stream = ReplayedStream(replayer_of("abcd", "bcyq"))
    stream.launch_all(tokens("abc"))
    stream.replayer.ingest([tokens("cyz")], 3)
    stream.launch_all(tokens("yzbcyzx"))
    assert replays_of(stream) == [("cyz", 6)]


@pytest.mark.parametrize("chunk", [1, 5, 64])
@pytest.mark.parametrize(("threshold", "launches"), [(1, 6), (2, 12), (3, 18)])
def test_a26_a27_visits_do_not_overlap_and_the_threshold_promotes_once(
    threshold: int, launches: int, chunk: int
) -> None:
    replayer = Replayer(TracingParameters(minimum_length=6, visit_threshold=threshold))
    replayer.ingest([tokens("ABCABC")], 0)
    string = tokens("ABC" * 20)
    position = 0
    while position + chunk < launches:
        replayer.observe(string[position : position + chunk], position)
        position += chunk
        assert replayer.report().promoted == 0
    replayer.observe(string[position : position + chunk], position)
    assert replayer.report().promoted == 1
    replayer.observe(string[position + chunk :], position + chunk)
    assert replayer.report().promoted == 1


def test_a26_nothing_is_seen_across_a_cut() -> None:
    replayer = Replayer(TracingParameters(minimum_length=2, visit_threshold=1))
    replayer.ingest([tokens("abcd")], 0)
    replayer.observe(tokens("ab"), 0, cut=True)
    replayer.observe(tokens("cd"), 2)
    replayer.observe(tokens("ab"), 4)
    replayer.observe(tokens("cd"), 7)  # a fence stands at 6
    assert replayer.report().promoted == 0
    replayer.observe(tokens("ab"), 9)
    replayer.observe(tokens("cd"), 11)
    assert replayer.report().promoted == 1


def test_a26_what_ends_right_before_a_cut_is_seen() -> None:
    replayer = Replayer(TracingParameters(minimum_length=2, visit_threshold=1))
    replayer.ingest([range(20)], 0)
    replayer.observe([-1, -1, *range(19)], 0)
    replayer.observe([19], 21, cut=True)
    assert replayer.report().promoted == 1


def test_a28_nothing_waits_before_a_promotion() -> None:
    replayer = Replayer()
    stream = ReplayedStream(replayer)
    replayer.ingest([range(10)], 0)
    for k in range(25):
        stream.launch(k % 10)
        assert stream.settled == k + 1
    replayer.observe([k % 10 for k in range(25)], 0)
    stream.launch_all([5, 6, 7, 8, 9, 0, 1])
    assert stream.settled == len(stream.records) - 2


def test_a29_a30_order_and_brackets_hold_in_any_stream() -> None:
    """``ReplayedStream`` asserts them; tests/differential/test_random_traces.py has more streams."""
    rng = random.Random(1)
    stream = ReplayedStream(replayer_of("abc", "bcd", "cba", "dd", parameters=replace(AT_ONCE, minimum_length=2)))
    stream.launch_all(rng.choices(tokens("abcd"), k=2000))
    stream.flush()
    assert 300 < stream.replayed < 2000
    assert {replay.trace.number for replay in stream.replays} == {0, 1, 2, 3}


def test_a31_the_first_run_of_a_trace_records() -> None:
    stream = ReplayedStream(replayer_of("ab", "cd"))
    stream.launch_all(tokens("ababcdabcdab"))
    stream.flush()
    assert [(replay.trace.number, replay.records) for replay in stream.replays] == [
        *[(0, True), (0, False), (1, True), (0, False), (1, False), (0, False)]
    ]


def test_replays_are_the_same_in_every_process() -> None:
    """Replicas of a program must agree (A20); nothing may depend on how hashes are seeded."""
    program = """if True:
        import random
        from fuseir.runtime.tracing.replayer import Replayer
        rng, replayer, replays = random.Random(2), Replayer(), []
        motifs = [rng.choices(range(6), k=rng.randint(5, 9)) for _ in range(6)]
        stream = [token for _ in range(400) for token in rng.choice(motifs)]
        for position, token in enumerate(stream):
            replays += replayer.step(token, position)
            if position % 100 == 50:
                replayer.ingest(motifs + [stream[position - 30 : position]], position)
                replayer.observe(stream[position - 50 : position + 50], position - 50)
        print([(replay.start, replay.trace.number) for replay in replays], replayer.report())
    """
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(outputs) == 1
    assert len(outputs.pop()) > 1000


VECTORS = [
    (["AB", "BC"], "ABC", [("AB", 0)]),
    (["ABCD", "CDE"], "ABCDE", [("ABCD", 0)]),
    (["ABCDE", "CD"], "ABCDX", [("CD", 2)]),
    (["ABCDE", "CD"], "ABCDE", [("ABCDE", 0)]),
    (["AB"], "XABXAB", [("AB", 1), ("AB", 4)]),
]


@pytest.mark.parametrize(("traces", "string", "expected"), VECTORS)
def test_a32_vectors(traces: list[str], string: str, expected: list[tuple[str, int]]) -> None:
    assert replayed(traces, string) == expected
    for oracle in (Published([*map(tokens, traces)]), Pointers([*map(tokens, traces)])):
        for token in tokens(string):
            oracle.launch(token)
        oracle.flush()
        assert [(string[start:end], start) for start, end in oracle.replays] == expected


def test_a32_matches_that_touch_are_all_replayed() -> None:
    """The published rules lose one of them, as their author says."""
    published = Published([tokens("AB"), tokens("BC")])
    for token in tokens("ABABAB"):
        published.launch(token)
    published.flush()
    assert published.replays == [(0, 2), (4, 6)]
    assert replayed(["AB", "BC"], "ABABAB") == [("AB", 0), ("AB", 2), ("AB", 4)]


def test_a33_a_short_match_waits_for_a_longer_one() -> None:
    stream = ReplayedStream(replayer_of("ABCDE", "CD"))
    assert stream.launch_all(tokens("ABCD")) == []
    assert stream.settled == 0
    assert [replay.start for replay in stream.launch(ord("X"))] == [2]
    assert stream.launch_all(tokens("ABCDE")) == []
    assert [(replay.start, replay.end) for replay in stream.launch(ord("X"))] == [(5, 10)]


def test_a33_a_trace_does_not_wait_for_itself() -> None:
    """By the published rules, most of the trace has come again when it is replayed."""
    stream = ReplayedStream(replayer_of("abcab"))
    assert stream.launch_all(tokens("abcab")) == []
    assert [(replay.start, replay.end) for replay in stream.launch(ord("c"))] == [(0, 5)]


@pytest.mark.parametrize("flushed", [False, True])
def test_a_complete_match_is_replayed_with_what_comes_next(flushed: bool) -> None:
    """A loop's variables are rebound after the launch: what dies with that is dead when the trace runs."""
    stream = ReplayedStream(replayer_of("abc"))
    assert stream.launch_all(tokens("abc")) == []
    assert stream.settled == 0
    decided = stream.flush() if flushed else stream.launch(ord("x"))
    assert [(replay.start, replay.end) for replay in decided] == [(0, 3)]


def test_a34_what_waits_is_bounded() -> None:
    traces = ["abcdefgh", "cdexxx", "habc", "ghab", "efg"]
    stream = ReplayedStream(replayer_of(*traces))
    rng = random.Random(3)
    for _ in range(300):
        stream.launch_all(tokens(rng.choice(["abcdefgh", "abcde", "xxx", "gh", "abc", "q"])))
    assert 8 < stream.most_waiting <= 24


def test_a35_a_mismatch_gives_up_what_waited() -> None:
    stream = ReplayedStream(replayer_of("abcdef", "cdxy"))
    stream.launch_all(tokens("abcd"))
    assert stream.settled == 0
    stream.launch(ord("x"))  # another trace began at the c
    assert stream.settled == 2
    stream.launch(ord("q"))
    assert stream.settled == 6
    assert stream.replays == []
    assert stream.replayer.report().reasons == {Reason.MISMATCH: 2}


def test_a36_a_fence_flushes_and_nothing_is_replayed_across_it() -> None:
    stream = ReplayedStream(replayer_of("abc", "xy"))
    stream.launch_all(tokens("abcab"))
    stream.fence()
    assert replays_of(stream) == [("abc", 0)]
    stream.launch_all(tokens("cxy"))
    stream.fence()
    assert replays_of(stream) == [("abc", 0), ("xy", 7)]
    assert stream.replayer.report().reasons == {Reason.INTERRUPTED: 1}


def test_a37_a_read_flushes_what_it_needs_only() -> None:
    stream = ReplayedStream(replayer_of("abc"))
    stream.launch_all(tokens("xxab"))
    assert stream.replayer.read(1, 4) == ()
    assert stream.replayer.settled(4) == 2
    assert stream.replayer.read(2, 4) == ()
    assert stream.replayer.settled(4) == 4
    stream.launch_all(tokens("cabc"))
    assert [replay.start for replay in stream.replayer.read(6, 8)] == [5]


def test_a38_explicit_traces_are_no_business_of_this() -> None:
    stream = ReplayedStream(replayer_of("abc"))
    stream.launch_all(tokens("abc"))
    assert [replay.start for replay in stream.suspend()] == [0]
    stream.suspend()
    stream.launch_all(tokens("abcabc"))
    assert stream.settled == 9
    stream.replayer.ingest([tokens("xyz")], 9)
    stream.replayer.resume()
    stream.launch_all(tokens("abcab"))
    stream.fence()
    assert len(stream.replays) == 1
    stream.replayer.resume()
    stream.launch_all(tokens("cabcxyz"))
    stream.flush()
    assert replays_of(stream) == [("abc", 0), ("abc", 16), ("xyz", 19)]


def test_a39_ignored_operations_go_along() -> None:
    stream = ReplayedStream(replayer_of("abc", "cdefgh", "de"))
    for letter in "-ab-c--a-bc-d-e-x-":
        if letter == "-":
            stream.ignore()
        else:
            stream.launch(ord(letter))
    stream.flush()
    assert replays_of(stream) == [("abc", 1), ("abc", 7), ("de", 12)]
    assert stream.brackets == [(1, 5), (7, 11), (12, 15)]


def test_a40_noise() -> None:
    """What was found once and never comes again is forgotten."""
    rng = random.Random(7)
    parameters = TracingParameters(maximum_watched=8, capacity=200)
    stream = ReplayedStream(Replayer(parameters))
    for position in range(0, 20_000, 100):
        chunk = [rng.randrange(1 << 20) for _ in range(100)]
        stream.launch_all(chunk)
        stream.replayer.observe(chunk, position)
        stream.replayer.ingest([chunk[k : k + 10] for k in range(0, 50, 10)], position + 100)
        watched = stream.replayer.report().watched
        assert len(watched) <= 8
    assert stream.replays == []
    assert stream.most_waiting == 0
    report = stream.replayer.report()
    assert report.promoted == 0
    assert report.reasons[Reason.LONGEST_SILENT] > 900
    for position in range(20_000, 22_000, 100):
        stream.replayer.observe([rng.randrange(1 << 20) for _ in range(100)], position)
    assert stream.replayer.report().watched == ()
    assert stream.replayer.report().reasons[Reason.NOT_SEEN_AGAIN] == 8


def test_a40_the_watcher_keeps_no_more_than_candidates_need() -> None:
    replayer = Replayer(TracingParameters(patience=sys.maxsize))
    replayer.ingest([range(50), range(100, 110)], 0)
    noise = [*range(10_000, 11_000)]
    replayer.observe(noise, 0)
    tracemalloc.start()
    try:
        for position in range(1000, 300_000, 1000):
            replayer.observe(noise, position)
        assert tracemalloc.get_traced_memory()[1] < 50_000
    finally:
        tracemalloc.stop()


def test_candidates_that_come_and_go_do_not_disturb_those_that_stay() -> None:
    parameters = TracingParameters(maximum_watched=3, visit_threshold=700)
    replayer = Replayer(parameters)
    replayer.ingest([range(10)], 0)
    for k in range(700):
        assert replayer.report().promoted == 0
        replayer.ingest([range(100 + 10 * k, 110 + 10 * k)], 20 * k)
        replayer.observe([*range(10), *[-1] * 10], 20 * k)
    assert replayer.report().promoted == 1
    assert replayer.report().reasons[Reason.LONGEST_SILENT] > 100


def mined(stream: Sequence[int], unit: int, buffer: int) -> Iterator[tuple[int, list[tuple[int, ...]]]]:
    """What the ruler and the finder make of a stream, by definition (A14, A15): with the position behind what was mined."""
    for position in range(unit, len(stream) + 1, unit):
        filled = (position % buffer or buffer) // unit
        length = buffer if filled * unit == buffer else (filled & -filled) * unit
        sample = stream[position - length : position]
        found = repeats_by_definition(sample, 5)
        yield position, [tuple(sample[starts[0] : starts[0] + size]) for size, starts in found]


def traced(stream: Sequence[int], unit: int, buffer: int, threshold: int) -> ReplayedStream:
    """A stream that is mined and traced as in Legion's implementation."""
    replayer = Replayer(replace(TracingParameters.as_shipped(), visit_threshold=threshold))
    captured = ReplayedStream(replayer)
    found = dict(mined(stream, unit, buffer))
    for position, token in enumerate(stream):
        captured.launch(token)
        replayer.observe([token], position)
        replayer.ingest(found.get(position + 1, []), position + 1)
    captured.flush()
    return captured


def test_a41_an_irregular_check_every_seventh_iteration() -> None:
    stream = [token for k in range(400) for token in ([*range(6), 100 + k % 5] if k % 7 == 0 else range(6))]
    captured = traced(stream, unit=20, buffer=200, threshold=3)
    warm = len(stream) // 4
    assert sum(end - start for start, end in captured.brackets if start >= warm) >= 0.8 * (len(stream) - warm)


@pytest.mark.parametrize(
    ("window", "unit", "threshold", "launches", "first", "share"),
    [(1000, 100, 10, 3000, 600, 0.75), (50, 10, 3, 1200, 60, 0.93)],
)
def test_a42_two_iterations_of_jacobi(
    window: int, unit: int, threshold: int, launches: int, first: int, share: float
) -> None:
    captured = traced([*range(6)] * (launches // 6), unit, 2 * window, threshold)
    assert captured.replays[0].start <= first
    assert captured.replayed >= share * launches


@pytest.mark.parametrize("period", [5, 6, 31, 400, 2000])
def test_the_first_replay_is_within_ten_iterations(period: int) -> None:
    """Of a loop that is found after three, with the parameters that are the default."""
    captured = ReplayedStream(Replayer())
    for position in range(0, 10 * period, 16):
        chunk = [token % period for token in range(position, min(position + 16, 10 * period))]
        captured.launch_all(chunk)
        captured.replayer.observe(chunk, position)
        if position <= 3 * period < position + 16:
            captured.replayer.ingest([[*range(period // 2, period), *range(period // 2)]], position + len(chunk))
    assert captured.replays


# Beyond the checklist


@pytest.mark.parametrize("other", ["bca", "cab", "bcabca", "cabcabcab"])
def test_a_loop_has_one_candidate(other: str) -> None:
    replayer = replayer_of("abcabc", parameters=TracingParameters(minimum_length=2))
    assert candidates_of(replayer) == {"abc"}
    replayer.ingest([tokens("abcabcabc"), tokens(other)], 0)
    assert candidates_of(replayer) == {"abc"}
    assert replayer.report().reasons == {Reason.KNOWN: 1, Reason.SAME_LOOP: 1}
    # When that one is not seen any more, it makes room for the other.
    replayer.ingest([tokens(other)], 100)
    assert candidates_of(replayer) == {other[:3]}
    assert replayer.report().reasons[Reason.REPLACED] == 1


@pytest.mark.parametrize(("minimum", "kept"), [(2, "ab"), (3, "abab"), (4, "abab"), (5, "ababab"), (9, "")])
def test_a_loop_is_as_many_iterations_as_the_least_length_needs(minimum: int, kept: str) -> None:
    replayer = replayer_of("abababab", parameters=TracingParameters(minimum_length=minimum))
    assert candidates_of(replayer) == ({kept} if kept else set())


def test_candidates_that_begin_alike_compete() -> None:
    """Of a loop, its beginning is found first: the second iteration has begun. The whole of it takes over."""
    stream = ReplayedStream(Replayer(TracingParameters(minimum_length=2, visit_threshold=0)))
    stream.replayer.ingest([tokens("abc")], 0)
    for k in range(40):
        stream.launch_all(tokens("abcdefgh"))
        if k == 5:
            stream.replayer.ingest([tokens("abcdefgh")], len(stream.records))
    assert [replay.trace.length for replay in stream.replays[:6]] == [3] * 6
    assert [replay.trace.length for replay in stream.replays[-25:]] == [8] * 25
    report = stream.replayer.report()
    assert [text(trace.tokens) for trace in report.traces] == ["abcdefgh"]
    # What lost is not tried again, until that to which it lost is not seen any more.
    stream.replayer.ingest([tokens("abc")], len(stream.records))
    assert stream.replayer.report().reasons[Reason.LOST_BEFORE] == 1
    stream.launch_all(tokens("abc") * 30)
    stream.replayer.ingest([tokens("abc")], len(stream.records))
    stream.launch_all(tokens("abc") * 30)
    assert [replay.trace.length for replay in stream.replays[-29:]] == [3] * 29


def test_loops_are_compared_where_they_are_least() -> None:
    rng = random.Random(5)
    for _ in range(300):
        loop = tuple(rng.choices(range(2), k=rng.randint(1, 8)))
        string = loop * rng.randint(1, 3)
        period = next((k for k in range(1, len(string) // 2 + 1) if string[k:] == string[:-k]), len(string))
        assert loop_of(string) == min((string[:period] * 2)[k : k + period] for k in range(period))


def test_memory_is_bounded_and_what_is_used_stays() -> None:
    parameters = TracingParameters(minimum_length=2, visit_threshold=0, capacity=40)
    stream = ReplayedStream(Replayer(parameters))
    stream.replayer.ingest([tokens("abcdefghij")], 0)
    for k in range(200):
        stream.launch_all(tokens("abcdefghij"))
        stream.replayer.ingest([range(1000 + 10 * k, 1010 + 10 * k)], len(stream.records))
        assert sum(len(trace.tokens) for trace in stream.replayer.report().traces) <= 40
    stream.flush()
    assert len(stream.replays) == 200
    assert stream.replayer.report().reasons[Reason.LONGEST_SILENT] > 10
    stream.replayer.ingest([range(41)], len(stream.records))
    assert stream.replayer.report().reasons[Reason.NO_ROOM] >= 1


def test_what_was_forgotten_is_not_replayed() -> None:
    stream = ReplayedStream(Replayer(TracingParameters(visit_threshold=1, capacity=12)))
    stream.replayer.ingest([range(10)], 0)
    stream.replayer.observe(range(10), 0)
    stream.launch_all([*range(10)] * 2)
    stream.flush()
    assert len(stream.replays) == 2
    stream.launch_all([-1] * 100)
    stream.replayer.ingest([range(20, 30)], len(stream.records))
    stream.launch_all([*range(10)] * 2)
    stream.flush()
    assert len(stream.replays) == 2


def test_ignored_operations_do_not_make_traces_look_unused() -> None:
    stream = ReplayedStream(Replayer(TracingParameters(visit_threshold=0, capacity=12)))
    stream.replayer.ingest([range(10)], 0)
    for _ in range(30):
        stream.launch_all(range(10))
        for _ in range(10):
            stream.ignore()
    stream.replayer.ingest([range(20, 30)], len(stream.records))
    assert stream.replayer.report().reasons == {Reason.NO_ROOM: 1}


def test_what_is_in_use_makes_no_room() -> None:
    stream = ReplayedStream(Replayer(TracingParameters(minimum_length=2, visit_threshold=0, capacity=30)))
    loops = [range(k, k + 10) for k in (0, 10, 20)]
    stream.replayer.ingest(loops, 0)
    for _ in range(20):
        stream.launch_all(range(30))
        stream.replayer.ingest([range(1000, 1005)], len(stream.records))
    stream.flush()
    assert stream.replayed == 600
    assert stream.replayer.report().reasons == {Reason.NO_ROOM: 20}
    stream.launch_all([-1] * 100)
    stream.replayer.ingest([range(1000, 1005)], len(stream.records))
    assert stream.replayer.report().reasons[Reason.LONGEST_SILENT] == 1


def test_a_trace_that_always_loses_is_forgotten() -> None:
    stream = ReplayedStream(replayer_of("abcdef", "cd", parameters=replace(AT_ONCE, losses=4)))
    for _ in range(6):
        stream.launch_all(tokens("abcdef"))
    stream.flush()
    report = stream.replayer.report()
    assert [text(trace.tokens) for trace in report.traces] == ["abcdef"]
    assert report.reasons == {Reason.OVERLAPPED: 4, Reason.LOST_TO_OTHERS: 1}
    assert stream.brackets == [(k, k + 6) for k in range(0, 36, 6)]
    stream.launch_all(tokens("xcdx"))
    assert len(stream.replays) == 6


def test_a_trace_that_keeps_others_waiting_is_forgotten() -> None:
    """After a phase in which it came, only its beginning goes on for ever."""
    parameters = TracingParameters(minimum_length=2, visit_threshold=0, patience=20, losses=5)
    stream = ReplayedStream(Replayer(parameters))
    stream.replayer.ingest([tokens("abc" * 10 + "xy")], 0)
    for _ in range(10):
        stream.launch_all(tokens("abc" * 10 + "xy"))
    stream.flush()
    assert {replay.trace.length for replay in stream.replays} == {32}
    stream.replayer.ingest([tokens("abc")], len(stream.records))
    stream.launch_all(tokens("abc" * 300))
    assert stream.replayer.report().reasons[Reason.AWAITED_IN_VAIN] == 1
    assert stream.settled >= len(stream.records) - 3
    assert [replay.trace.length for replay in stream.replays[-299:]] == [3] * 299


def test_a_trace_that_loses_now_and_then_stays() -> None:
    stream = ReplayedStream(replayer_of("abcdef", "cd", parameters=replace(AT_ONCE, losses=4)))
    for _ in range(10):
        stream.launch_all(tokens("abcdefcdx"))
    stream.flush()
    assert len(stream.replays) == 20
    assert stream.replayer.report().reasons[Reason.OVERLAPPED] == 10


def test_forgotten_automata_leave_no_garbage() -> None:
    gc.collect()
    gc.disable()
    try:
        stream = ReplayedStream(replayer_of("abcab"))
        before = sum(type(thing) is State for thing in gc.get_objects())
        for k in range(1, 21):
            stream.launch_all(tokens("abcab-"))
            stream.replayer.ingest([range(1000 * k, 1000 * k + 100)], len(stream.records))
            stream.launch_all([*range(1000 * k, 1000 * k + 100), -1])
        after = sum(type(thing) is State for thing in gc.get_objects())
    finally:
        gc.enable()
    assert stream.replayed == 20 * 105
    assert after - before == 20 * 100


def test_reports_count() -> None:
    stream = ReplayedStream(replayer_of("abc"))
    stream.launch_all(tokens("abcabcab"))
    report = stream.replayer.report()
    assert (report.promoted, report.replays, report.replayed_launches) == (1, 2, 6)
    (trace,) = report.traces
    assert (trace.number, text(trace.tokens), trace.visits, trace.replays) == (0, "abc", 2, 2)


@pytest.mark.parametrize(
    "wrong",
    [
        {"minimum_length": 0},
        {"visit_threshold": -1},
        {"minimum_length": 9, "maximum_length": 8},
        {"capacity": 0},
        {"losses": 0},
    ],
)
def test_parameters_that_make_no_sense_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(UsageError, match=next(iter(wrong))):
        TracingParameters(**wrong)


def test_costs_that_are_no_times_are_refused() -> None:
    with pytest.raises(UsageError, match="replay is -1"):
        Costs(1, 1, 1, -1)
    assert TracingParameters.as_shipped().capacity == sys.maxsize
