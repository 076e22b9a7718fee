"""What may join a group, exhaustively: the state machine of ``analysis/dependence.py`` against enumeration.

A case is one question to the state: may this launch join the launches accepted before it? The oracle answers by tables: for every two
accesses, whether a dependence between them joins two points (Def. 1-3, by enumeration). What is compared is thus the longest fusible prefix
of every stream of two or three launches:

- *one store*: every stream of launches with one argument, over extents 1 to 4 and 1 to 3 points; identity tilings with offsets
  -1 to 2 and tiles of 1 to 3, and ``none``; every privilege. Streams that break WF-1 are not programs.
- *two stores, one each*: every way to spread three launches over two stores, with one access for each different list of pieces.
- *two stores, two arguments*: every two accesses of one store beside one pair of accesses of the other for each kind of dependence.
- *random*: launches with up to three arguments, on strided and permuted views of one- and two-dimensional stores, up to four in a stream.

In one dimension the exact test accepts just what is legal. Elsewhere it may refuse legal streams, and their share is measured.
The paper's rules are measured beside it.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import combinations, product
from typing import NamedTuple

import pytest
from enumerate_partitions import TilingNumbers
from launches_as_ir import access, index_task, store, task_of
from point_oracle import Argument, Task, crosses_points, depends, fusible, sub_stores, well_formed
from random_launches import DOMAINS, random_pool

from fuseir.dialects.dist.access import Access
from fuseir.passes.analysis.dependence import PAPER_RULES, Comparisons, FusionState, IndexTask, Rules

PRIVILEGES = ("read", "write", "read_write", "reduce<add>", "reduce<max>", "no_access")
TILINGS = [TilingNumbers((tile,), (offset,), ((0, 1, 0),)) for tile in (1, 2, 3) for offset in (-1, 0, 1, 2)]
SIZES = [(points, extent) for points in (1, 2, 3) for extent in (1, 2, 3, 4)]
S, Q = 0, 1


class Family(NamedTuple):
    """The accesses to one store over one domain: as numbers, and for each the set of those that may follow it."""

    arguments: list[Argument]
    followers: list[int]


@lru_cache
def family(points: int, extent: int) -> Family:
    """All of them that keep WF-1. One stands for all that have no access: such an argument leaves no trace, whatever it is of."""
    arguments = [
        argument
        for tiling, privilege in product([None, *TILINGS], PRIVILEGES)
        if well_formed(Task((points,), (argument := Argument(S, (extent,), None, tiling, privilege),)))
        and (privilege != "no_access" or tiling is TILINGS[0])
    ]
    tasks = [Task((points,), (argument,)) for argument in arguments]
    return Family(arguments, [bits(fusible(a, b) for b in tasks) for a in tasks])


def bits(flags: Iterable[bool]) -> int:
    """A set as the bits of a number."""
    return sum(flag << k for k, flag in enumerate(flags))


def questions(known: Family) -> int:
    """How many streams of two and three launches of one family are decided on their last launch, by what is legal."""
    launches = len(known.arguments)
    return launches * (launches + sum(followers.bit_count() for followers in known.followers))


def accepted(state: FusionState, tasks: Sequence[IndexTask]) -> int:
    """Which of the tasks may join the group. Those that are refused leave no trace: the others are asked after them."""
    joined, trial = 0, state.copy()
    for k, task in enumerate(tasks):
        if trial.try_add(task) is None:
            joined |= 1 << k
            trial = state.copy()
    return joined


def begun(task: IndexTask, comparisons: Comparisons, rules: Rules | None = None) -> FusionState:
    """A group of one."""
    state = FusionState(rules or Rules(), comparisons)
    assert state.try_add(task) is None
    return state


def extended(state: FusionState, task: IndexTask) -> FusionState | None:
    """The group with one launch more, if it may join."""
    state = state.copy()
    return state if state.try_add(task) is None else None


@pytest.mark.parametrize(("points", "extent"), SIZES)
def test_every_stream_on_one_store(points: int, extent: int, record_property: pytest.RecordProperty):
    comparisons, known = Comparisons(), family(points, extent)
    stores = [store((extent,))]
    tasks = [index_task(Task((points,), (a,)), stores, comparisons) for a in known.arguments]
    cases = legal = refused_by_paper = 0
    for a, first in enumerate(tasks):
        alone = begun(first, comparisons)
        assert accepted(alone, tasks) == known.followers[a], known.arguments[a]
        by_paper = accepted(begun(first, comparisons, PAPER_RULES), tasks)
        assert by_paper & ~known.followers[a] == 0, known.arguments[a]
        cases += len(tasks)
        legal += known.followers[a].bit_count()
        refused_by_paper += (known.followers[a] & ~by_paper).bit_count()
        for b, second in enumerate(tasks):
            pair = extended(alone, second)
            if pair is not None:
                both = known.followers[a] & known.followers[b]
                assert accepted(pair, tasks) == both, (known.arguments[a], known.arguments[b])
                cases += len(tasks)
    assert cases == questions(known)
    record_property("cases", cases)
    record_property("refused by the paper's rules", f"{refused_by_paper} of {legal} legal streams of two")
    print(f"{cases} cases; the paper's rules refuse {refused_by_paper} of {legal} legal streams of two")


def test_there_are_two_million_cases_on_one_store_alone():
    assert sum(questions(family(*size)) for size in SIZES) > 2_000_000


def representatives(points: int, known: Family) -> list[int]:
    """One access for each different list of pieces and privilege."""
    first = {(tuple(sub_stores(a, (points,))), a.privilege): k for k, a in reversed(list(enumerate(known.arguments)))}
    return sorted(first.values())


@pytest.mark.parametrize(("points", "extent"), SIZES)
def test_every_spread_of_three_launches_over_two_stores(
    points: int, extent: int, record_property: pytest.RecordProperty
):
    comparisons, known = Comparisons(), family(points, extent)
    stores = [store((extent,)), store((extent,))]
    chosen = representatives(points, known)
    followers = [bits(bool(known.followers[a] >> b & 1) for b in chosen) for a in chosen]
    on_s, on_q = (
        [index_task(Task((points,), (known.arguments[k]._replace(store=number),)), stores, comparisons) for k in chosen]
        for number in (S, Q)
    )
    everything = (1 << len(chosen)) - 1
    cases = 0
    for a, first in enumerate(on_s):
        alone = begun(first, comparisons)
        assert accepted(alone, on_q) == everything
        for b, second in enumerate(on_q):
            pair = extended(alone, second)
            assert pair is not None
            assert accepted(pair, on_s) == followers[a]
            assert accepted(pair, on_q) == followers[b]
        for b, second in enumerate(on_s):
            pair = extended(alone, second)
            assert (pair is not None) == bool(followers[a] >> b & 1)
            if pair is not None:
                assert accepted(pair, on_q) == everything
                cases += len(chosen)
        cases += len(chosen) * (1 + 2 * len(chosen))
    record_property("cases", cases)
    print(f"{cases} cases")


@pytest.mark.parametrize(("points", "extent"), SIZES)
def test_two_launches_of_two_arguments(points: int, extent: int, record_property: pytest.RecordProperty):
    comparisons, known = Comparisons(), family(points, extent)
    stores = [store((extent,)), store((extent,))]
    on_q = [argument._replace(store=Q) for argument in known.arguments]
    # A pair of accesses for each thing that one can mean for the other, the last found of each.
    kinds = {
        (on_q[a].reduces, on_q[b].reduces, depends(on_q[a], on_q[b]), known.followers[a] >> b & 1): (a, b)
        for a, b in product(range(len(on_q)), repeat=2)
    }
    cases = 0
    for beside_first, beside_second in kinds.values():
        alike = bool(known.followers[beside_first] >> beside_second & 1)
        first, second = (
            [
                # The store that decides comes first or last.
                index_task(Task((points,), (a, on_q[beside])[:: 1 if k % 2 else -1]), stores, comparisons)
                for k, a in enumerate(known.arguments)
            ]
            for beside in (beside_first, beside_second)
        )
        for a, task in enumerate(first):
            expected = known.followers[a] if alike else 0
            assert accepted(begun(task, comparisons), second) == expected, known.arguments[a]
        cases += len(first) * len(second)
    record_property("cases", cases)
    print(f"{cases} cases")


@pytest.mark.parametrize("others", [(1,), (3,), (2, 1), (1, 2)])
def test_other_domains_are_refused(others: tuple[int, ...]):
    # Whatever the arguments, and if there are none in common.
    comparisons, stores = Comparisons(), [store((4,)), store((4,))]
    argument = Argument(S, (4,), None, None, "read")
    first = index_task(Task((2,), (argument,)), stores, comparisons)
    for number in (S, Q):
        second = index_task(Task(others, (argument._replace(store=number),)), stores, comparisons)
        assert accepted(begun(first, comparisons), [second]) == 0


# Random streams

Launch = list[tuple[int, Argument]]
"""The arguments of a launch, with the numbers of their pieces."""

SCENES, STREAMS = 400, 500


class Scene:
    """Few pieces of few stores over one domain, and tables of how they meet."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.domain = rng.choice(DOMAINS)
        pool = random_pool(rng, self.domain, most=6)
        self.stores = [store(shape) for _, shape in sorted({(number, shape) for number, shape, _, _ in pool})]
        self.comparisons = Comparisons()
        numbers = {number: k for k, number in enumerate(sorted({number for number, *_ in pool}))}
        self.pieces = [(numbers[number], *rest) for number, *rest in pool]
        sets = [sub_stores(Argument(*piece, "read"), self.domain) for piece in self.pieces]
        self.crosses = [[crosses_points(a, b) for b in sets] for a in sets]
        self.well_formed: dict[tuple[Argument, ...], bool] = {}
        self.accesses: dict[Argument, Access] = {}

    def stream(self) -> list[Launch]:
        """Two to four launches: the arguments of each, with the numbers of their pieces."""
        rng = self.rng
        launches: list[Launch] = []
        while len(launches) < 2 or (len(launches) < 4 and rng.random() < 0.6):
            chosen = [rng.randrange(len(self.pieces)) for _ in range(rng.randint(1, 3))]
            launch = [(k, Argument(*self.pieces[k], rng.choice(PRIVILEGES))) for k in chosen]
            if self.keeps_the_rules([argument for _, argument in launch]):
                launches.append(launch)
        return launches

    def keeps_the_rules(self, arguments: list[Argument]) -> bool:
        """WF-1 and WF-2: they are about single arguments, and about pairs of them."""
        return all(self.is_well_formed(each) for n in (1, 2) for each in combinations(arguments, n))

    def is_well_formed(self, arguments: tuple[Argument, ...]) -> bool:
        """Of one argument or two, asked once."""
        known = self.well_formed.get(arguments)
        if known is None:
            known = self.well_formed[arguments] = well_formed(Task(self.domain, arguments))
        return known

    def access(self, argument: Argument) -> Access:
        """The argument for the analysis, made once."""
        known = self.accesses.get(argument)
        if known is None:
            known = self.accesses[argument] = access(argument, self.stores[argument.store], len(self.domain))
        return known

    def fusible(self, first: Launch, second: Launch) -> bool:
        """Whether no dependence joins two points."""
        return not any(depends(a, b) and self.crosses[k][n] for (k, a), (n, b) in product(first, second))

    def prefix(self, stream: list[Launch]) -> int:
        """How many of the launches may be fused."""
        for n, launch in enumerate(stream):
            if not all(self.fusible(earlier, launch) for earlier in stream[:n]):
                return n
        return len(stream)

    def decided(self, stream: list[Launch], rules: Rules) -> int:
        """How many the state takes."""
        state = FusionState(rules, self.comparisons)
        for n, launch in enumerate(stream):
            accesses = tuple(self.access(argument) for _, argument in launch)
            if state.try_add(task_of(self.domain, accesses, self.comparisons)) is not None:
                return n
        return len(stream)


@pytest.mark.parametrize("seed", range(4))
def test_random_streams(seed: int, record_property: pytest.RecordProperty):
    rng = random.Random(seed)
    legal = refused = by_paper = 0
    for _ in range(SCENES // 4):
        scene = Scene(rng)
        for _ in range(STREAMS):
            stream = scene.stream()
            longest = scene.prefix(stream)
            decided = scene.decided(stream, Rules())
            assert decided <= longest, (scene.domain, stream)
            if longest == len(stream):
                legal += 1
                refused += decided < longest
                by_paper += scene.decided(stream, PAPER_RULES) < longest
    said = f"{refused} of {legal} legal streams are refused, {by_paper} by the paper's rules"
    record_property("refused", said)
    print(said)
    assert legal > SCENES // 4 * STREAMS // 5
    assert refused < legal / 100
