"""Replicas of one program agree on when what their miners find is used (Apophenia §5.1). Each test names its checks."""

from __future__ import annotations

import random
import threading
from collections import deque
from collections.abc import Callable, Sequence

import pytest

from fuseir.runtime.tracing.agreement import Agreement, Alone, Replicas
from fuseir.runtime.tracing.history import History, Sampling
from fuseir.runtime.tracing.miner import Mined, Miner, Mining

STEPS = 120
SAMPLING = Sampling(unit=16, buffer=128, first=8)


class Minimum:
    """The least of what all replicas give; each has its own way in, and takes part in the same reductions in the same order."""

    def __init__(self, replicas: int) -> None:
        self._given: list[list[int]] = [[] for _ in range(replicas)]
        self._changed = threading.Condition()

    def of(self, replica: int) -> Callable[[int], Callable[[], int]]:
        def start(value: int) -> Callable[[], int]:
            with self._changed:
                number = len(self._given[replica])
                self._given[replica].append(value)
                self._changed.notify_all()
            return lambda: self._outcome(number)

        return start

    def _outcome(self, number: int) -> int:
        with self._changed:
            assert self._changed.wait_for(lambda: all(len(given) > number for given in self._given), timeout=60)
            return min(given[number] for given in self._given)


class Replica:
    """A program's stream, mined with delays: a sample is ready when so many more tokens have come, and those before it are."""

    def __init__(self, agreement: Agreement, stream: Sequence[Sequence[int]], delays: Callable[[], int]) -> None:
        self.agreement = agreement
        self.used: list[tuple[int, Mined]] = []
        """What was used, and at which position."""
        self.lags: list[int] = []
        self.intervals: list[int] = []
        self._stream = stream
        self._delays = delays

    def run(self) -> None:
        history, miner = History(SAMPLING), Miner(Mining(minimum=3))
        waiting: deque[tuple[int, Mined]] = deque()
        for tokens in self._stream:
            for sample in history.append(tokens):
                self.agreement.submitted(history.position)
                earliest = waiting[-1][0] if waiting else 0
                waiting.append((max(history.position + self._delays(), earliest), miner.mine(sample)))
            ready = sum(when <= history.position for when, _ in waiting)
            for _ in range(self.agreement.agreed(history.position, ready)):
                when, mined = waiting.popleft()
                assert when <= history.position, "what is used is there"
                self.used.append((history.position, mined))
                self.lags.append(history.position - mined.position)
            if isinstance(self.agreement, Replicas):
                self.intervals.append(self.agreement.interval)


def stream_of(seed: int) -> list[list[int]]:
    """Pieces as windows come: of all sizes."""
    rng = random.Random(seed)
    body = [rng.randrange(12) for _ in range(rng.randrange(3, 20))]
    tokens = [token for _ in range(100) for token in [*body, *[rng.randrange(12)] * rng.randrange(2)]]
    pieces: list[list[int]] = []
    while len(pieces) < STEPS:
        size = rng.randrange(1, 24)
        pieces.append(tokens[:size])
        tokens = tokens[size:] + tokens[:size]
    return pieces


def run_together(seed: int, delays: Sequence[Callable[[], int]], interval: int = 32) -> list[Replica]:
    reduction, stream = Minimum(len(delays)), stream_of(seed)
    replicas = [Replica(Replicas(reduction.of(k), interval), stream, delay) for k, delay in enumerate(delays)]
    failures: list[BaseException] = []

    def run(replica: Replica) -> None:
        try:
            replica.run()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=[replica], daemon=True) for replica in replicas]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    return replicas


@pytest.mark.parametrize("seed", range(12))
def test_a20_replicas_use_the_same_at_the_same_positions(seed: int) -> None:
    """Whatever the delays: what is used, and so what is replayed, is a function of the stream and of the votes."""
    rngs = [random.Random(100 * seed + k) for k in range(4)]
    replicas = run_together(seed, [lambda r=rng, k=k: r.randrange(1 + 60 * k) for k, rng in enumerate(rngs)])
    assert replicas[0].used
    assert all(replica.used == replicas[0].used for replica in replicas)
    assert all(replica.intervals == replicas[0].intervals for replica in replicas)


def test_a20_without_agreement_they_do_not() -> None:
    """The test above sees what it should."""
    alone = [Replica(Alone(), stream_of(1), lambda delay=delay: delay) for delay in (0, 50)]
    for replica in alone:
        replica.run()
    assert alone[0].used != alone[1].used


def test_a21_if_one_was_late_the_interval_doubles_for_all() -> None:
    replicas = run_together(2, [lambda: 0, lambda: 0, lambda: 100])
    for replica in replicas:
        seen = replica.intervals
        assert all(after in (before, 2 * before) for before, after in zip([32, *seen], seen, strict=False))
        assert seen[-1] in (64, 128)
        assert replica.used


@pytest.mark.parametrize("interval", [32, 100])
def test_a21_a22_if_all_meet_it_the_interval_stays_and_nobody_waits_for_a_miner(interval: int) -> None:
    """Each sample is used a vote later than it is due, give or take the size of a piece."""
    rngs = [random.Random(k) for k in range(3)]
    replicas = run_together(3, [lambda r=rng: r.randrange(interval - 24) for rng in rngs], interval)
    for replica in replicas:
        assert set(replica.intervals) == {interval}
        assert replica.used
        assert max(replica.lags) <= 3 * interval + 4 * 24


def test_one_process_uses_what_is_ready() -> None:
    replica = Replica(Alone(), stream_of(4), lambda: 0)
    replica.run()
    assert replica.used
    assert all(lag < 24 for lag in replica.lags)
