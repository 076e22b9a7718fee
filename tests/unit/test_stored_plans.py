"""Plans from the disk cache: what is found is what the passes would have made, nothing else is found, and no damage is run.

``FUSEIR_PLAN_MUTANTS`` sets how many damaged plans are looked at.
"""

from __future__ import annotations

import copy
import gc
import json
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fuseir
from fuseir.cache import DiskCache, Entry, cache_of
from fuseir.cache.entry import decode, encode
from fuseir.errors import FallbackWarning
from fuseir.options import options_from
from fuseir.runtime.executors import make_machine
from fuseir.runtime.executors.native_machine import NativeMachine
from fuseir.runtime.plan_source import PlanSource
from fuseir.runtime.planning import Planned
from fuseir.runtime.stored_plans import StoredPlans, window_text
from fuseir.runtime.stores import RootStore
from fuseir.runtime.window import Key

MUTANTS = int(os.environ.get("FUSEIR_PLAN_MUTANTS", "120"))

ADD = fuseir.task("task add(x: read, y: read, z: write) { z = x + y }")
SCALE = fuseir.task("task scale(a: scalar, x: read, z: write) { z = a * x }")
SUM = fuseir.task("task total(x: read, s: reduce<add>) { s = sum(x) }")
STEP = fuseir.task("task step(w: read, e: read, m: read, z: write) { z = w + e - 2.0 * m }")
COPY = fuseir.task("task copy(x: read, z: write) { z = x }")

Program = Callable[[fuseir.Session], list[np.ndarray]]


def elementwise(session: fuseir.Session) -> list[np.ndarray]:
    x = session.from_numpy(np.arange(40.0))
    y, z = session.store(40), session.store(40)
    session.launch(SCALE, 2.5, x, y)
    session.launch(ADD, x, y, z)
    del y
    return [z.numpy()]


def reduction(session: fuseir.Session) -> list[np.ndarray]:
    x, s, t = session.from_numpy(np.arange(4096.0).reshape(64, 64)), session.zeros(()), session.store(())
    session.launch(SUM, x, s)
    session.launch(SCALE, 0.5, s, t)
    return [t.numpy(), s.numpy()]


def stencil(session: fuseir.Session) -> list[np.ndarray]:
    """Views, a renamed store and a swap."""
    grid = session.from_numpy(np.linspace(0, 1, 50) ** 3)
    for _ in range(3):
        work = session.store(48)
        session.launch(STEP, grid[:-2], grid[2:], grid[1:-1], work)
        session.launch(COPY, work, grid[1:-1])
    return [grid.numpy()]


def full_windows(session: fuseir.Session) -> list[np.ndarray]:
    """More launches than a window takes, some behind a fence."""
    x, y = session.from_numpy(np.arange(30.0)), session.from_numpy(np.arange(12.0))
    for k in range(9):
        z, w = session.store(30), session.store(12)
        session.launch(ADD, x, x, z)
        session.launch(SCALE, 0.25, y, w)
        if k == 4:
            session.fence()
        x, y = z, w
    return [x.numpy(), y.numpy()]


PROGRAMS: list[Program] = [elementwise, reduction, stencil, full_windows]


@pytest.fixture
def options(tmp_path: Path) -> dict[str, Any]:
    # Two threads, so that there are phases; the window is small, so that it is full.
    return {"cache": True, "cache_dir": tmp_path / "cache", "threads": 2, "window": 4, "max_window": 8, "procs": 4}


@pytest.fixture(autouse=True)
def _threads_at_once(monkeypatch: pytest.MonkeyPatch) -> None:  # pyright: ignore[reportUnusedFunction]
    monkeypatch.setattr("fuseir.runtime.executors.kernel_steps._INLINE_BYTES", 0)


def disk_of(options: dict[str, Any]) -> DiskCache:
    return cache_of(options_from(options))


def bits(arrays: list[np.ndarray]) -> list[bytes]:
    return [array.tobytes() for array in arrays]


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_next_session_makes_no_plan(program: Program, options: dict[str, Any]) -> None:
    first, second = fuseir.Session(**options), fuseir.Session(**options)
    expected = bits(program(fuseir.Session(fuse=False, threads=1, procs=4)))
    assert bits(program(first)) == expected
    assert bits(program(second)) == expected
    made, found = first.statistics, second.statistics
    assert made.plan_misses == found.plans_loaded > 0
    assert made.plans_loaded == found.plan_misses == found.kernels_compiled == found.fallbacks == 0
    assert found.kernels_loaded == made.kernels_compiled
    for field in ("tasks", "launches", "native_calls", "windows", "full_windows", "temporaries", "temporary_bytes"):
        assert getattr(made, field) == getattr(found, field), field
    assert first.window_size == second.window_size


PROCESS = """
import sys
import numpy as np
import fuseir

step = fuseir.task("task step(a: scalar, x: read, z: write) { z = a * x + exp(x) }")
total = fuseir.task("task total(x: read, s: reduce<add>) { s = sum(x) }")
x, y, s = fuseir.from_numpy(np.linspace(0, 1, 1000)), fuseir.store(1000), fuseir.zeros(())
step(0.5, x, y)
total(y, s)
print(s.item().hex(), fuseir.stats().plans_loaded, fuseir.stats().kernels_compiled, "xdsl" in sys.modules)
info = fuseir.cache_info()
assert info.plans == 1 and info.kernels >= 1 and info.rejected == 0, info
print(len(fuseir.explain()) > 0)
"""


def test_the_next_process_needs_no_compiler(tmp_path: Path) -> None:
    variables = {**os.environ, "FUSEIR_CACHE": "1", "FUSEIR_CACHE_DIR": str(tmp_path / "cache")}
    command = [sys.executable, "-W", "error", "-c", PROCESS]
    first, second = (subprocess.check_output(command, env=variables, text=True).split() for _ in range(2))
    assert first[1] == "0"
    assert first[3] == "True"
    assert second == [first[0], "1", "0", "False", "True"]


# Keys


def key_of_program(change: Callable[[dict[str, Any]], None]) -> str | None:
    """The text of a window of two launches, of which one thing was changed."""
    facts: dict[str, Any] = {
        "n": 24, "dtype": np.float64, "stop": 24, "scalar": 2.0, "tasks": (SCALE, ADD), "held": True, "fence": False,
        "domain": None, "again": False, "full": False,
    }  # fmt: skip
    change(facts)
    session = fuseir.Session(cache=False, procs=2)
    x = session.zeros(facts["n"], facts["dtype"])
    y, z = session.store(facts["stop"], facts["dtype"]), session.store(facts["stop"], facts["dtype"])
    how: dict[str, Any] = {}
    if facts["domain"]:
        how = {"domain": (3,), "partitions": [fuseir.Tiling.of((8,))] * 2}
    session.launch(facts["tasks"][0], facts["scalar"], x[: facts["stop"]], y, **how)
    if facts["fence"]:
        session.fence()
    session.launch(facts["tasks"][1], y, y if facts["again"] else x[: facts["stop"]], z)
    if not facts["held"]:
        del y
    segment = session._window.take(full=facts["full"])  # pyright: ignore[reportPrivateUsage]
    assert segment is not None
    return window_text(segment.key)


def test_whatever_a_plan_depends_on_is_in_its_key() -> None:
    def setting(**values: Any) -> Callable[[dict[str, Any]], None]:
        return lambda facts: facts.update(values)

    sub = fuseir.task("task add(x: read, y: read, z: write) { z = x - y }")
    changes = [
        setting(), setting(n=25), setting(n=16, stop=16), setting(dtype=np.float32, scalar=np.float32(1)),
        setting(stop=23), setting(scalar=2), setting(tasks=(SCALE, sub)), setting(held=False), setting(fence=True),
        setting(domain=True), setting(again=True), setting(full=True),
    ]  # fmt: skip
    texts = [key_of_program(change) for change in changes]
    assert None not in texts
    assert len(set(texts)) == len(texts)
    assert [key_of_program(change) for change in changes] == texts
    assert key_of_program(setting(scalar=7.5)) == texts[0]  # values are arguments


def test_options_that_decide_what_becomes_of_a_window_do_so_here(options: dict[str, Any]) -> None:
    elementwise(fuseir.Session(**options))
    for change in ({"threads": 3}, {"fuse": False}, {"procs": 3}):
        session = fuseir.Session(**{**options, **change})
        elementwise(session)
        assert session.statistics.plans_loaded == 0, change
        assert session.statistics.plan_misses > 0


# What is not kept


def test_opaque_tasks_are_not_known_to_the_next_process(options: dict[str, Any]) -> None:
    def body(x: np.ndarray, z: np.ndarray) -> None:
        z[...] = 3 * x

    triple = fuseir.opaque_task(body, ["read", "write"])
    for _ in range(2):
        session = fuseir.Session(**options)
        x, z = session.from_numpy(np.arange(5.0)), session.store(5)
        session.launch(triple, x, z)
        assert z.numpy().tolist() == [0, 3, 6, 9, 12]
        assert session.statistics.plans_loaded == 0
    assert disk_of(options).info().plans == 0


def test_a_slower_way_is_not_kept(options: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("no")

    with monkeypatch.context() as patch:
        patch.setattr("fuseir.runtime.executors.cpu.compile_kernels", broken)
        with pytest.warns(FallbackWarning, match="no"):
            expected = bits(elementwise(fuseir.Session(**options)))
    assert disk_of(options).info().plans == 0
    assert bits(elementwise(fuseir.Session(**options))) == expected
    assert disk_of(options).info().plans == 1


@pytest.mark.parametrize("ask", [{"check": True}, {"remarks": "all"}, {"dump_ir": "dumps"}])
def test_who_wants_to_see_the_passes_sees_them(
    ask: dict[str, Any], options: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    elementwise(fuseir.Session(**options))
    session = fuseir.Session(**{**options, **ask, "remarks_file": tmp_path / "remarks"})
    elementwise(session)
    assert (session.statistics.plans_loaded, session.statistics.plan_misses) == (0, 1)


def test_what_was_found_is_explained(options: dict[str, Any]) -> None:
    """With the lines of this program; and looking at a window keeps nothing of it alive."""
    explanations: list[list[str]] = []
    for _ in range(2):
        session = fuseir.Session(**options)
        elementwise(session)
        stencil(session)
        explanations.append([str(remark) for remark in session.explain()])
        assert session.explain() == session.explain()
    assert explanations[0] == explanations[1]
    assert any(Path(__file__).name in text for text in explanations[1])
    assert any("FIR-N151" in text for text in explanations[1])

    session = fuseir.Session(**options)
    x = session.from_numpy(np.arange(40.0), name="dropped")
    session.launch(SCALE, 2.5, x, y := session.store(40))
    session.launch(ADD, x, y, z := session.store(40))
    del y
    session.flush()
    assert session.statistics.plans_loaded == 1
    del x, z
    gc.collect()
    roots = [each for each in gc.get_objects() if isinstance(each, RootStore) and each.name == "dropped"]
    assert all(root.buffer is None or not root.buffer.size for root in roots)


def test_a_plan_without_its_kernels_is_made_again(options: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    expected = bits(reduction(fuseir.Session(**options)))
    directory = disk_of(options).directory
    assert directory is not None
    for path in directory.glob("kernel-*"):
        path.unlink()
    monkeypatch.setattr("fuseir.runtime.executors.cpu._fold_kernels", {})  # as in a new process
    again, after = fuseir.Session(**options), fuseir.Session(**options)
    assert bits(reduction(again)) == bits(reduction(after)) == expected
    assert again.statistics.plans_loaded == 0
    assert again.statistics.kernels_compiled > 0
    assert after.statistics.plan_misses == 0


def test_clearing_removes_plans_too(options: dict[str, Any]) -> None:
    session = fuseir.Session(**options)
    elementwise(session)
    info = session.cache_info()
    assert info.plans == 1
    assert info.plans + info.kernels < info.entries
    assert session.cache_clear() == info.entries
    assert session.cache_info().plans == session.cache_info().entries == 0


# Damage


class Kept:
    """The plan of one window in a cache, to be damaged."""

    def __init__(self, options: dict[str, Any], program: Program) -> None:
        self.keys: list[Key] = []
        whole = StoredPlans.keep

        def noting(stored: StoredPlans, key: Key, planned: Planned) -> None:
            self.keys.append(key)
            whole(stored, key, planned)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(StoredPlans, "keep", noting)
            program(fuseir.Session(**options))
        self.disk = disk_of(options)
        machine = make_machine(options_from(options))
        assert isinstance(machine, NativeMachine)
        made = StoredPlans.of(self.disk, machine, options_from(options))
        assert made is not None
        self.stored = made
        self.key = self.keys[0]
        assert self.disk.directory is not None
        text = window_text(self.key)
        assert text is not None
        self.name = self.stored._key(text)  # pyright: ignore[reportPrivateUsage]
        self.path = self.disk.directory / f"{self.name}.entry"
        self.data = self.path.read_bytes()
        entry = decode(self.name, self.data)
        assert entry is not None
        self.header = dict(entry.header)
        assert self.stored.find(self.key) is not None

    def accepts(self, header: dict[str, Any]) -> bool:
        """Whether a plan of this header, with the right checksum, is taken."""
        self.path.write_bytes(encode(self.name, Entry(header, b"")))
        return self.stored.find(self.key) is not None


@pytest.mark.parametrize("program", PROGRAMS)
def test_no_damaged_plan_is_found(program: Program, options: dict[str, Any]) -> None:
    kept, rng = Kept(options, program), random.Random(7)
    for number in range(MUTANTS // len(PROGRAMS)):
        data = bytearray(kept.data)
        match number % 3:
            case 0:
                for _ in range(rng.choice((1, 1, 1, 8))):
                    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
            case 1:
                del data[rng.randrange(len(data)) :]
            case _:
                start = rng.randrange(len(data))
                data[start : start + rng.randrange(1, 40)] = rng.randbytes(rng.randrange(30))
        if bytes(data) == kept.data:
            continue
        kept.path.write_bytes(data)
        assert kept.stored.find(kept.key) is None
    kept.path.write_bytes(kept.data)
    assert kept.stored.find(kept.key) is not None


def leaves(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in a JSON value: a list or dictionary, and the index in it."""
    for index in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield value, index
        yield from leaves(value[index])


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_plan_that_is_no_plan_is_never_an_error(program: Program, options: dict[str, Any]) -> None:
    """Whole entries of the right name, with anything in any place: no exception, whatever they hold."""
    kept, rng = Kept(options, program), random.Random(11)
    places = sum(1 for _ in leaves(kept.header))
    for _ in range(MUTANTS // len(PROGRAMS)):
        header = copy.deepcopy(kept.header)
        where, index = list(leaves(header))[rng.randrange(places)]
        where[index] = rng.choice([None, True, -1, 10**6, 2**70, 0.5, "", "x", [], {}, [1], [[[]]], {"calls": []}])
        kept.accepts(json.loads(json.dumps(header)))


def first_call(header: dict[str, Any]) -> list[Any]:
    return first_step(header)["calls"][0]


def first_step(header: dict[str, Any]) -> dict[str, Any]:
    return header["steps"][0]["steps"][0]


def grow(layout: list[int], place: int) -> None:
    layout[place] += 1000


UNSAFE: dict[str, Callable[[dict[str, Any]], Any]] = {
    "another slot": lambda h: first_call(h)[3][0].__setitem__(0, 99),
    "a base behind the end": lambda h: first_call(h)[3][0].__setitem__(1, 8 * 10**6),
    "a base before the start": lambda h: first_call(h)[3][0].__setitem__(1, -8),
    "a base between elements": lambda h: first_call(h)[3][0].__setitem__(1, 4),
    # A layout: launch rank, extent, then for each argument rank, (dimension, multiplier, addend, tile, extent, stride), partial stride.
    "more points in the layout": lambda h: grow(first_call(h)[2], 1),
    "more points": lambda h: first_call(h).__setitem__(1, 1000),
    "a longer view": lambda h: grow(first_call(h)[2], 7),
    "a larger stride": lambda h: grow(first_call(h)[2], 8),
    "a launch dimension that is not there": lambda h: grow(first_call(h)[2], 3),
    "a partial stride": lambda h: grow(first_call(h)[2], 9),
    "a short layout": lambda h: first_call(h)[2].pop(),
    "a long layout": lambda h: first_call(h)[2].append(0),
    "fewer arguments": lambda h: first_call(h)[3].pop(),
    "another kernel": lambda h: first_call(h).__setitem__(0, 7),
    "no such scalar": lambda h: first_call(h).__setitem__(4, [[5, "f64"]]),
    "no such type": lambda h: first_call(h).__setitem__(4, [[0, "f16"]]),
    "a smaller store": lambda h: h["slots"][0].__setitem__(0, [2]),
    "a store of another type": lambda h: h["slots"][0].__setitem__(1, "<f4"),
    "fewer slots": lambda h: h["slots"].clear(),
    "phases behind the end": lambda h: h["steps"][0]["phases"][-1].__setitem__(2, 50),
    "phases that overlap": lambda h: h["steps"][0]["phases"].append([0, None, 1]),
    "a phase on another domain": lambda h: h["steps"][0]["phases"][0].__setitem__(1, [99]),
    "no phases": lambda h: h["steps"][0]["phases"].clear(),
    "a step of no launch": lambda h: h["steps"].insert(0, ["release", 77]),
    "a swap of unequal slots": lambda h: (h["slots"].append([[3], "<f8"]), h["steps"].append(["swap", 0, len(h["slots"]) - 1])),
    "another domain": lambda h: first_step(h).__setitem__("domain", [99]),
    "needs of no slot": lambda h: first_step(h).__setitem__("needs", [[99, []]]),
    "reads of no slot": lambda h: first_step(h).__setitem__("reads", [99]),
    "launches that are not there": lambda h: h.__setitem__("taken", [40]),
    "no kernels": lambda h: h["kernels"].clear(),
    "a kernel of another text": lambda h: h["kernels"].__setitem__(0, "0" * 64),
}  # fmt: skip


@pytest.mark.parametrize("change", UNSAFE.values(), ids=UNSAFE.keys())
def test_no_plan_leaves_its_memory(change: Callable[[dict[str, Any]], Any], options: dict[str, Any]) -> None:
    kept = Kept(options, elementwise)
    header = copy.deepcopy(kept.header)
    assert kept.accepts(header)
    change(header)
    assert header != kept.header
    assert not kept.accepts(header)


def test_partials_stay_in_their_buffers(options: dict[str, Any]) -> None:
    kept = Kept(options, reduction)
    sizes = first_step(kept.header)["buffers"]
    assert sizes
    assert kept.accepts(kept.header)
    header = copy.deepcopy(kept.header)
    first_step(header)["buffers"] = [size // 2 for size in sizes]
    assert not kept.accepts(header)
    header = copy.deepcopy(kept.header)
    first_step(header)["buffers"] = []
    assert not kept.accepts(header)


def test_facts_of_tasks_that_were_never_written(options: dict[str, Any]) -> None:
    """A damaged or foreign entry is a miss: the kernel is made, and the entry replaced."""
    source = "task fresh(a: scalar, x: read, z: write) { z = a * x - 1.0 }"

    def run() -> tuple[list[float], int]:
        session = fuseir.Session(**options)
        x, z = session.from_numpy(np.arange(4.0)), session.store(4)
        session.launch(fuseir.task(source), 2.0, x, z)
        return z.numpy().tolist(), disk_of(options).info().rejected

    expected, rejected = run()
    directory = disk_of(options).directory
    assert directory is not None
    (path,) = directory.glob("task-*")
    entry = decode(path.stem, path.read_bytes())
    assert entry is not None
    for field, value in (
        ("digest", 5), ("extent_classes", [[[9, 0]]]), ("extent_classes", [[[0, 4]]]), ("extent_classes", [[0]]),
        ("extent_classes", [[]]), ("divisible", "yes"), ("scalar_types", []), ("scalar_types", ["nonsense"]), ("scalar_types", ["<c16"]),
    ):  # fmt: skip
        path.write_bytes(encode(path.stem, Entry({**entry.header, field: value}, b"")))
        rejected += 1
        assert run() == (expected, rejected)
        assert decode(path.stem, path.read_bytes()) == entry


def test_a_source_without_a_cache_makes_plans() -> None:
    source = PlanSource(options_from({"cache": False}))
    assert len(source.explain()) == source.plans_loaded == source.kernels_compiled == 0
