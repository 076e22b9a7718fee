"""The repeat finder (Apophenia §4.2). Each test names its checks."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from oracle.repeats_by_definition import best_coverage, repeats_by_definition

from fuseir.errors import UsageError
from fuseir.repeats.coverage import check_repeats, coverage
from fuseir.repeats.finder import Repeat, find_repeats
from fuseir.repeats.runs import cut_runs, same_loop, smallest_period
from fuseir.repeats.weighted import find_repeats_by_weight

BLOCK = [0] * 4 + [1] * 4
RANDOM_STRINGS = 3000


def codes(text: str) -> list[int]:
    return [ord(c) for c in text]


def found(text: str, minimum: int) -> dict[str, tuple[int, ...]]:
    return {text[r.starts[0] : r.starts[0] + r.length]: r.starts for r in find_repeats(codes(text), minimum)}


@pytest.mark.parametrize(
    ("text", "minimum", "expected"),
    [
        ("aabcbcbaa", 1, {"aa": (0, 7), "bc": (2, 4)}),
        ("banana", 2, {"an": (1, 3)}),
        ("named banana ban", 2, {" ban": (5, 12), "na": (0, 10)}),
        ("banaanan", 0, {"ana": (1, 4)}),
        ("3188318", 0, {"318": (0, 4)}),
        ("a" * 7 + "b" * 6 + "a" * 6, 0, {"aaaaaa": (0, 13), "bbb": (7, 10)}),
        ("aaaaaa", 0, {"aaa": (0, 3)}),
        ("aaa", 0, {"a": (0, 1, 2)}),
        ("aaa", 2, {}),
        ("aa", 0, {"a": (0, 1)}),
        ("fdddababcdcdcdeddd", 0, {"ddd": (1, 15), "ab": (4, 6), "cd": (8, 10, 12)}),
        ("abab", 2, {"ab": (0, 2)}),
        ("ababab", 2, {"ab": (0, 2, 4)}),
        ("abababab", 2, {"abab": (0, 4)}),
        ("aaaa", 2, {"aa": (0, 2)}),
        ("aaaaa", 2, {"aa": (0, 2)}),
        ("abcabcabc", 1, {"abc": (0, 3, 6)}),
        ("abcXabcYabcZ", 1, {"abc": (0, 4, 8)}),
        ("ababaab_abababab", 1, {"ababa": (0, 10), "b": (6, 15)}),
    ],
)
def test_a5_golden_vectors(text: str, minimum: int, expected: dict[str, tuple[int, ...]]) -> None:
    assert found(text, minimum) == expected


def test_a5_a11_separators_that_are_there_once() -> None:
    tokens = [token for k in range(5) for token in (*BLOCK * 3, 100 + k)]
    assert find_repeats(tokens) == [Repeat(24, (0, 25, 50, 75, 100))]


@pytest.mark.parametrize("minimum", [1, 2, 4])
def test_a6_a7_a9_as_the_algorithm_is_printed(minimum: int) -> None:
    """The same intervals as the oracle on random strings, and what A6 asks of any answer."""
    rng = random.Random(minimum)
    for _ in range(RANDOM_STRINGS // 3):
        tokens = [rng.randrange(rng.choice([1, 2, 3, 5])) - 1 for _ in range(rng.randrange(40))]
        repeats = find_repeats(tokens, minimum)
        assert repeats == repeats_by_definition(tokens, minimum), tokens
        check_repeats(tokens, repeats, minimum)
        assert all(len(repeat.starts) > 1 for repeat in repeats)


def test_a6_whole_programs_of_loops() -> None:
    """The blocks in which candidates are looked at are larger than one here."""
    rng = random.Random(5)
    for _ in range(10):
        tokens: list[int] = []
        while len(tokens) < 500:
            body = [rng.randrange(6) for _ in range(rng.randrange(1, 30))]
            for _ in range(rng.randrange(1, 9)):
                tokens += body + [rng.randrange(6)] * (rng.random() < 0.3)
        assert find_repeats(tokens, 2) == repeats_by_definition(tokens, 2)


@pytest.mark.parametrize("period", [1, 2, 3, 6, 10, 50])
@pytest.mark.parametrize("prefix", [0, 1, 7])
def test_a7_a8_a_run_is_cut_into_halves_at_the_front_too(period: int, prefix: int) -> None:
    run = list(range(period)) * 6
    tokens = [-1 - k for k in range(prefix)] + run
    assert find_repeats(tokens, 1) == [Repeat(3 * period, (prefix, prefix + 3 * period))]


def test_a9_a_substring_is_one_group_wherever_its_suffixes_stand() -> None:
    text = "aaacaacaabcaaaaaaabbba"
    assert found(text, 2) == {"aaa": (0, 11, 14), "caa": (3, 6)}


@pytest.mark.parametrize(
    "kind", ["run of one", "run of two", "fibonacci", "random", "two letters", "distinct", "loop with noise"]
)
def test_a10_no_kind_of_sequence_takes_long(kind: str) -> None:
    """100,000 tokens: what is quadratic would not end. All work beyond NumPy's is the choice; it is within the sequence's length."""
    n = 100_000
    rng = np.random.default_rng(1)
    fibonacci = [[0], [0, 1]]
    while len(fibonacci[-1]) < n:
        fibonacci.append(fibonacci[-1] + fibonacci[-2])
    tokens = {
        "run of one": np.zeros(n, np.int64),
        "run of two": np.arange(n) % 2,
        "fibonacci": np.array(fibonacci[-1][:n]),
        "random": rng.integers(0, 50, n),
        "two letters": rng.integers(0, 2, n),
        "distinct": np.arange(n)[::-1],
        "loop with noise": np.where(rng.random(n) < 0.01, rng.integers(0, 99, n), np.arange(n) % 99),
    }[kind]
    repeats = find_repeats(tokens, 5)
    cells = np.zeros(n, np.int64)
    for length, starts in repeats:
        assert length >= 5
        for start in starts:
            cells[start : start + length] += 1
            assert (tokens[start : start + length] == tokens[starts[0] : starts[0] + length]).all()
    assert cells.max() <= 1
    expected = {
        "run of one": n,
        "run of two": n,
        "fibonacci": 0.8 * n,
        "two letters": 0.6 * n,
        "loop with noise": 0.85 * n,
    }
    assert cells.sum() >= expected.get(kind, 0)
    assert (kind == "distinct") == (not repeats)


def test_a11_repeats_never_span_a_token_that_is_there_once() -> None:
    rng = random.Random(3)
    for _ in range(200):
        tokens = [rng.randrange(3) for _ in range(60)]
        separators = sorted(rng.sample(range(60), 6))
        for k, place in enumerate(separators):
            tokens[place] = -1 - k
        for length, starts in find_repeats(tokens):
            assert not any(start <= place < start + length for start in starts for place in separators)


@pytest.mark.parametrize("tokens", [[], [7], [0, 1], list(range(100)), [3, 1, 2]])
def test_a12_nothing_in_what_does_not_repeat(tokens: Sequence[int]) -> None:
    assert find_repeats(tokens) == []


def test_a13_coverage_of_the_papers_example() -> None:
    """Two letters 12 everywhere cover 14 tokens, the mixed matching all 18."""
    tokens = codes("123123121212312123")
    short = Repeat(2, (0, 3, 6, 8, 10, 13, 15))
    mixed = [Repeat(3, (0, 3, 10, 15)), Repeat(2, (6, 8, 13))]
    check_repeats(tokens, [short])
    check_repeats(tokens, mixed)
    assert (coverage([short]), coverage(mixed)) == (14, 18)


@pytest.mark.parametrize(
    ("repeats", "minimum", "message"),
    [
        ([Repeat(3, (0, 3)), Repeat(2, (1, 4))], 1, r"\[0, 3\) and \[1, 3\) overlap"),
        ([Repeat(2, (0, 1))], 1, "not equal"),
        ([Repeat(2, (0, 17))], 1, "outside"),
        ([Repeat(2, (-1, 3))], 1, "outside"),
        ([Repeat(2, (0, 3))], 3, "shorter than 3"),
        ([Repeat(0, (0, 3))], 0, "shorter than 1"),
    ],
)
def test_a13_the_validator_refuses(repeats: list[Repeat], minimum: int, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        check_repeats(codes("123123121212312123"), repeats, minimum)


def test_what_is_found_covers_a_good_part_of_what_can_be() -> None:
    """Greedy by length is no optimum; how far it is from one on all strings of ten of two letters stays as it is, or gets better."""
    best = reached = weighed = 0
    for number in range(1 << 9):
        tokens = [(number >> k) & 1 for k in range(10)]
        best += best_coverage(tokens, 2)
        reached += coverage(find_repeats(tokens, 2))
        weighed += coverage(find_repeats_by_weight(tokens, 2))
    assert 0.85 * best <= reached
    assert 0.9 * best <= weighed <= best


def test_repeats_chosen_by_weight_are_repeats_and_cover_no_less() -> None:
    rng = random.Random(2)
    more = 0
    for _ in range(150):
        tokens: list[int] = []
        while len(tokens) < 120:
            body = [rng.randrange(6) for _ in range(rng.randrange(2, 12))]
            for _ in range(rng.randrange(2, 7)):
                tokens += body + [rng.randrange(6)] * (rng.random() < 0.3)
        repeats = find_repeats_by_weight(tokens, 3)
        check_repeats(tokens, repeats, 3)
        assert all(len(repeat.starts) > 1 for repeat in repeats)
        gained = coverage(repeats) - coverage(find_repeats(tokens, 3))
        assert gained >= 0
        more += gained > 0
    assert more > 50


@pytest.mark.parametrize("minimum", [1, 2, 5])
def test_runs_are_cut_into_whole_periods(minimum: int) -> None:
    """Nothing overlaps, no run is left that could be cut further, and no coverage is lost where periods reach the minimum."""
    rng = random.Random(minimum)
    for _ in range(500):
        body = [rng.randrange(4) for _ in range(rng.randrange(1, 7))]
        tokens = [9, 8] * rng.randrange(2) + body * rng.randrange(2, 9) + body[: rng.randrange(len(body))] + [7, *body]
        repeats = find_repeats(tokens, minimum)
        cut = cut_runs(tokens, repeats, minimum)
        check_repeats(tokens, cut, minimum)
        assert all(len(repeat.starts) > 1 for repeat in cut)
        for length, starts in cut:
            if any(after == before + length for before, after in pairwise(starts)):
                period = smallest_period(np.array(tokens[starts[0] : starts[0] + length]))
                assert length - period < minimum or length == period
        if minimum == 1:
            assert coverage(cut) >= coverage(repeats)


def test_a_run_of_an_odd_number_of_periods_is_covered_whole() -> None:
    tokens = codes("abcabcabcabcabc")
    assert coverage(find_repeats(tokens)) == 12
    assert cut_runs(tokens, find_repeats(tokens)) == [Repeat(3, (0, 3, 6, 9, 12))]


def test_a_repeat_between_other_tokens_stays_whole() -> None:
    """Ten sweeps and a check, again and again: the sweeps are one repeat of their own, ended by what is not."""
    tokens = [token for k in range(4) for token in ([1, 2] * 10 + [-k])]
    assert cut_runs(tokens, find_repeats(tokens)) == [Repeat(20, (0, 21, 42, 63))]


def test_rotations_are_the_same_loop() -> None:
    assert same_loop((1, 2, 3), (3, 1, 2))
    assert same_loop((256, 1), (1, 256))
    assert not same_loop((1, 2, 3), (1, 3, 2))
    assert not same_loop((1, 2), (1, 2, 1, 2))
    assert not same_loop((1, 256), (256, 65536))  # the same bytes, shifted by one
