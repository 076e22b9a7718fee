"""Stores as Python objects: conversions, iteration, what is refused, and by which message."""

from __future__ import annotations

import copy
import operator
import pickle
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fuseir
from fuseir.errors import (
    DTypeError,
    FallbackWarning,
    FuseirError,
    OutOfMemoryError,
    ShapeError,
    UnsupportedError,
    UsageError,
)

SCALE = fuseir.task("task scale(a: scalar, x: read, y: write) { y = a * x }")
INCREMENT = fuseir.task("task increment(y: read_write) { y += 1 }")


# Conversions


@pytest.mark.parametrize("shape", [(), (1,), (1, 1, 1)])
def test_one_element_converts(shape: tuple[int, ...]) -> None:
    store = fuseir.full(shape, 2.5)
    assert float(store) == 2.5
    assert int(store) == 2
    assert complex(store) == 2.5
    assert f"{store:.2f}" == "2.50"
    assert bool(store) is True
    assert bool(fuseir.zeros(shape)) is False


def test_a_conversion_runs_what_was_captured() -> None:
    store = fuseir.zeros(())
    INCREMENT(store)
    assert float(store) == 1.0


@pytest.mark.parametrize("shape", [(0,), (2,), (2, 3)])
@pytest.mark.parametrize("convert", [bool, int, float, complex, "{:.2f}".format, fuseir.Store.item])
def test_several_elements_do_not_convert(convert: Callable[[Any], Any], shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match=f"of a store with {np.prod(shape)} elements"):
        convert(fuseir.zeros(shape))


def test_a_store_prints_without_being_read() -> None:
    store = fuseir.store((2, 3), "f4", name="u")
    assert f"{store}" == str(store) == repr(store) == "<Store 'u' shape=(2, 3) dtype=float32>"
    assert store.size == 6


# Iteration and views


def test_iteration_gives_views() -> None:
    store = fuseir.zeros((3, 2))
    for row in store:
        INCREMENT(row)
    first, *_ = store
    assert first.shape == (2,)
    assert store.numpy().tolist() == [[1, 1]] * 3
    assert list(fuseir.zeros((0, 3))) == []
    with pytest.raises(TypeError, match="rank 0 cannot be iterated"):
        iter(fuseir.zeros(()))
    with pytest.raises(TypeError, match="rank 0"):
        len(fuseir.zeros(()))


def test_transpose_and_broadcast_take_what_numpy_takes() -> None:
    array = np.arange(24.0).reshape(2, 3, 4)
    store = fuseir.from_numpy(array)
    assert np.array_equal(store.transpose((2, 0, 1)).numpy(), array.transpose(2, 0, 1))
    assert np.array_equal(store.transpose(1, -1, 0).numpy(), array.transpose(1, -1, 0))
    assert np.array_equal(fuseir.full(1, 7.0).broadcast_to(4).numpy(), np.full(4, 7.0))
    for shape in (-1, (2, -3), 2.5, None):
        with pytest.raises(ShapeError):
            store.broadcast_to(shape)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("index", [np.array([0, 1]), fuseir.zeros(2), 1.0, "a", True, [0]])
def test_only_basic_indices(index: Any) -> None:
    with pytest.raises(TypeError, match="stores take integers, slices"):
        fuseir.zeros(3)[index]
    assert fuseir.zeros(3)[np.int64(2)].shape == fuseir.zeros(3)[np.array(2)].shape == ()


# Refused


REFUSED: list[Callable[[Any], Any]] = [
    lambda x: x + x,
    lambda x: 1 + x,
    lambda x: operator.iadd(x, 1),  # pyright: ignore[reportUnknownLambdaType]
    lambda x: np.ones(2) + x,
    lambda x: operator.iadd(np.ones(2), x),  # pyright: ignore[reportUnknownLambdaType]
    lambda x: np.float64(1) * x,
    lambda x: np.add(x, 1),
    lambda x: np.add.reduce(x),
    operator.neg,
    abs,
    lambda x: x < 1,
    lambda x: x == 1,
    lambda x: x != fuseir.zeros(2),
    lambda x: np.ones(2) == x,
    lambda x: x == None,  # noqa: E711
    lambda x: 1.0 in x,
    lambda x: operator.setitem(x, 0, 1.0),
    pickle.dumps,
    copy.deepcopy,
]


@pytest.mark.parametrize("compute", REFUSED)
def test_what_stores_do_not_do_says_what_to_do(compute: Callable[[Any], Any]) -> None:
    with pytest.raises(UnsupportedError, match=r"launch a task|take \.numpy\(\)") as caught:
        compute(fuseir.zeros(2))
    assert isinstance(caught.value, TypeError)


def test_identity_is_what_containers_ask_for() -> None:
    store, other = fuseir.zeros(2), fuseir.zeros(2)
    assert store in [store, other]
    assert {store: 1, other: 2}[other] == 2
    assert weakref.WeakKeyDictionary({store: 1})[store] == 1
    assert np.asarray(copy.copy(store)).tolist() == [0.0, 0.0]


# Making them


def ones(shape: Any) -> fuseir.Store:
    return fuseir.full(shape, 1.0)


@pytest.mark.parametrize("shape", [-1, (2, -1), 2.0, (2.0, 3), "abc", None, (float("nan"),), 2**62, (2**61, 0, 2)])
@pytest.mark.parametrize("make", [fuseir.store, fuseir.zeros, ones])
def test_what_is_no_shape(make: Callable[[Any], Any], shape: Any) -> None:
    with pytest.raises(ShapeError, match="is no shape"):
        make(shape)


def test_what_memory_cannot_hold() -> None:
    for make in (fuseir.zeros, ones):
        with pytest.raises(OutOfMemoryError, match="no memory for a store"):
            make(2**61)


@pytest.mark.parametrize(("value", "dtype"), [("abc", "f8"), (300, "u1"), (None, "i4")])
def test_a_value_that_does_not_fill_its_type(value: Any, dtype: str) -> None:
    with pytest.raises(DTypeError, match="does not fill a store of"):
        fuseir.full(3, value, dtype)


def test_full_takes_one_value() -> None:
    with pytest.raises(ShapeError, match="use from_numpy"):
        fuseir.full(3, [1, 2, 3])


# Arguments and options


@pytest.mark.parametrize(
    "options",
    [
        {"fuse": "no"},
        {"fuse": 1},
        {"procs": True},
        {"threads": 1.5},
        {"dump_ir": 3},
        {"procs": 2**62},
        {"threads": 10**9},
    ],
)
def test_options_that_make_no_sense(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=next(iter(options))):
        fuseir.Session(**options)


def test_the_dump_folder_may_be_a_path(tmp_path: Path) -> None:
    with fuseir.Session(dump_ir=tmp_path / "dump") as session:
        INCREMENT(session.zeros(2, name="y"))
    assert (tmp_path / "dump" / "window_0000" / "0_captured.mlir").exists()


def test_errors_name_the_task_and_its_parameters() -> None:
    x = fuseir.zeros(4)
    with pytest.raises(FuseirError, match=r"`x` \('read'\) and `y` \('write'\) of task 'scale' overlap"):
        SCALE(2.0, x[1:], x[:-1])
    with pytest.raises(FuseirError, match="task 'scale' needs dimension 0 of `x`"):
        SCALE(2.0, x, fuseir.zeros(3))
    with pytest.raises(FuseirError, match="`y`: 'read_write' through a partition that is not disjoint"):
        fuseir.launch(INCREMENT, x, domain=4, partitions=[fuseir.NonePartition()])
    with pytest.raises(UsageError, match="partitions are a sequence"):
        fuseir.launch(INCREMENT, x, domain=4, partitions=fuseir.NonePartition())
    with pytest.raises(UsageError, match="a task made by"):
        fuseir.launch(print, x)  # pyright: ignore[reportArgumentType]


def test_opaque_tasks_of_what_cannot_be_called() -> None:
    with pytest.raises(UsageError, match="made of a callable"):
        fuseir.opaque_task(3, ["read"])  # pyright: ignore[reportArgumentType]
    with pytest.raises(UsageError, match=r"a sequence.*\['read'\]"):
        fuseir.opaque_task(print, "read")
    with pytest.raises(UsageError, match="privileges are"):
        fuseir.opaque_task(print, ["reduce"])


def test_a_folder_that_cannot_be_written_is_warned_about_once(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    session = fuseir.Session(dump_ir=tmp_path / "file")
    y = session.zeros(2)

    def two_windows() -> None:
        for part in (y, y[:1]):
            session.launch(INCREMENT, part)
            session.flush()

    with pytest.warns(FallbackWarning, match="cannot write IR") as warned:
        two_windows()
    assert y.numpy().tolist() == [2.0, 1.0]
    assert len(warned) == 1
