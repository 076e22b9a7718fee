"""Keys of windows: equal exactly when one plan serves both (Diffuse §5.2). Each test names its checks.

Windows are made through a session, from small programs of numbered stores: renaming maps the numbers, changing one field changes the key.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

import fuseir
from fuseir import Coordinate, IndexMap, NonePartition, Tiling
from fuseir.passes.pipelines import run_pipeline
from fuseir.runtime import compiler as compiler_module
from fuseir.runtime.compiler import capture_module
from fuseir.runtime.window import Segment

COPY = fuseir.task("task copy(x: read, z: write) { z = x }")
ADD = fuseir.task("task add(x: read, y: read, z: write) { z = x + y }")
BLEND = fuseir.task("task blend(a: scalar, x: read, z: write) { z = a * x }")
SUM = fuseir.task("task total(x: read, s: reduce<add>) { s += x }")
COUNT = "task work(x: {0}, z: {1}) {{ z = {2} }}"


@dataclass(frozen=True)
class Call:
    """One launch: a task on views of numbered stores."""

    task: fuseir.Task
    stores: tuple[int, ...]
    views: tuple[slice, ...] = ()
    scalars: tuple[Any, ...] = ()
    tile: int = 2
    points: int = 4
    whole: tuple[int, ...] = ()
    """Arguments that all points get whole."""


@dataclass(frozen=True)
class Program:
    """Calls on stores; ``drop`` says behind which call (by number) the last handle of a store goes, ``filled`` which come with contents."""

    calls: tuple[Call, ...]
    shapes: dict[int, tuple[int, ...]] = field(default_factory=dict[int, tuple[int, ...]])
    dtypes: dict[int, str] = field(default_factory=dict[int, str])
    drop: dict[int, int] = field(default_factory=dict[int, int])
    filled: frozenset[int] = frozenset({0})
    fences: frozenset[int] = frozenset()
    """Calls that a fence follows."""

    def capture(self, *, session: fuseir.Session, order: Sequence[int] | None = None, full: bool = False) -> Captured:
        """The window, its stores made in the given order (of their numbers)."""
        session._window.records.clear()
        numbers = sorted({k for call in self.calls for k in call.stores})
        stores: dict[int, fuseir.Store] = {}
        for k in numbers if order is None else order:
            shape, dtype = self.shapes.get(k, (8,)), self.dtypes.get(k, "f8")
            make = session.zeros if k in self.filled else session.store
            stores[k] = make(shape, dtype, name=f"n{random.randrange(10**9)}")
        for number, call in enumerate(self.calls):
            arguments = [stores[k] for k in call.stores]
            for k, view in enumerate(call.views):
                arguments[k] = arguments[k][view]
            pieces = [
                NonePartition()
                if k in call.whole
                else Tiling.of([call.tile] * argument.ndim, None, _cut(argument.ndim))
                for k, argument in enumerate(arguments)
            ]
            session.launch(call.task, *call.scalars, *arguments, domain=(call.points,), partitions=pieces)
            del arguments
            for k in [k for k, last in self.drop.items() if last == number]:
                del stores[k]
            if number in self.fences:
                session.fence()
        segment = session._window.take(full=full)
        assert segment.key.full == full  # what lives on is decided here
        return Captured(stores, segment)


def _cut(rank: int) -> IndexMap:
    return IndexMap(1, tuple(Coordinate(0, 1, 0) if k == 0 else Coordinate(None, 0, 0) for k in range(rank)))


@dataclass
class Captured:
    """A captured window; ``stores`` keeps its handles alive."""

    stores: dict[int, fuseir.Store]
    segment: Segment


def numbers_of(segment: Segment) -> list[int]:
    return list(segment.key.numbers)


@pytest.fixture
def session() -> fuseir.Session:
    """Keys of one session can be compared: it has one object for each form of a launch."""
    return fuseir.Session(window=10_000)


# D54 to D56


def four(*stores: tuple[int, int]) -> Program:
    return Program(tuple(Call(COPY, pair) for pair in stores), filled=frozenset({1, 5}))


def test_d54_stores_are_numbered_by_first_occurrence(session: fuseir.Session) -> None:
    first = four((1, 2), (2, 1), (1, 3), (3, 1)).capture(session=session)
    assert numbers_of(first.segment) == [0, 1, 1, 0, 0, 2, 2, 0]
    renamed = four((5, 6), (6, 5), (5, 7), (7, 5)).capture(session=session)
    assert renamed.segment.key == first.segment.key
    other_order = four((1, 2), (2, 1), (1, 3), (3, 1)).capture(session=session, order=[3, 1, 2])
    assert other_order.segment.key == first.segment.key


def test_d55_an_argument_that_repeats_a_store_is_another_window(session: fuseir.Session) -> None:
    program = four((1, 2), (2, 1), (1, 3), (3, 1))
    same = replace(program, calls=(*program.calls[:2], Call(COPY, (3, 3)), program.calls[3]), filled=frozenset({1, 3}))
    apart = replace(program, filled=frozenset({1, 3}))
    assert same.capture(session=session).segment.key != apart.capture(session=session).segment.key


def test_d56_swapped_arguments_are_another_window(session: fuseir.Session) -> None:
    key = four((1, 2), (2, 1)).capture(session=session).segment.key
    swapped = replace(four((1, 2), (1, 2)), filled=frozenset({1}))
    assert swapped.capture(session=session).segment.key != key


# D57


TWO = Program((Call(BLEND, (0, 1), scalars=(2.0,)), Call(COPY, (1, 2))), drop={1: 1})


def work(read: str = "read", write: str = "write", body: str = "x + 1") -> fuseir.Task:
    return fuseir.task(COUNT.format(read, write, body))


def with_task(task: fuseir.Task, **changes: Any) -> Program:
    return Program((Call(task, (0, 1), **changes), Call(COPY, (1, 2))), filled=frozenset({0, 1}))


CHANGES: dict[str, tuple[Program, Program]] = {
    "privilege": (with_task(work()), with_task(work(write="read_write"))),
    "operator": tuple(
        Program(
            (Call(fuseir.task(f"task r(x: read, s: reduce<{op}>) {{ s = {f}(x) }}"), (0, 1), whole=(1,)),),
            shapes={1: ()},
            filled=frozenset({0, 1}),
        )
        for op, f in (("add", "sum"), ("max", "max"))
    ),
    "partition": (TWO, replace(TWO, calls=(replace(TWO.calls[0], tile=3), TWO.calls[1]))),
    "kind of partition": tuple(Program((Call(COPY, (0, 1), tile=8, points=1, whole=whole),)) for whole in ((0, 1), ())),
    "launch domain": (TWO, replace(TWO, calls=(replace(TWO.calls[0], points=5), TWO.calls[1]))),
    "element type": (TWO, replace(TWO, dtypes={0: "f4"})),
    "signedness": tuple(replace(with_task(COPY), dtypes=dict.fromkeys(range(3), dtype)) for dtype in ("i8", "u8")),
    "shape": (TWO, replace(TWO, shapes=dict.fromkeys(range(3), (7,)))),
    "rank": (TWO, replace(TWO, shapes=dict.fromkeys(range(3), (8, 1)))),
    "view": tuple(with_task(COPY, views=(view, slice(4))) for view in (slice(4), slice(1, 5))),
    "step of a view": tuple(with_task(COPY, views=(view, slice(4))) for view in (slice(4), slice(None, None, 2))),
    "text of the task": (with_task(work()), with_task(work(body="x + 2"))),
    "type of a scalar": (TWO, replace(TWO, calls=(replace(TWO.calls[0], scalars=(2,)), TWO.calls[1]))),
    "liveness": (TWO, replace(TWO, drop={})),
    "which store is dropped": (TWO, replace(TWO, drop={2: 1})),
    "a pending read": (TWO, replace(TWO, calls=(*TWO.calls, Call(COPY, (1, 3))), drop={1: 2})),
    "contents of a dropped store": (TWO, replace(TWO, filled=frozenset({0, 1}))),
    "a fence": (TWO, replace(TWO, fences=frozenset({0}))),
    "order": (
        Program((Call(COPY, (0, 1)), Call(BLEND, (0, 2), scalars=(1.0,)))),
        Program((Call(BLEND, (0, 2), scalars=(1.0,)), Call(COPY, (0, 1)))),
    ),
    "a launch more": (TWO, replace(TWO, calls=(*TWO.calls, Call(COPY, (0, 3))))),
}


@pytest.mark.parametrize("what", CHANGES)
def test_d57_changing_one_field_changes_the_key(what: str, session: fuseir.Session) -> None:
    before, after = CHANGES[what]
    key = before.capture(session=session).segment.key
    assert before.capture(session=session).segment.key == key
    assert after.capture(session=session).segment.key != key


def test_d57_functions_of_opaque_tasks_and_whether_the_window_is_full_are_in_the_key(session: fuseir.Session) -> None:
    tasks = [fuseir.opaque_task(lambda x, z: None, ["read", "write"], "look") for _ in range(2)]
    keys = [Program((Call(t, (0, 1), points=1, whole=(0, 1)),)).capture(session=session).segment.key for t in tasks]
    assert keys[0] != keys[1]
    assert TWO.capture(session=session, full=True).segment.key != TWO.capture(session=session).segment.key


SAME: dict[str, tuple[Program, Program]] = {
    "value of a scalar": (TWO, replace(TWO, calls=(replace(TWO.calls[0], scalars=(3.5,)), TWO.calls[1]))),
    "contents of a store that is held": (TWO, replace(TWO, filled=frozenset({0, 2}))),
    "a task defined anew": (with_task(work()), with_task(work())),
    "fences at the end": (TWO, replace(TWO, fences=frozenset({1}))),
    "when a store was dropped": tuple(
        Program((Call(COPY, (0, 1)), Call(COPY, (1, 2)), Call(COPY, (0, 3))), drop={1: last}) for last in (1, 2)
    ),
}


@pytest.mark.parametrize("what", SAME)
def test_d59_what_no_plan_depends_on_is_not_in_the_key(what: str, session: fuseir.Session) -> None:
    one, other = (program.capture(session=session) for program in SAME[what])
    assert one.segment.key == other.segment.key
    assert planned(one) == planned(other)


# D59


def planned(window: Captured) -> list[str]:
    """What the analysis makes of a window: its module as captured and after each pass, names and values of scalars aside."""
    texts: list[str] = []

    def keep(stage: str, module: object) -> None:
        # Names are equal but for what the user called the stores.
        text = re.sub(r'"n\d[^"]*"', '"store"', str(module))
        texts.append(re.sub(r"= -?\d[\d.e+-]* :", "= value :", re.sub(r"%n?_?[\w.]+", "%", text)))

    module = capture_module(window.segment).module
    keep("captured", module)
    run_pipeline(module, ("fuse-tasks", "eliminate-temporaries", "compose-kernels"), dump=keep)
    return texts


def random_program(choose: random.Random) -> Program:
    calls: list[Call] = []
    filled = {0, 1}
    defined = {0, 1}
    stores = list(range(6))
    for _ in range(choose.randrange(1, 6)):
        source, other, target = (choose.choice(sorted(defined)), choose.choice(sorted(defined)), choose.choice(stores))
        task, scalars = choose.choice([(COPY, ()), (ADD, ()), (BLEND, (choose.random(),))])
        arguments = (source, other, target) if task is ADD else (source, target)
        if target in arguments[:-1]:
            continue
        calls.append(Call(task, arguments, (), scalars, choose.choice([2, 2, 2, 3])))
        defined.add(target)
    if not calls:
        calls = [Call(COPY, (0, 2))]
    used = {k for call in calls for k in call.stores}
    last = {k: max(n for n, call in enumerate(calls) if k in call.stores) for k in used}
    drop = {k: choose.randrange(last[k], len(calls)) for k in used if choose.random() < 0.5}
    fences = frozenset(n for n in range(len(calls)) if choose.random() < 0.15)
    return Program(tuple(calls), drop=drop, filled=frozenset(filled), fences=fences)


def renamed(program: Program, choose: random.Random) -> Program:
    names = list(range(20))
    choose.shuffle(names)
    return replace(
        program,
        calls=tuple(replace(call, stores=tuple(names[k] for k in call.stores)) for call in program.calls),
        drop={names[k]: n for k, n in program.drop.items()},
        filled=frozenset(names[k] for k in program.filled),
    )


def test_d59_equal_keys_mean_equal_groups_temporaries_and_argument_maps(session: fuseir.Session) -> None:
    """Random windows, each with a renamed copy whose stores are made in another order; and all windows that happen to have equal keys."""
    choose = random.Random(59)
    by_key: dict[object, list[str]] = {}
    by_plan: dict[str, object] = {}
    for _ in range(250):
        program = random_program(choose)
        window = program.capture(session=session)
        copy = renamed(program, choose)
        order = sorted({k for call in copy.calls for k in call.stores}, key=lambda _: choose.random())
        other = copy.capture(session=session, order=order)
        assert other.segment.key == window.segment.key
        expected = planned(window)
        assert planned(other) == expected
        assert by_key.setdefault(window.segment.key, expected) == expected
        # And the other way round: what is captured alike has one key (values of scalars are not compared).
        assert by_plan.setdefault(capture_text(window), window.segment.key) == window.segment.key
    assert len(by_key) < 250  # some keys met again
    assert len(by_key) > 50


def capture_text(window: Captured) -> str:
    """The captured module with its stores in order, values of scalars and names aside."""
    text = str(capture_module(window.segment).module)
    text = re.sub(r'"n\d[^"]*"', '"store"', text)
    return re.sub(r"= -?\d[\d.e+-]* :", "= value :", text)


# D58


def test_d58_a_hit_runs_no_pass_and_no_code_generator(monkeypatch: pytest.MonkeyPatch) -> None:
    session = fuseir.Session(window=4, max_window=4, procs=4)

    def iteration() -> list[float]:
        x = session.full(16, 3.0)
        for _ in range(6):
            y = session.store(16)
            session.launch(ADD, x, x, y)
            x = y
        return x.numpy().tolist()

    expected = iteration()
    misses, kernels = session.statistics.plan_misses, session.statistics.kernels_compiled
    assert misses >= 2

    def never(*_: object, **__: object) -> Callable[..., object]:
        raise AssertionError("on a hit")

    for name in ("capture_module", "make_executor"):
        monkeypatch.setattr(compiler_module, name, never)
    monkeypatch.setattr("fuseir.runtime.executors.kernel_executor.run_pipeline", never)
    monkeypatch.setattr("fuseir.runtime.executors.cpu.compile_kernels", never)
    for _ in range(3):
        with session.assert_no_compile():
            assert iteration() == expected
    assert (session.statistics.plan_misses, session.statistics.kernels_compiled) == (misses, kernels)
    assert session.statistics.plan_hits == 3 * misses
