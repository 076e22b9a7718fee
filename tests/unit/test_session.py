"""Sessions: capture, reading, failures, and what is refused at the call."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fuseir
from fuseir.dialects.dist.partition import ReplicatedPartition
from fuseir.errors import (
    DTypeError,
    FallbackWarning,
    LegalityError,
    ShapeError,
    StorePoisonedError,
    UnsupportedError,
    UsageError,
)

ADD = fuseir.task("task add(x: read, y: read, z: write) { z = x + y }")
SCALE = fuseir.task("task scale(a: scalar, x: read, z: write) { z = a * x }")
AXPY = fuseir.task("task axpy(a: scalar, x: read, y: read_write) { y = a * x + y }")
SUM = fuseir.task("task total(x: read, s: reduce<add>) { s += x }")


@pytest.fixture(params=["cpu", "cpu-unfused", "reference"])
def session(request: pytest.FixtureRequest) -> fuseir.Session:
    target, _, unfused = request.param.partition("-")
    return fuseir.Session(target=target, fuse=not unfused, threads=2)


# Capture and reading


def test_nothing_runs_before_a_value_is_asked_for(session: fuseir.Session) -> None:
    x, y = session.from_numpy(np.arange(10.0)), session.zeros(10)
    session.launch(AXPY, 2.0, x, y)
    assert session.statistics.windows == 0
    assert y.numpy().tolist() == [2.0 * k for k in range(10)]
    assert session.statistics.windows == 1
    assert session.statistics.forced_flushes == 1


def test_results_flow_from_task_to_task(session: fuseir.Session) -> None:
    x = session.from_numpy(np.linspace(-1, 1, 100))
    z, s = session.store(100), session.zeros(())
    session.launch(SCALE, 3.0, x, z)
    session.launch(ADD, z, x, z)
    session.launch(SUM, z, s)
    expected = 3.0 * np.linspace(-1, 1, 100) + np.linspace(-1, 1, 100)
    assert z.numpy().tolist() == expected.tolist()
    assert s.item() == pytest.approx(0.0, abs=1e-12)


def test_an_equal_window_is_a_hit_whatever_its_stores_and_scalars(session: fuseir.Session) -> None:
    for factor in (2.0, 3.0, 4.0):
        x, z = session.from_numpy(np.arange(6.0) + factor), session.store(6)
        session.launch(SCALE, factor, x, z)
        assert z.numpy().tolist() == [factor * (k + factor) for k in range(6)]
    assert session.statistics.plan_misses == 1
    assert session.statistics.plan_hits == 2


@pytest.mark.parametrize(
    "change",
    ["shape", "dtype", "order", "aliasing", "liveness", "view", "task"],
)
def test_a_different_window_is_a_miss(change: str) -> None:
    session = fuseir.Session()

    def run(changed: str | None) -> None:
        n, dtype = (7 if changed == "shape" else 6), ("f4" if changed == "dtype" else "f8")
        x, y = session.from_numpy(np.ones(n, dtype)), session.from_numpy(np.ones(n, dtype))
        z, w = session.store(n, dtype), session.store(n, dtype)
        session.launch(SCALE if changed == "task" else ADD, *((2.0,) if changed == "task" else (x,)), y, z)
        if changed == "view":
            session.launch(ADD, x[::-1], z, w)
        elif changed == "order":
            session.launch(ADD, z, x, w)
        elif changed == "aliasing":
            session.launch(ADD, x, x, w)
        else:
            session.launch(ADD, x, z, w)
        if changed == "liveness":
            del z
        session.flush()

    run(None)
    run(None)
    assert (session.statistics.plan_misses, session.statistics.plan_hits) == (1, 1)
    run(change)
    assert session.statistics.plan_misses == 2


def test_a_full_window_runs() -> None:
    session = fuseir.Session(window=4, max_window=4)
    x, y = session.from_numpy(np.ones(5)), session.zeros(5)
    for _ in range(9):
        session.launch(AXPY, 1.0, x, y)
    assert session.statistics.windows == 2
    assert y.numpy().tolist() == [9.0] * 5


def test_dropped_stores_become_values_and_take_no_memory() -> None:
    session = fuseir.Session()
    x, z = session.from_numpy(np.ones(1000)), session.store(1000)
    t = session.store(1000)
    session.launch(SCALE, 2.0, x, t)
    session.launch(ADD, t, x, z)
    del t
    assert z.numpy().tolist() == [3.0] * 1000
    assert session.statistics.temporaries == 1
    assert session.statistics.temporary_bytes == 8000
    assert (session.statistics.tasks, session.statistics.launches) == (2, 1)


def test_a_view_keeps_its_store() -> None:
    session = fuseir.Session()
    x, t = session.from_numpy(np.arange(4.0)), session.store(4)
    session.launch(SCALE, 2.0, x, t)
    last = t[3]
    del t
    assert last.item() == 6.0


def test_a_fence_separates_windows() -> None:
    session = fuseir.Session()
    x, y, z = session.from_numpy(np.ones(8)), session.store(8), session.store(8)
    session.launch(SCALE, 2.0, x, y)
    session.fence()
    session.launch(SCALE, 2.0, y, z)
    assert z.numpy().tolist() == [4.0] * 8
    assert session.statistics.launches == 2


def test_the_current_session_is_the_innermost_one() -> None:
    outer = fuseir.current_session()
    with fuseir.Session() as inner:
        assert fuseir.current_session() is inner
        x, y = fuseir.from_numpy([1.0, 2.0]), fuseir.zeros(2)
        AXPY(2.0, x, y)
    assert fuseir.current_session() is outer
    assert inner.statistics.tasks == 1
    assert y.numpy().tolist() == [2.0, 4.0]


def test_an_explicit_layout(session: fuseir.Session) -> None:
    x, z = session.from_numpy(np.arange(12.0).reshape(3, 4)), session.store((3, 4))
    tiles = fuseir.Tiling.of((2, 3))
    session.launch(SCALE, 2.0, x, z, domain=(2, 2), partitions=(tiles, tiles))
    assert z.numpy().tolist() == (2.0 * np.arange(12.0).reshape(3, 4)).tolist()


@pytest.mark.parametrize(
    ("text", "shapes", "domain"),
    [
        ("task inc(y: read_write) { y += 1 }", [(20,)], (8,)),
        ("task total(x: read, s: reduce<add>) { s += x }", [(20,), ()], (8,)),
        ("task rows(x: read, s: reduce<add>) { s = sum(x, axis=1) }", [(20, 3), (20,)], (8,)),
        ("task columns(x: read, s: reduce<add>) { s = sum(x, axis=0) }", [(20, 3), (3,)], (8,)),
        # Columns cannot be written piece by piece: each needs all rows.
        ("task columns(x: read, s: write) { s = sum(x, axis=0) }", [(20, 3), (3,)], (1,)),
        ("task point(x: read, y: write) { y = x + 1 }", [(), ()], (1,)),
    ],
)
def test_default_layouts(text: str, shapes: list[tuple[int, ...]], domain: tuple[int, ...]) -> None:
    instance = fuseir.task(text).instance([(np.dtype("f8"), len(shape)) for shape in shapes], [])
    assert instance.layout(tuple(shapes), 8)[0] == domain


def test_a_kernel_that_folds_its_tile_on_its_own_is_not_cut(session: fuseir.Session) -> None:
    from xdsl.builder import Builder
    from xdsl.dialects import arith, tensor
    from xdsl.dialects.builtin import AffineMapAttr, FloatAttr, TensorType, f64
    from xdsl.dialects.linalg.attrs import IteratorTypeAttr
    from xdsl.dialects.linalg.ops import FillOp, GenericOp, YieldOp
    from xdsl.ir import Block, Region
    from xdsl.ir.affine import AffineMap

    def share_of_total(builder: Builder, parameters: Any) -> list[Any]:
        x, y = parameters["x"].value, parameters["y"].value
        scalar = TensorType(f64, [])
        zero = builder.insert(arith.ConstantOp(FloatAttr(-0.0, f64)))
        empty = builder.insert(tensor.EmptyOp([], scalar))
        filled = builder.insert(FillOp([zero.result], [empty.tensor], [scalar]))
        fold = Block(arg_types=[f64, f64])
        fold.add_ops([total := arith.AddfOp(fold.args[1], fold.args[0]), YieldOp(total)])
        line, point = AffineMapAttr(AffineMap.identity(1)), AffineMapAttr(AffineMap(1, 0, ()))
        summed = builder.insert(
            GenericOp([x], filled.res, Region(fold), [line, point], [IteratorTypeAttr.reduction()], [scalar])
        )
        divide = Block(arg_types=[f64, f64, f64])
        divide.add_ops([share := arith.DivfOp(divide.args[0], divide.args[1]), YieldOp(share)])
        maps = [line, point, line]
        generic = GenericOp([x, summed.res[0]], [y], Region(divide), maps, [IteratorTypeAttr.parallel()], [y.type])
        return [builder.insert(generic).res[0]]

    task = fuseir.task(share_of_total, "task share(x: read, y: write)")
    x, y = session.from_numpy(np.ones(16)), session.store(16)
    session.launch(task, x, y)
    assert y.numpy().tolist() == [1 / 16] * 16


def test_results_do_not_depend_on_threads() -> None:
    values = np.random.default_rng(1).normal(size=100_000)
    sums = set()
    for threads in (1, 2, 3, 4, 8):
        session = fuseir.Session(threads=threads)
        s = session.zeros(())
        session.launch(SUM, session.from_numpy(values), s)
        sums.add(s.item())
    assert len(sums) == 1
    assert sums.pop() == pytest.approx(values.sum(), rel=1e-12)


def test_calls_from_several_threads_are_serialised() -> None:
    session = fuseir.Session()
    x, totals = session.from_numpy(np.ones(64)), [session.zeros(64) for _ in range(4)]

    def work(total: fuseir.Store) -> None:
        for _ in range(50):
            session.launch(AXPY, 1.0, x, total)
            total.numpy()

    threads = [threading.Thread(target=work, args=(total,)) for total in totals]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [total.numpy().tolist() for total in totals] == [[50.0] * 64] * 4


# Element types, ranks and views


@pytest.mark.parametrize("dtype", ["?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f4", "f8"])
@pytest.mark.parametrize("shape", [(), (1,), (7,), (3, 5), (2, 3, 4), (0,), (3, 0)])
def test_every_element_type_and_rank(session: fuseir.Session, dtype: str, shape: tuple[int, ...]) -> None:
    array = np.arange(np.prod(shape, dtype=int)).reshape(shape).astype(dtype)
    x, z = session.from_numpy(array), session.store(shape, dtype)
    session.launch(ADD, x, x, z)
    assert np.array_equal(z.numpy(), array + array)
    assert z.numpy().dtype == array.dtype


INDICES: list[Any] = [
    np.s_[1:],
    np.s_[::-1],
    np.s_[-1],
    np.s_[1:4:2, ::-2],
    np.s_[..., 2],
    np.s_[None, 1:, None],
    np.s_[2:2],
    np.s_[-2:, 1],
    np.s_[...],
    np.s_[:, -1:0:-1],
]


@pytest.mark.parametrize("index", INDICES, ids=str)
def test_views_read_what_numpy_reads(session: fuseir.Session, index: Any) -> None:
    array = np.arange(20.0).reshape(4, 5)
    view = session.from_numpy(array)[index]
    assert view.shape == array[index].shape
    assert np.array_equal(view.numpy(), array[index])
    result = session.store(view.shape)
    session.launch(SCALE, 2.0, view, result)
    assert np.array_equal(result.numpy(), 2.0 * array[index])


@pytest.mark.parametrize("index", INDICES, ids=str)
def test_views_write_where_numpy_writes(session: fuseir.Session, index: Any) -> None:
    array = np.arange(20.0).reshape(4, 5)
    store = session.from_numpy(array)
    source = session.from_numpy(np.full(array[index].shape, -1.0))
    session.launch(SCALE, 1.0, source, store[index])
    array[index] = -1.0
    assert np.array_equal(store.numpy(), array)


def test_views_of_views_transposes_and_broadcasts(session: fuseir.Session) -> None:
    array = np.arange(24.0).reshape(2, 3, 4)
    store = session.from_numpy(array)
    assert np.array_equal(store[1].T[::-1, 1:].numpy(), array[1].T[::-1, 1:])
    assert np.array_equal(store.transpose(2, 0, 1).numpy(), array.transpose(2, 0, 1))
    assert np.array_equal(
        store[:, :1, :].broadcast_to((5, 2, 3, 4)).numpy(), np.broadcast_to(array[:, :1], (5, 2, 3, 4))
    )
    row, result = session.from_numpy(np.arange(4.0)), session.store((3, 4))
    session.launch(ADD, row.broadcast_to((3, 4)), store[0], result)
    assert np.array_equal(result.numpy(), array[0] + np.arange(4.0))


@pytest.mark.parametrize(
    ("index", "error"),
    [
        (5, IndexError),
        (-5, IndexError),
        ((0, 0, 0), IndexError),
        ((..., ...), IndexError),
        ("x", TypeError),
        ([0], TypeError),
        (True, TypeError),
    ],
)
def test_indices_that_are_refused(index: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        fuseir.Session().zeros((4, 5))[index]


def test_from_numpy_copies_unless_told_otherwise() -> None:
    session = fuseir.Session()
    array = np.ones(3)
    copied, adopted = session.from_numpy(array), session.from_numpy(array, copy=False)
    array[0] = 7.0
    assert copied.numpy()[0] == 1.0
    assert adopted.numpy()[0] == 7.0
    with pytest.raises(UsageError, match="contiguous"):
        session.from_numpy(np.ones((4, 4))[::2], copy=False)


def test_foreign_byte_order_and_layout_are_read_right() -> None:
    session = fuseir.Session()
    array = np.arange(12.0).reshape(3, 4)
    assert np.array_equal(session.from_numpy(array.astype(">f8")).numpy(), array)
    assert np.array_equal(session.from_numpy(np.asfortranarray(array)).numpy(), array)


# What is refused, at the call, with the user's line


def test_errors_name_the_users_line() -> None:
    session = fuseir.Session()
    x, z = session.zeros(3), session.store(4)
    with pytest.raises(ShapeError) as caught:
        session.launch(ADD, x, x, z)
    assert any("test_session.py" in note for note in caught.value.__notes__)
    assert "(3,)" in str(caught.value)
    assert "(4,)" in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (lambda s: (ADD, s.zeros(3), s.zeros(3)), UsageError, "takes 3 arguments, 2 were given"),
        (lambda s: (ADD, s.zeros(3), np.zeros(3), s.store(3)), UsageError, "got ndarray"),
        (lambda s: (SCALE, "two", s.zeros(3), s.store(3)), UsageError, "got str|not str"),
        (lambda s: (ADD, s.zeros(3), s.store(3), s.store(3)), UsageError, "before anything was written"),
        (lambda s: (ADD, s.zeros(3), s.zeros(3), s.store(3, "i4")), DTypeError, "cast|convert|same_kind|int32|i32"),
        (lambda s: (ADD, s.zeros(3), fuseir.Session().zeros(3), s.store(3)), UsageError, "another session"),
        (lambda s: (SUM, s.zeros(3), s.store(())), UsageError, "before anything was written"),
        (lambda s: (SCALE, 1.0, s.zeros((2, 3)), s.zeros((1, 3)).broadcast_to((2, 3))), LegalityError, "repeats"),
    ],
)
def test_launches_that_are_refused(arguments: Any, error: type[Exception], message: str) -> None:
    session = fuseir.Session()
    task, *rest = arguments(session)
    with pytest.raises(error, match=message):
        session.launch(task, *rest)
    # Nothing was captured, and the session goes on.
    session.flush()
    assert session.statistics.tasks == 0


def test_overlapping_arguments_are_refused() -> None:
    session = fuseir.Session()
    x = session.from_numpy(np.arange(6.0))
    with pytest.raises(LegalityError, match="overlap"):
        session.launch(SCALE, 1.0, x[1:], x[:-1])
    session.launch(SCALE, 2.0, x[::2], x[1::2])
    session.launch(SCALE, 3.0, x, x)
    assert x.numpy().tolist() == [0.0, 0.0, 6.0, 12.0, 12.0, 24.0]


def test_a_written_partition_must_be_disjoint() -> None:
    session = fuseir.Session()
    x, z = session.zeros(4), session.store(4)
    with pytest.raises(LegalityError, match="disjoint"):
        session.launch(SCALE, 1.0, x, z, domain=(2,), partitions=(fuseir.NonePartition(), fuseir.NonePartition()))
    with pytest.raises(UsageError, match="'replicated' is what passes make"):
        session.launch(SCALE, 1.0, x, z, domain=(2,), partitions=(fuseir.NonePartition(), ReplicatedPartition()))
    with pytest.raises(ShapeError, match="extent"):
        session.launch(SCALE, 1.0, x, z, domain=(2,), partitions=(fuseir.NonePartition(), fuseir.Tiling.of((2,))))
    with pytest.raises(UsageError, match="together"):
        session.launch(SCALE, 1.0, x, z, domain=(2,))


@pytest.mark.parametrize("dtype", ["c8", "c16", "f2", "O", "S4", "M8[s]"])
def test_unsupported_element_types_are_named(dtype: str) -> None:
    with pytest.raises(UnsupportedError, match="not supported"):
        fuseir.Session().zeros(3, dtype)


@pytest.mark.parametrize("shape", [(-1,), (2.5,), "3"])
def test_shapes_that_are_none(shape: Any) -> None:
    with pytest.raises((ShapeError, TypeError, ValueError)):
        fuseir.Session().zeros(shape)


def test_options_that_make_no_sense() -> None:
    for options in ({"target": "tpu"}, {"threads": -1}, {"procs": 0}, {"window": 0}, {"speed": 11}):
        with pytest.raises(UsageError):
            fuseir.Session(**options)


def test_options_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FUSEIR_DISABLE", "1")
    monkeypatch.setenv("FUSEIR_NUM_THREADS", "3")
    options = fuseir.Session(threads=2).options
    assert (options.fuse, options.threads) == (False, 2)
    monkeypatch.setenv("FUSEIR_PROCS", "many")
    with pytest.raises(UsageError, match="FUSEIR_PROCS"):
        fuseir.Session()


# Opaque tasks and failures


def test_opaque_tasks_are_ordered_correctly(session: fuseir.Session) -> None:
    def sort(x: np.ndarray[Any, Any], z: np.ndarray[Any, Any]) -> None:
        z[...] = np.sort(x)

    sorting = fuseir.opaque_task(sort, ["read", "write"])
    x = session.from_numpy(np.array([3.0, 1.0, 2.0]))
    y, z, w = session.store(3), session.store(3), session.store(3)
    session.launch(SCALE, -1.0, x, y)
    session.launch(sorting, y, z)
    session.launch(SCALE, 10.0, z, w)
    assert w.numpy().tolist() == [-30.0, -20.0, -10.0]


def test_opaque_tasks_get_scalars_pieces_and_partials(session: fuseir.Session) -> None:
    seen: list[tuple[int, ...]] = []

    def body(x: np.ndarray[Any, Any], factor: float, s: np.ndarray[Any, Any]) -> None:
        assert not x.flags.writeable
        seen.append(x.shape)
        s += factor * x.sum()

    task = fuseir.opaque_task(body, ["read", None, "reduce<add>"])
    x, s = session.from_numpy(np.arange(10.0)), session.full((), 5.0)
    session.launch(task, x, 2.0, s, domain=(3,), partitions=(fuseir.Tiling.of((4,)), fuseir.NonePartition()))
    assert s.item() == 5.0 + 2.0 * 45.0
    assert seen == [(4,), (4,), (2,)]


def test_a_failing_task_loses_only_what_depends_on_it(session: fuseir.Session) -> None:
    def fail(x: np.ndarray[Any, Any], z: np.ndarray[Any, Any]) -> None:
        raise KeyError("no such thing")

    failing = fuseir.opaque_task(fail, ["read", "write"])
    x = session.from_numpy(np.ones(3))
    before, lost, after, independent = (session.store(3) for _ in range(4))
    session.launch(SCALE, 2.0, x, before)
    session.launch(failing, x, lost)
    session.launch(SCALE, 2.0, lost, after)
    session.launch(SCALE, 3.0, before, independent)
    with pytest.raises(KeyError, match="no such thing") as caught:
        session.flush()
    assert any("test_session.py" in note and "failing" in note for note in caught.value.__notes__)
    assert before.numpy().tolist() == [2.0] * 3
    assert independent.numpy().tolist() == [6.0] * 3
    for store in (lost, after):
        with pytest.raises(StorePoisonedError) as poisoned:
            store.numpy()
        assert isinstance(poisoned.value.__cause__, KeyError)
    with pytest.raises(StorePoisonedError):
        session.launch(SCALE, 2.0, lost, independent)
    # The next operation works, and overwriting brings a lost store back.
    session.launch(SCALE, 5.0, x, lost)
    assert lost.numpy().tolist() == [5.0] * 3


def test_a_failure_names_the_line_of_its_own_launch(session: fuseir.Session) -> None:
    def fail(x: np.ndarray[Any, Any], z: np.ndarray[Any, Any]) -> None:
        raise KeyError("again")

    failing = fuseir.opaque_task(fail, ["read", "write"])
    x = session.from_numpy(np.ones(3))
    session.launch(failing, x, session.store(3))  # the first line
    with pytest.raises(KeyError) as first:
        session.flush()
    session.launch(failing, x, session.store(3))  # the second line, by the same plan
    with pytest.raises(KeyError) as second:
        session.flush()
    assert session.statistics.plan_hits == 1
    assert "the first line" in first.value.__notes__[0]
    assert "the second line" in second.value.__notes__[0]


def test_a_task_cannot_use_the_session_that_runs_it() -> None:
    session = fuseir.Session()
    x, z = session.from_numpy(np.ones(3)), session.store(3)

    def body(a: np.ndarray[Any, Any], b: np.ndarray[Any, Any]) -> None:
        with pytest.raises(UsageError, match="cannot read"):
            x.numpy()
        session.launch(SCALE, 1.0, x, z)

    session.launch(fuseir.opaque_task(body, ["read", "write"]), x, z)
    with pytest.raises(UsageError, match="cannot launch tasks"):
        session.flush()
    session.launch(SCALE, 4.0, x, z)
    assert z.numpy().tolist() == [4.0] * 3


def test_an_opaque_tasks_privileges_are_checked() -> None:
    with pytest.raises(UsageError, match="privileges are"):
        fuseir.opaque_task(print, ["look"])


def test_reading_what_was_never_written() -> None:
    with pytest.raises(UsageError, match="before anything was written"):
        fuseir.Session().store(3).numpy()


def test_a_window_that_cannot_be_compiled_still_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    import fuseir.runtime.executors.cpu as cpu

    def broken(*_: Any) -> None:
        raise RuntimeError("the code generator broke")

    monkeypatch.setattr(cpu, "compile_kernels", broken)
    session = fuseir.Session()
    x, z = session.from_numpy(np.arange(5.0)), session.store(5)
    session.launch(SCALE, 2.0, x, z)
    with pytest.warns(FallbackWarning, match="the code generator broke"):
        assert z.numpy().tolist() == [0.0, 2.0, 4.0, 6.0, 8.0]
    assert session.statistics.fallbacks == 2


# The miss path is the tools' path


def test_dumped_windows_go_through_fuseir_opt_to_the_same_text(tmp_path: Path) -> None:
    session = fuseir.Session(dump_ir=str(tmp_path))
    x, t, z, s = session.from_numpy(np.ones(100)), session.store(100), session.store(100), session.zeros(())
    session.launch(SCALE, 2.0, x, t)
    session.launch(ADD, t, x, z)
    session.launch(SUM, z, s)
    del t
    session.flush()
    window = tmp_path / "window_0000"
    stages = [path.stem.split("_", 1)[1] for path in sorted(window.iterdir())]
    assert stages == [
        "captured",
        "forward-copies",
        "fuse-tasks",
        "eliminate-temporaries",
        "compose-kernels",
        "fuse-kernels",
        "split-launches",
        "reuse-inputs",
        "lower-kernels",
    ]
    for number, stage in enumerate(stages[1:]):
        command = [
            sys.executable,
            "-m",
            "fuseir.tools.opt",
            str(window / f"{number}_{stages[number]}.mlir"),
            "-p",
            stage,
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert done.stdout.strip() == (window / f"{number + 1}_{stage}.mlir").read_text().strip()


def test_a_hit_touches_no_ir() -> None:
    session = fuseir.Session()

    def iteration() -> float:
        x, t, s = session.from_numpy(np.ones(50)), session.store(50), session.zeros(())
        session.launch(SCALE, 2.0, x, t)
        session.launch(SUM, t, s)
        del t
        return s.item()

    iteration()
    import xdsl.ir

    made: list[object] = []
    original = xdsl.ir.Operation.__post_init__

    def counting(self: Any) -> None:
        made.append(self)
        original(self)

    xdsl.ir.Operation.__post_init__ = counting  # type: ignore[method-assign]
    try:
        assert iteration() == 100.0
    finally:
        xdsl.ir.Operation.__post_init__ = original  # type: ignore[method-assign]
    assert made == []


def test_unread_work_at_exit_is_dropped_silently() -> None:
    code = (
        "import fuseir; t = fuseir.task('task f(x: read, y: write) { y = x }');"
        "x = fuseir.zeros(3); y = fuseir.store(3); t(x, y)"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")


def test_a_forked_child_runs_on_threads_of_its_own() -> None:
    code = """
import os, numpy as np, fuseir
double = fuseir.task("task double(x: read, y: write) { y = x + x }")
x = fuseir.from_numpy(np.ones(1_000_000))
def total():
    y = fuseir.store(1_000_000)
    double(x, y)
    return y.numpy().sum()
assert total() == 2e6
child = os.fork()
if child == 0:
    os._exit(0 if total() == 2e6 else 1)
assert os.waitpid(child, 0)[1] == 0
assert total() == 2e6
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_generated_tasks_run_like_others(session: fuseir.Session) -> None:
    from xdsl.builder import Builder
    from xdsl.dialects import arith
    from xdsl.dialects.builtin import AffineMapAttr, f64
    from xdsl.dialects.linalg.attrs import IteratorType, IteratorTypeAttr
    from xdsl.dialects.linalg.ops import GenericOp, YieldOp
    from xdsl.ir import Block, Region
    from xdsl.ir.affine import AffineMap

    def build(builder: Builder, parameters: Any) -> list[Any]:
        x, y, a = (parameters[name].value for name in ("x", "y", "a"))
        block = Block(arg_types=[f64, f64])
        product = arith.MulfOp(a, block.args[0])
        block.add_ops([product, result := arith.AddfOp(product, block.args[0]), YieldOp(result)])
        maps = [AffineMapAttr(AffineMap.identity(1))] * 2
        iterators = [IteratorTypeAttr(IteratorType.PARALLEL)]
        return [builder.insert(GenericOp([x], [y], Region(block), maps, iterators, [y.type])).results[0]]

    task = fuseir.task(build, "task generated(a: scalar, x: read, y: write)")
    x, y = session.from_numpy(np.arange(4.0)), session.store(4)
    session.launch(task, 3.0, x, y)
    assert y.numpy().tolist() == [0.0, 4.0, 8.0, 12.0]
