"""When what is mined, by whom, and in which order it comes back (Apophenia §4.3, §4.4). Each test names its checks."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from fuseir.errors import UsageError
from fuseir.repeats.finder import Repeat, find_repeats
from fuseir.repeats.runs import same_loop
from fuseir.runtime.tracing.coverage import Coverage
from fuseir.runtime.tracing.history import History, Sample, Sampling
from fuseir.runtime.tracing.miner import Miner, Mining


def paper(unit: int, buffer: int) -> Sampling:
    return Sampling(unit=unit, buffer=buffer, first=0, growth=0)


def lengths(sampling: Sampling, count: int) -> list[int]:
    history = History(sampling)
    return [len(sample.tokens) for _ in range(count) for sample in history.append([0])]


def random_stream(rng: random.Random, count: int) -> list[int]:
    """Loops, noise, and tokens that were never there before."""
    tokens: list[int] = []
    highest = 0
    while len(tokens) < count:
        novelty = rng.choice([0, 0.1, 0.9])
        body: list[int] = []
        for _ in range(rng.randrange(1, 30)):
            highest += rng.random() < novelty
            body.append(rng.choice([highest, rng.randrange(highest + 1)]))
        tokens += body * rng.randrange(1, 10)
    return tokens[:count]


def test_a14_the_ruler() -> None:
    assert lengths(paper(1, 8), 9) == [1, 2, 1, 4, 1, 2, 1, 8, 1]


def test_a15_units_and_a_buffer_that_is_filled_anew() -> None:
    assert lengths(paper(5, 40), 85) == [5, 10, 5, 20, 5, 10, 5, 40] * 2 + [5]
    assert lengths(paper(500, 5000), 5500) == [500, 1000, 500, 2000, 500, 1000, 500, 4000, 500, 5000, 500]


@pytest.mark.parametrize(
    "sampling", [paper(5, 40), Sampling(), Sampling(4, 32, 2, 3, 2, 64), Sampling(4, 64, 8, 5, 4, 16)]
)
def test_a16_the_most_recent_tokens_however_they_come(sampling: Sampling) -> None:
    """Each sample is the stream's last tokens at its position; the same samples come whatever pieces the stream comes in."""
    rng = random.Random(1)
    for _ in range(20):
        tokens = random_stream(rng, 1500)
        samples = History(sampling).append(tokens)
        assert samples
        for position, sample in samples:
            assert sample == tokens[position - len(sample) : position]
        history, at, pieces = History(sampling), 0, list[tuple[int, list[int]]]()
        while at < len(tokens):
            step = rng.randrange(1, rng.choice([2, 100]))
            pieces += [(s.position, s.tokens) for s in history.append(tokens[at : at + step])]
            at += step
        assert pieces == [(s.position, s.tokens) for s in samples]
        assert history.position == len(tokens)


def found_in(samples: Sequence[Sample], minimum: int) -> int:
    """The length of the longest repeat in any sample."""
    return max((repeat.length for s in samples for repeat in find_repeats(s.tokens, minimum)), default=0)


def test_a17_a_repeat_of_more_than_half_a_buffer_is_not_found() -> None:
    for length, seen in ((20, True), (21, False)):
        tokens = [*range(length), *range(length), *range(100, 100 + 80 - 2 * length)]
        assert (found_in(History(paper(5, 40)).append(tokens), length) == length) == seen


def iterations_until_found(setup: list[int], body: list[int]) -> float:
    """How often a loop went around until it is a candidate, all mining being done at once."""
    history, miner = History(Sampling()), Miner(Mining())
    for sample in history.append(setup + body * 11):
        for candidate in miner.mine(sample).candidates:
            times, rest = divmod(len(candidate), len(body))
            if (
                not rest
                and same_loop(candidate, tuple(body) * times)
                and len(candidate) < max(len(body), 5) + len(body)
            ):
                return (sample.position - len(setup)) / len(body)
    return np.inf


@pytest.mark.parametrize("period", [5, 7, 12, 25, 60, 100, 250, 1000, 2000])
@pytest.mark.parametrize("kind", ["none", "new tokens", "noise", "long noise"])
def test_a_new_loop_is_a_candidate_in_its_fourth_time_around(period: int, kind: str) -> None:
    """At any period, after anything: so that it can be replayed before the tenth."""
    rng = random.Random(period)
    setup = {
        "none": [],
        "new tokens": list(range(rng.randrange(500))),
        "noise": [rng.randrange(40) for _ in range(300)],
        "long noise": [rng.randrange(40) for _ in range(20_000)],
    }[kind]
    highest = max(setup, default=-1)
    distinct = max(3, int(period * rng.choice([0.3, 0.6, 1.0])))
    body = [highest + 1 + k for k in range(distinct)] + [
        highest + 1 + rng.randrange(distinct) for _ in range(period - distinct)
    ]
    assert iterations_until_found(setup, body) <= 4


@pytest.mark.parametrize("period", [5, 30, 200])
def test_a_loop_in_which_values_are_read_begins_behind_the_read(period: int) -> None:
    """A read is a token of its own each time: the candidate is what stands between reads, in this rotation, in the fourth time around."""
    history, miner = History(Sampling()), Miner(Mining())
    body = [k % (period - 2) for k in range(period)]
    found: list[int] = []
    for iteration in range(1, 11):
        for sample in [*history.append(body), *history.append([history.separator()])]:
            found += [iteration for candidate in miner.mine(sample).candidates if candidate == tuple(body)]
    assert found
    assert found[0] <= 4


def test_a_loop_of_tokens_that_were_there_before_is_found_by_the_ruler() -> None:
    rng = random.Random(4)
    setup = [rng.randrange(40) for _ in range(1000)]
    assert iterations_until_found(setup, [rng.randrange(40) for _ in range(300)]) <= 7


def test_less_is_mined_as_time_goes_by() -> None:
    """Twice as long a stream of nothing new takes a few samples more, not twice as many."""
    counts = [len(History(Sampling()).append([k % 7 for k in range(1 << bits)])) for bits in (16, 17, 18)]
    assert counts[2] - counts[1] == counts[1] - counts[0] <= 8


@pytest.mark.parametrize("sampling", [paper(5, 40), Sampling(), Sampling(4, 64, 8, 5, 4, 16)])
def test_nothing_is_due_before_it_says(sampling: Sampling) -> None:
    history, taken = History(sampling), 0
    tokens = [k % 9 for k in range(3000)]
    assert history.append(tokens[:9]) == History(sampling).append(tokens[:9])
    while history.position < len(tokens) - 1000:
        at = history.position
        assert not history.append(tokens[at : at + history.until_due - 1])
        assert history.until_due == 1
        taken += len(history.append([tokens[history.position]]))
    assert taken > 5


def test_new_tokens_all_the_time_do_not_make_it_mine_all_the_time() -> None:
    tokens = [k if k % 20 == 0 else k % 20 for k in range(1 << 17)]
    samples = History(Sampling()).append(tokens)
    assert sum(len(sample.tokens) for sample in samples) < 5 * len(tokens)
    assert len(samples) < 64 + (1 << 17) // 1024 + (1 << 17) // 256 + 1


def test_where_what_was_replayed_ends_a_phase_begins() -> None:
    """A loop of known tokens that follows one that was replayed is found at once, not by the ruler."""
    history, miner = History(Sampling()), Miner(Mining())
    loops = [[0, 1, 2, 3, 4, 5], [0, 3, 1, 4, 2]]
    history.append(loops[0] * 5)
    for _ in range(5000):
        history.append(loops[0], replayed=True)
    samples = history.append(loops[1] * 5)
    assert any(same_loop(c, tuple(loops[1])) for sample in samples for c in miner.mine(sample).candidates)


def test_no_repeat_spans_a_separator() -> None:
    history = History(paper(1, 64))
    samples: list[Sample] = []
    for _ in range(16):
        samples += history.append([1, 2, 3])
        samples += history.append([history.separator()])
    assert len(samples[-1].tokens) == 64
    assert find_repeats(samples[-1].tokens) == [Repeat(3, tuple(range(0, 64, 4)))]


@pytest.mark.parametrize(
    "figures", [{"unit": 0}, {"unit": 3, "buffer": 8}, {"unit": 16, "buffer": 8}, {"first": -1}, {"growth": -1}]
)
def test_a_policy_that_is_none_is_refused(figures: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        Sampling(**figures)
    with pytest.raises(UsageError):
        Mining(minimum=0)


def test_j4_coverage() -> None:
    coverage, issued = Coverage(window=10), list[bool]()
    rng = random.Random(1)
    assert (coverage.share, coverage.recent_share, coverage.warm_up) == (0, 0, None)
    for step in range(200):
        count, traced, recording = rng.randrange(30), rng.random() < 0.6, step < 5
        if traced:
            coverage.traced(count, recording=recording)
        else:
            coverage.untraced(count)
        if traced and not recording and coverage.warm_up is not None and not any(issued):
            assert coverage.warm_up == len(issued)
        issued += [traced and not recording] * count
        assert (coverage.issued, coverage.replayed) == (len(issued), sum(issued))
        assert coverage.share == (sum(issued) / len(issued) if issued else 0)
        assert coverage.recent_share == (sum(issued[-10:]) / len(issued[-10:]) if issued else 0)
    assert coverage.warm_up is not None
    assert coverage.recorded > 0


class SlowFinder:
    """Finds what there is as soon as it may."""

    def __init__(self) -> None:
        self.may = threading.Semaphore(0)

    def __call__(self, tokens: npt.NDArray[np.int64], minimum: int) -> list[Repeat]:
        assert self.may.acquire(timeout=60)
        return find_repeats(tokens, minimum)


@pytest.fixture
def slow() -> Iterator[tuple[SlowFinder, Miner]]:
    finder = SlowFinder()
    miner = Miner(Mining(minimum=2, in_flight=4), find=finder)
    yield finder, miner
    finder.may.release(100)
    miner.stop()


def samples_of(*loops: str) -> list[Sample]:
    return [Sample(100 * k, [ord(c) for c in loop * 3]) for k, loop in enumerate(loops)]


def names(miner: Miner) -> list[tuple[int, list[str]]]:
    return [(position, ["".join(map(chr, c)) for c in candidates]) for position, candidates in miner.collect()]


def test_a18_nobody_waits_for_the_miner(slow: tuple[SlowFinder, Miner]) -> None:
    """While it is at its first sample, a thousand more are submitted; what is too much is left out, so memory is bounded."""
    finder, miner = slow
    for _ in range(1000):
        miner.submit(samples_of("ab"))
        assert miner.collect() == []
    assert (miner.in_flight, miner.left_out) == (4, 996)
    finder.may.release(4)
    miner.wait()
    assert len(miner.collect()) == 4
    assert (miner.in_flight, miner.ready) == (0, 0)


def test_a19_in_the_order_of_the_samples(slow: tuple[SlowFinder, Miner]) -> None:
    finder, miner = slow
    miner.submit(samples_of("ab", "cde", "fg"))
    finder.may.release()
    while not miner.ready:
        time.sleep(0.001)
    assert names(miner) == [(0, ["ab"])]
    finder.may.release(2)
    miner.wait()
    assert miner.ready == 2
    assert names(miner) == [(100, ["cde"]), (200, ["fg"])]


def test_synchronous_mining_is_done_when_it_is_submitted() -> None:
    miner = Miner(Mining(minimum=2), synchronous=True)
    miner.submit(samples_of("ab", "cde"))
    assert miner.ready == 2
    assert [m.position for m in miner.collect(1)] == [0]
    assert names(miner) == [(100, ["cde"])]


def test_what_goes_wrong_finds_nothing() -> None:
    def broken(tokens: npt.NDArray[np.int64], minimum: int) -> list[Repeat]:
        raise MemoryError

    miner = Miner(Mining(), synchronous=True, find=broken)
    miner.submit(samples_of("abcde"))
    assert names(miner) == [(0, [])]
    assert isinstance(miner.failure, MemoryError)


def test_a_loop_is_one_candidate_wherever_samples_begin() -> None:
    """The rotation that was found first, which often is where the program has it begin."""
    miner = Miner(Mining(minimum=3))
    loop = "abcde"
    stream = [ord(c) for c in "xyz" + loop * 40]
    assert miner.mine(Sample(0, stream[:30])).candidates == (tuple(map(ord, loop)),)
    for start in range(3, 60):
        for length in (10, 23, 64):
            assert miner.mine(Sample(0, stream[start : start + length])).candidates == (tuple(map(ord, loop)),)


def test_only_so_many_candidates_of_one_sample() -> None:
    """Those that cover most of it."""
    words = [list(range(100 * n, 100 * n + n)) for n in range(2, 9)]
    tokens = [token for k in (1, 2) for word in words for token in [*word, -k * len(word)]]
    sample = Sample(0, tokens)
    assert len(Miner(Mining(minimum=2)).mine(sample).candidates) == 7
    assert Miner(Mining(minimum=2, candidates=2)).mine(sample).candidates == (tuple(words[-1]), tuple(words[-2]))


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")  # from Python 3.12 on, where there are threads
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_mines_what_is_left() -> None:
    miner = Miner(Mining(minimum=2))
    miner.submit(samples_of("ab" * 5000, "cde" * 5000, "fg"))
    expected = [(0, ["ab"]), (100, ["cde"]), (200, ["fg"])]
    child = os.fork()
    if child == 0:
        status = 1
        try:
            miner.wait()
            status = 0 if names(miner) == expected else 2
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    miner.wait()
    assert names(miner) == expected


def test_a_program_ends_while_it_is_mined() -> None:
    program = """
from fuseir.runtime.tracing.history import Sample
from fuseir.runtime.tracing.miner import Miner, Mining
miner = Miner(Mining())
miner.submit([Sample(0, list(range(7)) * 40_000)] * 16)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
