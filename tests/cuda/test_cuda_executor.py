"""The CUDA executor on an emulated GPU: its results are the CPU's to the bit, and a replayed plan is one launch of a graph.

By the hundreds: ``compare_executors.py``.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from compare_executors import examples, layouts, numpys, tasks, ways
from emulated_device import EmulatedDevice

import fuseir
from fuseir.cache import DiskCache, Entry
from fuseir.codegen.cuda.resources import MOST_SPILLED
from fuseir.errors import UsageError
from fuseir.runtime.executors.cuda.graphs import FEW_NODES, MOST_EXECUTABLES

sys.path.append(str(Path(__file__).parents[1] / "unit"))

AXPY = fuseir.task("task axpy(a: scalar, x: read, y: read_write) { y = a * x + y }")
ADD = fuseir.task("task add(x: read, y: read, z: write) { z = x + y }")
SUM = fuseir.task("task total(x: read, s: reduce<add>) { s += x }")
N = 1000


def test_programs_of_tasks_have_the_bits_of_the_cpu(device: EmulatedDevice) -> None:
    sessions = ways(procs=3)
    assert list(tasks(range(2), sessions, 2)) == []
    assert all(session.statistics.fallbacks == 0 for session in sessions.values())
    assert device.counts["launch_graph"] > 0


def test_programs_on_views_have_the_bits_of_the_cpu(device: EmulatedDevice) -> None:
    sessions = ways(procs=1)
    assert list(layouts(range(2), sessions)) == []
    assert all(session.statistics.fallbacks == 0 for session in sessions.values())
    assert device.counts["launch_graph"] > 0


def test_numpy_programs(device: EmulatedDevice) -> None:
    assert list(numpys(range(8))) == []
    assert device.counts["launch"] > 0


def test_example_programs_have_the_bits_of_the_cpu(device: EmulatedDevice) -> None:
    assert list(examples(("black_scholes", "cg", "stencil"))) == []
    assert device.counts["kernels"] > 0


def test_the_program_in_the_documentation(device: EmulatedDevice, capsys: pytest.CaptureFixture[str]) -> None:
    text = (Path(__file__).parents[2] / "docs" / "cuda.md").read_text(encoding="utf-8")
    (program,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    exec(program.replace("1_000_000", "1000"), {})
    x = np.linspace(0.0, 1.0, 1000)
    assert float(capsys.readouterr().out) == pytest.approx((np.sqrt(x) * 2.0 + 1.0).sum(), rel=1e-14)


def test_frozen_functions_and_explicit_traces(device: EmulatedDevice) -> None:
    session = fuseir.Session(target="cuda")

    @fuseir.freeze
    def twice(x: fuseir.Store) -> fuseir.Store:
        y, z = session.store(N), session.store(N)
        session.launch(ADD, x, x, y)
        session.fence()
        session.launch(ADD, y, x, z)
        return z

    for k in range(4):
        x = session.from_numpy(np.full(N, float(k)))
        assert np.array_equal(twice(x).numpy(), np.full(N, 3.0 * k))
    before = device.counts["launch_graph"]
    y = session.store(N)
    for _ in range(3):
        with session.trace():
            session.launch(ADD, x, x, y)
            session.fence()
            session.launch(AXPY, 1.0, x, y)
    assert np.array_equal(y.numpy(), np.full(N, 9.0))
    assert device.counts["launch_graph"] - before == 2


# Graphs


class Loop:
    """Launches that do not fuse to one, again and again on the same stores."""

    def __init__(self, session: fuseir.Session, stores: int = 2) -> None:
        self.session = session
        self.x = session.from_numpy(np.arange(float(N)))
        self.ys = [session.from_numpy(np.full(N, k, np.float64)) for k in range(stores)]
        self.sums = [session.zeros(()) for _ in range(stores)]

    def turn(self, a: float = 2.0) -> None:
        for y, s in zip(self.ys, self.sums, strict=True):
            self.session.launch(AXPY, a, self.x, y)
            self.session.fence()
            self.session.launch(SUM, y, s)
            self.session.fence()
        self.session.flush()


def counted(device: EmulatedDevice, before: dict[str, int]) -> dict[str, int]:
    return {name: count - before[name] for name, count in device.counts.items() if count != before[name]}


def test_a_replayed_plan_is_one_launch_of_a_graph(device: EmulatedDevice) -> None:
    loop = Loop(fuseir.Session(target="cuda"))
    before = device.counts
    loop.turn()
    first = counted(device, before)
    kernels = first["launch"]
    assert kernels >= 4
    assert first == {"launch": kernels, "kernels": kernels}
    before = device.counts
    loop.turn()
    made = counted(device, before)
    assert made == {"create": 1, "add": kernels, "instantiate": 1, "launch_graph": 1, "kernels": kernels}
    for _ in range(5):
        before = device.counts
        copies = dict(device.copies)
        loop.turn()
        assert counted(device, before) == {"launch_graph": 1, "kernels": kernels}
        assert device.copies == copies
    want = np.full(N, 0.0)
    total = 0.0
    for _ in range(7):
        want = 2.0 * np.arange(N) + want
        total += want.sum()
    assert np.array_equal(loop.ys[0].numpy(), want)
    assert loop.sums[0].item() == total


def test_a_scalar_changes_parameters_of_the_nodes_that_have_it(device: EmulatedDevice) -> None:
    loop = Loop(fuseir.Session(target="cuda"))
    want = np.full(N, 0.0)
    for turn in range(6):
        before = device.counts
        loop.turn(a=float(turn))
        want = float(turn) * np.arange(N) + want
        if turn > 1:
            done = counted(device, before)
            assert (done["set"], done["launch_graph"]) == (2, 1)
            assert "instantiate" not in done
        assert np.array_equal(loop.ys[0].numpy(), want)


def test_buffers_that_take_turns_have_a_graph_each(device: EmulatedDevice) -> None:
    session = fuseir.Session(target="cuda", trace=False)
    many = FEW_NODES + 2
    rng = np.random.default_rng(1)
    sets = [[session.from_numpy(rng.random(N)) for _ in range(many)] for _ in range(MOST_EXECUTABLES + 2)]
    x = session.from_numpy(np.arange(float(N)))
    want = [[each.numpy() for each in stores] for stores in sets]

    def turn(number: int) -> dict[str, int]:
        before = device.counts
        for k, y in enumerate(sets[number]):
            session.launch(AXPY, 0.5, x, y)
            session.fence()
            want[number][k] = 0.5 * np.arange(N) + want[number][k]
        session.flush()
        return counted(device, before)

    turn(0)
    for number in range(MOST_EXECUTABLES):
        assert turn(number)["instantiate"] == 1
    for number in (2, 0, 3, 1, 2):
        assert turn(number) == {"launch_graph": 1, "kernels": many}
    # One more: the nearest graph is set anew, and the other ones are as they were.
    assert turn(MOST_EXECUTABLES)["set"] == many
    assert "instantiate" not in turn(MOST_EXECUTABLES + 1)
    for number in (0, 1, 2, 3, MOST_EXECUTABLES):
        turn(number)
    for stores, contents in zip(sets, want, strict=True):
        assert all(np.array_equal(store.numpy(), array) for store, array in zip(stores, contents, strict=True))


def test_a_graph_that_cannot_be_set_is_given_up(device: EmulatedDevice) -> None:
    loop = Loop(fuseir.Session(target="cuda"))
    loop.turn()
    loop.turn()
    device.fail_call("set", 2, 1)
    before = device.counts
    loop.turn(a=3.0)
    done = counted(device, before)
    assert (done["destroy_executable"], done["destroy"]) == (1, 1)
    assert "launch_graph" not in done
    loop.turn(a=4.0)
    assert np.array_equal(loop.ys[0].numpy(), 11.0 * np.arange(N))
    assert np.array_equal(loop.ys[1].numpy(), 11.0 * np.arange(N) + 1.0)


def test_without_graphs_kernels_are_launched(device: EmulatedDevice) -> None:
    loop = Loop(fuseir.Session(target="cuda"))
    device.fail_call("instantiate", 1, 801)  # not supported
    for _ in range(3):
        loop.turn()
    assert device.counts["launch_graph"] == 0
    assert np.array_equal(loop.ys[0].numpy(), 6.0 * np.arange(N))


def test_what_is_independent_has_no_edges_between(device: EmulatedDevice) -> None:
    from fuseir.runtime.executors.cuda import batches

    made: list[Any] = []
    original = batches.Program

    def noted(*arguments: Any) -> Any:
        made.append(original(*arguments))
        return made[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batches, "Program", noted)
        session = fuseir.Session(target="cuda")
        x, *ys = (session.from_numpy(np.ones(N)) for _ in range(4))
        for y in ys:
            session.launch(AXPY, 1.0, x, y)
            session.fence()
        session.launch(AXPY, 1.0, ys[0], ys[1])
        session.flush()
    (program,) = made
    assert [launch.after for launch in program.launches] == [(), (), (), (0, 1)]


def test_graphs_go_with_their_plans(device: EmulatedDevice) -> None:
    loop = Loop(fuseir.Session(target="cuda"))
    for a in range(3):
        loop.turn(float(a))
    del loop
    import gc

    gc.collect()
    done = device.counts
    assert done["create"] == done["destroy"] > 0
    assert done["instantiate"] == done["destroy_executable"] > 0


# What moves, and what is compiled


def test_contents_move_only_when_they_are_asked_for(device: EmulatedDevice) -> None:
    session = fuseir.Session(target="cuda")
    x = session.from_numpy(np.arange(float(N)))
    y, z, s = session.store(N), session.store(N), session.zeros(())
    session.launch(ADD, x, x, y)
    session.launch(ADD, x, y, z)
    session.flush()
    assert device.copies == {"in": 1, "out": 0, "on": 0}
    session.launch(SUM, z, s)
    assert s.item() == 3 * np.arange(N).sum()
    assert z[10:12].numpy().tolist() == [30.0, 33.0]
    assert z[::-5][:2].numpy().tolist() == [3.0 * 999, 3.0 * 994]
    assert device.copies == {"in": 1, "out": 3, "on": 0}
    seen: list[float] = []
    peek = fuseir.opaque_task(lambda a: seen.append(float(a.sum())), ["read"], "peek")
    session.launch(peek, z)
    session.launch(ADD, z, x, y)
    session.flush()
    assert seen == [3 * np.arange(N).sum()]
    assert device.copies == {"in": 1, "out": 4, "on": 0}  # what is only read on the host stays on the device, too

    def change(a: np.ndarray[Any, Any]) -> None:
        a += 1

    session.launch(fuseir.opaque_task(change, ["read_write"], "change"), z)
    session.launch(ADD, z, x, y)
    assert np.array_equal(y.numpy(), 4 * np.arange(N) + 1.0)
    assert device.copies == {"in": 2, "out": 6, "on": 0}


@pytest.mark.parametrize("dtype", ["f8", "f4", "i8", "i2", "u1", "?"])
def test_stores_of_one_value_are_made_on_the_device(dtype: str, device: EmulatedDevice) -> None:
    session = fuseir.Session(target="cuda")
    for value in (0, 1, 3) if dtype != "?" else (False, True):
        assert np.array_equal(session.full((3, 5), value, dtype).numpy(), np.full((3, 5), value, dtype))
    assert not np.any(session.zeros(7, dtype).numpy())
    assert session.full((), 1, dtype).item() == 1
    assert session.zeros((0, 4), dtype).numpy().shape == (0, 4)
    assert device.copies["in"] == 0


def test_memory_is_given_back(device: EmulatedDevice) -> None:
    session = fuseir.Session(target="cuda")
    for _ in range(20):
        x = session.from_numpy(np.ones(N))
        y = session.store(N)
        session.launch(ADD, x, x, y)
        session.flush()
        del x, y
    assert device.live <= 4 * 8 * N


def test_kernels_are_found_on_disk(device: EmulatedDevice, tmp_path: Path) -> None:
    options: dict[str, Any] = {"target": "cuda", "cache": True, "cache_dir": tmp_path / "cache"}

    def run(session: fuseir.Session) -> fuseir.Session:
        loop = Loop(session)
        loop.turn()
        assert np.array_equal(loop.ys[1].numpy(), 2.0 * np.arange(N) + 1)
        return session

    first = run(fuseir.Session(**options))
    assert first.statistics.kernels_compiled > 0
    compiled = device.compiler.compiled
    second = run(fuseir.Session(**options))
    assert device.compiler.compiled == compiled
    assert second.statistics.kernels_compiled == 0
    assert second.statistics.kernels_loaded == first.statistics.kernels_compiled
    device.compiler.version = "2"
    run(fuseir.Session(**options))
    assert device.compiler.compiled == 2 * compiled
    for path in (tmp_path / "cache").glob("kernel-*"):
        path.write_bytes(path.read_bytes()[:-1])
    run(fuseir.Session(**options))
    assert device.compiler.compiled == 3 * compiled
    # Whole, and nothing that the driver takes.
    folder = DiskCache(tmp_path / "cache", 1 << 30)
    for path in (tmp_path / "cache").glob("kernel-*"):
        folder.put(path.stem, Entry({"resources": {}}, b"no cubin"))
    run(fuseir.Session(**options))
    assert device.compiler.compiled == 4 * compiled


def test_plans_are_made_in_the_background(device: EmulatedDevice) -> None:
    session = fuseir.Session(target="cuda", background=True)
    x = session.from_numpy(np.arange(float(N)))
    for _ in range(200):
        y, z = session.store(N), session.store(N)
        session.launch(ADD, x, x, y)
        session.launch(ADD, x, y, z)
        del y
        assert np.array_equal(z.numpy(), 3 * np.arange(N))
        if session.statistics.plans_in_background:
            break
        import time

        time.sleep(0.05)
    assert session.statistics.plans_in_background == 1
    assert session.statistics.fallbacks == 0


def test_kernels_that_spill_are_told_of(device: EmulatedDevice) -> None:
    for spills, told in ((MOST_SPILLED, False), (MOST_SPILLED + 8, True)):
        device.compiler.spills = spills
        session = fuseir.Session(target="cuda", remarks="missed", remarks_file="/dev/null")
        x = session.from_numpy(np.ones(N))
        y = session.store(N)
        session.launch(ADD, x, x, y)
        session.flush()
        assert ("FIR-N153" in [remark.code for remark in session.explain()]) is told


def test_the_default_is_one_piece(device: EmulatedDevice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FUSEIR_BACKEND", "cuda")
    assert fuseir.Session().options.procs == 1
    assert fuseir.Session(procs=4).options.procs == 4
    monkeypatch.setenv("FUSEIR_PROCS", "3")
    assert fuseir.Session().options.procs == 3
    with pytest.raises(UsageError, match="CUPY_GPU_MEMORY_LIMIT"):
        fuseir.Session(memory_bytes=1 << 20)
