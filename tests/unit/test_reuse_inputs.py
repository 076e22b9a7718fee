"""Results that take the memory of inputs: only where nobody sees it, and nobody notices."""

from __future__ import annotations

import numpy as np
import pytest

import fuseir
from fuseir.dialects.dist.ops import SwapOp
from fuseir.dialects.parsing import parse_module
from fuseir.passes.remarks import Remarks
from fuseir.passes.reuse_inputs import ReuseInputsPass
from fuseir.runtime.buffers import BufferPool, note_shown, private_array
from fuseir.universe import make_context

N = 1 << 14
SIZE = 8 * N
SCALE = fuseir.task("task scale(a: scalar, x: read, z: write) { z = a * x }")
BOTH = fuseir.task("task both(x: read, y: read, z: write, w: write) { z = x + y; w = x * y }")
STENCIL = fuseir.task("task stencil(a: read, b: read, z: write) { z = a + b }")


def taken(session: fuseir.Session) -> int:
    return sum(remark.code == "FIR-N141" for remark in session.explain())


def test_an_iteration_needs_the_memory_of_one_store() -> None:
    session = fuseir.Session()
    x = session.full(N, 1.0)
    for _ in range(5):
        z = session.store(N)
        session.launch(SCALE, 2.0, x, z)
        x = z
        del z
        session.flush()
        assert taken(session) == 1
    assert session.statistics.peak_bytes == SIZE
    assert np.all(x.numpy() == 32.0)


def test_results_take_the_memory_of_as_many_inputs() -> None:
    session = fuseir.Session(threads=2)
    x, y = session.full(N, 3.0), session.full(N, 4.0)
    z, w = session.store(N), session.store(N)
    session.launch(BOTH, x, y, z, w)
    del x, y
    session.flush()
    assert taken(session) == 2
    assert session.statistics.peak_bytes == 2 * SIZE
    assert np.all(z.numpy() == 7.0)
    assert np.all(w.numpy() == 12.0)


def test_an_input_that_is_held_or_read_elsewhere_is_left_alone() -> None:
    session = fuseir.Session()
    x = session.from_numpy(np.arange(float(N)))
    z = session.store(N)
    session.launch(SCALE, 2.0, x, z)
    session.flush()
    assert taken(session) == 0
    assert np.array_equal(x.numpy(), np.arange(float(N)))
    # Neighbours' elements are needed after a point has written its own.
    w = session.store(N - 1)
    session.launch(STENCIL, x[1:], x[:-1], w)
    del x
    session.flush()
    assert taken(session) == 0
    assert np.array_equal(w.numpy(), 2 * np.arange(float(N - 1)) + 1)


def test_what_a_later_launch_reads_is_left_alone() -> None:
    session = fuseir.Session()
    x, z, w = session.full(N, 1.0), session.store(N), session.store(N)
    session.launch(SCALE, 2.0, x, z)
    session.fence()
    session.launch(SCALE, 3.0, x, w)
    del x
    session.flush()
    assert taken(session) == 1
    assert np.all(z.numpy() == 2.0)
    assert np.all(w.numpy() == 3.0)


def test_what_other_points_read_is_left_alone() -> None:
    session = fuseir.Session()
    x, z = session.from_numpy(np.arange(float(N))), session.store(N)
    straight = fuseir.Tiling.of([N // 4], [0], fuseir.IndexMap(1, (fuseir.Coordinate(0, 1, 0),)))
    crossed = fuseir.Tiling.of([N // 4], [0], fuseir.IndexMap(1, (fuseir.Coordinate(0, -1, 3),)))
    session.launch(SCALE, 2.0, x, z, domain=[4], partitions=[crossed, straight])
    del x
    session.flush()
    assert taken(session) == 0
    assert np.array_equal(z.numpy(), 2 * np.arange(float(N)).reshape(4, -1)[::-1].ravel())


def test_what_a_task_of_the_same_window_kept_is_left_alone() -> None:
    kept: list[np.ndarray] = []
    keep = fuseir.opaque_task(lambda x: kept.append(x), ["read"])  # type: ignore[arg-type]
    session = fuseir.Session(procs=1)
    x, y, z = session.full(N, 5.0), session.store(N), session.store(N)
    session.launch(SCALE, 2.0, x, y)
    session.launch(keep, y)
    session.launch(SCALE, 2.0, y, z)
    del y
    session.flush()
    assert np.all(kept[0] == 10.0)
    assert np.all(z.numpy() == 20.0)


def test_memory_that_the_user_gave_is_not_written_to() -> None:
    mine = np.arange(float(N))
    session = fuseir.Session()
    x = session.from_numpy(mine, copy=False)
    for _ in range(3):
        z = session.store(N)
        session.launch(SCALE, 2.0, x, z)
        x = z
        del z
        session.flush()
        assert taken(session) == 1
    assert np.array_equal(mine, np.arange(float(N)))
    assert np.array_equal(x.numpy(), 8 * np.arange(float(N)))


def test_memory_that_a_task_kept_is_not_written_to() -> None:
    kept: list[np.ndarray] = []
    keep = fuseir.opaque_task(lambda x: kept.append(x), ["read"])  # type: ignore[arg-type]
    session = fuseir.Session(procs=1)
    x = session.full(N, 5.0)
    session.launch(keep, x)
    session.flush()
    z = session.store(N)
    session.launch(SCALE, 2.0, x, z)
    del x
    session.flush()
    assert taken(session) == 1
    assert np.all(kept[0] == 5.0)
    assert np.all(z.numpy() == 10.0)


def test_memory_is_private_until_it_was_shown_and_again_when_it_comes_back() -> None:
    pool = BufferPool()
    array = pool.zeros((N,), np.dtype(np.float64))
    where = array.ctypes.data
    assert private_array(array) is array
    note_shown(array)
    copied = private_array(array)
    assert not np.shares_memory(copied, array)
    assert private_array(copied) is copied
    del array
    again = pool.allocate((N,), np.dtype(np.float64))
    assert again.ctypes.data == where
    assert private_array(again) is again
    mine = np.arange(3.0)
    assert private_array(mine).tolist() == mine.tolist()
    assert not np.shares_memory(private_array(mine), mine)


MODULE = """
!s = !dist.store<16384xf64>
#t = #dist.tiling<[4096]>
#u = #dist.tiling<[4096] + [0], (d0) -> (d0 * -1 + 3)>
#half = #dist.tiling<[2048]>
#id = affine_map<(d0) -> (d0)>
func.func @copy(%x: tensor<?xf64>, %z: tensor<?xf64>) -> tensor<?xf64> attributes {dist.privileges = ["read", "write"]} {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf64>) outs(%z : tensor<?xf64>) {
  ^bb0(%a: f64, %v: f64):
    linalg.yield %a : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
func.func @add(%x: tensor<?xf64>, %y: tensor<?xf64>, %z: tensor<?xf64>) -> tensor<?xf64>
    attributes {dist.privileges = ["read", "read", "write"]} {
  %r = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]}
      ins(%x, %y : tensor<?xf64>, tensor<?xf64>) outs(%z : tensor<?xf64>) {
  ^bb0(%a: f64, %b: f64, %v: f64):
    %c = arith.addf %a, %b : f64
    linalg.yield %c : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
func.func private @look(tensor<?xf64>) -> ()
%x = dist.store "x" {dist.input_only} : !s
%out = dist.store "out" : !s
%z = dist.store "z" : !s
"""
COPY = "dist.launch @copy<[4]>(%x: read #t, %z: write #t) : (!s, !s)\n"
LOOK = "dist.launch @look<[4]>(%x: read #t) : (!s)\n"
RELEASE = "dist.release %x : !s\n"


@pytest.mark.parametrize(
    ("program", "swaps"),
    [
        (COPY + RELEASE, 1),
        (COPY, 0),  # the application holds it
        (COPY.replace("%x", "%out") + "dist.release %out : !s\n", 0),
        (LOOK + COPY + RELEASE, 0),  # Python code may have kept it
        (COPY + LOOK + RELEASE, 0),
        (COPY.replace("write #t", "write #u") + RELEASE, 0),
        (COPY.replace("#t", "#half") + RELEASE, 0),  # the rest of the result stays as it was
        ("dist.launch @add<[4]>(%x: read #t, %x: read #u, %z: write #t) : (!s, !s, !s)\n" + RELEASE, 0),
    ],
)
def test_the_pass_takes_memory_that_nobody_else_sees(program: str, swaps: int) -> None:
    module = parse_module(make_context(), MODULE + program)
    ReuseInputsPass().run(module, Remarks())
    assert sum(isinstance(op, SwapOp) for op in module.ops) == swaps
