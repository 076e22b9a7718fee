"""The reference executor on launches: views, partitions, reductions, fused and opaque tasks, undefined contents."""

from __future__ import annotations

import numpy as np
import pytest

from fuseir.dialects.dist.index_map import Coordinate, IndexMap
from fuseir.dialects.dist.view import View
from fuseir.dialects.parsing import parse_module
from fuseir.dialects.verification import verify_module
from fuseir.errors import DTypeError, LimitError, ShapeError, UnsupportedError, UsageError
from fuseir.runtime.executors.reference import ReferenceExecutor
from fuseir.runtime.executors.reference_kernel import garbage
from fuseir.runtime.executors.reference_launch import view_of
from fuseir.runtime.program_stores import needed_inputs
from fuseir.runtime.reduction_tree import combine, tree_reduce
from fuseir.universe import make_context

GARBAGE = garbage((), np.dtype(np.float64))

COPY = """
func.func @copy(%x: tensor<?xf64>, %z: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]}
    ins(%x : tensor<?xf64>) outs(%z : tensor<?xf64>) {
  ^bb0(%a: f64, %b: f64):
    linalg.yield %a : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
"""
COPY_2D = (
    COPY.replace("@copy", "@copy2")
    .replace("?x", "?x?x")
    .replace("(d0)", "(d0, d1)")
    .replace('["parallel"]', '["parallel", "parallel"]')
)
INCREMENT = """
func.func @increment(%z: tensor<?xf64>) -> tensor<?xf64> {
  %one = arith.constant 1.0 : f64
  %r = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} outs(%z : tensor<?xf64>) {
  ^bb0(%a: f64):
    %b = arith.addf %a, %one : f64
    linalg.yield %b : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
"""


def reduction(name, combiner, element, rank=1):
    """A kernel that folds a tile of some rank into one element."""
    dims = ", ".join(f"d{k}" for k in range(rank))
    tile = f"tensor<{'?x' * rank}{element}>"
    return f"""
func.func @{name}(%x: {tile}, %s: tensor<{element}>) -> tensor<{element}> {{
  %r = linalg.generic {{indexing_maps = [affine_map<({dims}) -> ({dims})>, affine_map<({dims}) -> ()>],
                       iterator_types = [{", ".join(['"reduction"'] * rank)}]}}
    ins(%x : {tile}) outs(%s : tensor<{element}>) {{
  ^bb0(%a: {element}, %acc: {element}):
    %0 = {combiner} %acc, %a : {element}
    linalg.yield %0 : {element}
  }} -> tensor<{element}>
  func.return %r : tensor<{element}>
}}
"""


def parse(text):
    module = parse_module(make_context(), text)
    verify_module(module, text)
    return module


def run(text, stores=(), scalars=(), opaque=None):
    return ReferenceExecutor().run(parse(text), dict(stores), dict(scalars), opaque)


def stores(**types):
    return "".join(f'%{name} = dist.store "{name}" : !dist.store<{of}>\n' for name, of in types.items())


# Partitions.


@pytest.mark.parametrize(
    ("domain", "tiling"),
    [
        ("[4]", "[3]"),
        ("[1]", "[10]"),
        ("[10]", "[1]"),
        ("[6]", "[3] + [-4]"),
        ("[20]", "[2], (d0) -> (-d0 + 12)"),
        ("[3, 5]", "[4], (d0, d1) -> (d0)"),
    ],
)
def test_partitions_that_cover(domain, tiling):
    if tiling.endswith("(d0)"):
        domain = domain.replace("5", "1")  # each tile is written once
    text = f"""{COPY}{stores(x="10xf64", z="10xf64")}
dist.launch @copy<{domain}>(%x: read #dist.tiling<{tiling}>, %z: write #dist.tiling<{tiling}>)
  : (!dist.store<10xf64>, !dist.store<10xf64>)"""
    x = np.arange(10.0)
    np.testing.assert_array_equal(run(text, {"x": x})["z"], x)


def test_elements_of_no_tile_keep_their_contents():
    text = f"""{COPY}{stores(x="10xf64", z="10xf64")}
#gaps = #dist.tiling<[2] + [1], (d0) -> (d0 * 2)>
dist.launch @copy<[3]>(%x: read #gaps, %z: write #gaps) : (!dist.store<10xf64>, !dist.store<10xf64>)"""
    written = [1, 2, 5, 6, 9]
    z = run(text, {"x": np.arange(10.0), "z": np.full(10, -1.0)})["z"]
    expected = np.full(10, -1.0)
    expected[written] = written
    np.testing.assert_array_equal(z, expected)
    z = run(text, {"x": np.arange(10.0)})["z"]
    np.testing.assert_array_equal(z, np.where(expected == -1, GARBAGE, expected))


def test_each_point_sees_its_own_tile():
    """A kernel that broadcasts its tile's sum shows how the store was cut, clipped edge tiles too."""
    text = (
        """
func.func @sums(%x: tensor<?x?xf64>, %z: tensor<?x?xf64>) -> tensor<?x?xf64> {
  %zero = arith.constant 0.0 : f64
  %e = tensor.empty() : tensor<f64>
  %init = linalg.fill ins(%zero : f64) outs(%e : tensor<f64>) -> tensor<f64>
  %s = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> ()>],
                       iterator_types = ["reduction", "reduction"]}
    ins(%x : tensor<?x?xf64>) outs(%init : tensor<f64>) {
  ^bb0(%a: f64, %acc: f64):
    %0 = arith.addf %acc, %a : f64
    linalg.yield %0 : f64
  } -> tensor<f64>
  %r = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> ()>, affine_map<(d0, d1) -> (d0, d1)>],
                       iterator_types = ["parallel", "parallel"]}
    ins(%s : tensor<f64>) outs(%z : tensor<?x?xf64>) {
  ^bb0(%a: f64, %b: f64):
    linalg.yield %a : f64
  } -> tensor<?x?xf64>
  func.return %r : tensor<?x?xf64>
}
"""
        + f"""{stores(x="5x7xf64", z="5x7xf64")}
#t = #dist.tiling<[2, 3] + [-1, 0], (d0, d1) -> (d1, d0)>
dist.launch @sums<[4, 4]>(%x: read #t, %z: write #t) : (!dist.store<5x7xf64>, !dist.store<5x7xf64>)"""
    )
    x = np.arange(35.0).reshape(5, 7)
    expected = np.empty_like(x)
    for rows in (slice(0, 1), slice(1, 3), slice(3, 5)):
        for columns in (slice(0, 3), slice(3, 6), slice(6, 7)):
            expected[rows, columns] = x[rows, columns].sum()
    np.testing.assert_array_equal(run(text, {"x": x})["z"], expected)


@pytest.mark.parametrize("domain", ["[0]", "[0, 3]"])
def test_no_points_change_nothing(domain):
    tiling = "#dist.tiling<[4]>" if domain == "[0]" else "#dist.tiling<[4], (d0, d1) -> (d0)>"
    text = f"""{INCREMENT}{stores(z="4xf64")}
dist.launch @increment<{domain}>(%z: read_write {tiling}) : (!dist.store<4xf64>)"""
    np.testing.assert_array_equal(run(text, {"z": np.ones(4)})["z"], np.ones(4))


@pytest.mark.parametrize("shape", ["0xf64", "4xf64"])
def test_a_launch_of_rank_zero(shape):
    text = (
        f"{INCREMENT}{stores(z=shape)}\ndist.launch @increment<[]>(%z: read_write #dist.none) : (!dist.store<{shape}>)"
    )
    n = int(shape[0])
    np.testing.assert_array_equal(run(text, {"z": np.ones(n)})["z"], np.full(n, 2.0))


# Views.


@pytest.mark.parametrize(
    ("view", "shape", "expected"),
    [
        ("(d0) -> (d0)", "6", lambda x: x),
        ("(d0) -> (d0 + 2)", "4", lambda x: x[2:]),
        ("(d0) -> (-d0 + 5)", "6", lambda x: x[::-1]),
        ("(d0) -> (-2 * d0 + 5)", "3", lambda x: x[::-2]),
        ("(d0) -> (d0 * 3 + 1)", "2", lambda x: x[1::3]),
        ("(d0) -> (-d0 + 3)", "2", lambda x: x[3:1:-1]),
        ("(d0) -> (4)", "3", lambda x: np.broadcast_to(x[4], 3)),
        ("(d0) -> (d0 + 100)", "0", lambda x: x[:0]),
    ],
)
def test_views_read(view, shape, expected):
    text = f"""{COPY}{stores(x="6xf64", z=f"{shape}xf64")}
%v = dist.view %x {view} : !dist.store<6xf64> -> !dist.view<{shape}xf64>
dist.launch @copy<[4]>(%v: read #dist.tiling<[2]>, %z: write #dist.tiling<[2]>) : (!dist.view<{shape}xf64>, !dist.store<{shape}xf64>)"""
    x = np.arange(6.0)
    np.testing.assert_array_equal(run(text, {"x": x})["z"], expected(x))


@pytest.mark.parametrize(
    ("view", "shape", "expected"),
    [
        ("(d0, d1) -> (d1, d0)", (4, 3), lambda x: x.T),
        ("(d0, d1) -> (d1 + 1, -d0 + 3)", (4, 2), lambda x: x[1:, ::-1].T),
        ("(d0, d1) -> (1, d1)", (2, 4), lambda x: np.broadcast_to(x[1], (2, 4))),
        ("(d0, d1) -> (d0, 2)", (3, 1), lambda x: x[:, 2:3]),
    ],
)
def test_views_of_rank_two(view, shape, expected):
    extents = "x".join(map(str, shape))
    text = f"""{COPY_2D}{stores(x="3x4xf64", z=f"{extents}xf64")}
#t = #dist.tiling<[2, 2]>
%v = dist.view %x {view} : !dist.store<3x4xf64> -> !dist.view<{extents}xf64>
dist.launch @copy2<[2, 2]>(%v: read #t, %z: write #t) : (!dist.view<{extents}xf64>, !dist.store<{extents}xf64>)"""
    x = np.arange(12.0).reshape(3, 4)
    np.testing.assert_array_equal(run(text, {"x": x})["z"], expected(x))


def test_views_are_written_through():
    text = f"""{COPY}{stores(x="3xf64", z="2x6xf64")}
%v = dist.view %z (d0) -> (1, -2 * d0 + 5) : !dist.store<2x6xf64> -> !dist.view<3xf64>
dist.launch @copy<[2]>(%x: read #dist.tiling<[2]>, %v: write #dist.tiling<[2]>) : (!dist.store<3xf64>, !dist.view<3xf64>)"""
    z = np.zeros((2, 6))
    z[1, ::-2] = [1, 2, 3]
    np.testing.assert_array_equal(run(text, {"x": np.array([1.0, 2, 3]), "z": np.zeros((2, 6))})["z"], z)


def test_views_against_index_arithmetic():
    store = np.arange(60).reshape(3, 4, 5)
    rng = np.random.default_rng(1)
    for _ in range(200):
        rank = int(rng.integers(0, 4))
        dims = list(rng.permutation(rank)) + [None] * 3
        shape = [int(rng.integers(1, 4)) for _ in range(rank)]
        results = []
        for extent, dim in zip(store.shape, rng.permutation(np.array(dims[:3], object)), strict=True):
            scale = int(rng.choice([-2, -1, 1, 2]))
            if dim is None or (shape[dim] - 1) * abs(scale) >= extent:
                results.append(Coordinate(None, 0, int(rng.integers(extent))))
                continue
            span = (shape[dim] - 1) * abs(scale)
            low = int(rng.integers(extent - span))
            results.append(Coordinate(int(dim), scale, low if scale > 0 else low + span))
        view = View(tuple(shape), IndexMap(rank, tuple(results)))
        assert view.error(store.shape) is None
        expected = np.empty(shape, store.dtype)
        for index in np.ndindex(*shape):
            expected[index] = store[view.map().at(index)]
        found = view_of(store, view)
        np.testing.assert_array_equal(found, expected)
        assert found.base is not None


def test_reads_see_the_state_before_the_launch():
    """One store through two views that differ, one read and one written, is legal only where they are apart."""
    text = f"""{COPY}{stores(z="8xf64")}
#t = #dist.tiling<[2]>
%even = dist.view %z (d0) -> (d0 * 2) : !dist.store<8xf64> -> !dist.view<4xf64>
%odd = dist.view %z (d0) -> (-2 * d0 + 7) : !dist.store<8xf64> -> !dist.view<4xf64>
dist.launch @copy<[2]>(%even: read #t, %odd: write #t) : (!dist.view<4xf64>, !dist.view<4xf64>)"""
    np.testing.assert_array_equal(run(text, {"z": np.arange(8.0)})["z"], [0, 6, 2, 4, 4, 2, 6, 0])


def test_one_store_read_and_written_at_the_same_piece():
    text = f"""{COPY}{INCREMENT}{stores(z="5xf64")}
#t = #dist.tiling<[2]>
dist.launch @copy<[3]>(%z: read #t, %z: write #t) : (!dist.store<5xf64>, !dist.store<5xf64>)
dist.launch @increment<[3]>(%z: read_write #t) : (!dist.store<5xf64>)"""
    np.testing.assert_array_equal(run(text, {"z": np.arange(5.0)})["z"], np.arange(5.0) + 1)


# Reductions.


@pytest.mark.parametrize(
    ("operator", "combiner", "store", "dtype"),
    [
        ("add", "arith.addf", "f32", "float32"),
        ("mul", "arith.mulf", "f64", "float64"),
        ("min", "arith.minimumf", "f64", "float64"),
        ("max", "arith.maximumf", "f32", "float32"),
        ("add", "arith.addi", "i8", "int8"),
        ("mul", "arith.muli", "i64", "int64"),
        ("min", "arith.minsi", "i16", "int16"),
        ("max", "arith.maxsi", "i32", "int32"),
        ("min", "arith.minui", "ui8", "uint8"),
        ("max", "arith.maxui", "ui64", "uint64"),
        ("and", "arith.andi", "ui32", "uint32"),
        ("or", "arith.ori", "i1", "bool"),
        ("xor", "arith.xori", "i1", "bool"),
        ("mul", "arith.muli", "i1", "bool"),
    ],
)
@pytest.mark.parametrize("points", [1, 3, 50])
def test_reductions_across_points(operator, combiner, store, dtype, points):
    n = 1500
    tile = -(-n // points)
    text = f"""{reduction("fold", combiner, store.removeprefix("u"))}{stores(x=f"{n}x{store}", s=store)}
dist.launch @fold<[{points}]>(%x: read #dist.tiling<[{tile}]>, %s: reduce<{operator}> #dist.none)
  : (!dist.store<{n}x{store}>, !dist.store<{store}>)"""
    rng = np.random.default_rng(points)
    if np.dtype(dtype).kind == "f":
        x, old = rng.uniform(0.99, 1.01, n).astype(dtype), np.asarray(1.5, dtype)
    else:
        x, old = rng.integers(0, 256, n).astype(dtype), np.asarray(1, dtype)
    partials = np.stack([tree_reduce(operator, x[k * tile : (k + 1) * tile], 0) for k in range(points)])
    expected = combine(operator, old, tree_reduce(operator, partials, 0))
    assert run(text, {"x": x, "s": old})["s"].tobytes() == expected.tobytes()


def test_reductions_go_innermost_dimension_first():
    text = f"""{reduction("fold", "arith.addf", "f32", rank=3)}{stores(x="3x40x50xf32", s="f32")}
dist.launch @fold<[1]>(%x: read #dist.none, %s: reduce<add> #dist.none) : (!dist.store<3x40x50xf32>, !dist.store<f32>)"""
    x = np.random.default_rng(0).standard_normal((3, 40, 50)).astype(np.float32)
    expected = x
    for axis in (2, 1, 0):
        expected = tree_reduce("add", expected, axis)
    found = run(text, {"x": x, "s": np.asarray(-0.0, np.float32)})["s"]
    assert found.tobytes() == expected.tobytes()
    other = tree_reduce("add", tree_reduce("add", tree_reduce("add", x, 0), 0), 0)
    assert other != expected  # the order shows


def test_points_that_share_a_tile():
    """A row of points for each tile of ``s``: each tile folds its own row, in row-major order."""
    text = (
        """
func.func @fold(%x: tensor<?x?xf64>, %s: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d1, d0)>, affine_map<(d0, d1) -> (d0)>],
                       iterator_types = ["parallel", "reduction"]}
    ins(%x : tensor<?x?xf64>) outs(%s : tensor<?xf64>) {
  ^bb0(%a: f64, %acc: f64):
    %0 = arith.addf %acc, %a : f64
    linalg.yield %0 : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
"""
        + f"""{stores(x="70x5xf64", s="6xf64")}
%v = dist.view %s (d0) -> (-d0 + 5) : !dist.store<6xf64> -> !dist.view<5xf64>
dist.launch @fold<[35, 3]>(%x: read #dist.tiling<[2, 2]>, %v: reduce<add> #dist.tiling<[2], (d0, d1) -> (d1)>)
  : (!dist.store<70x5xf64>, !dist.view<5xf64>)"""
    )
    rng = np.random.default_rng(3)
    x, s = rng.standard_normal((70, 5)), rng.standard_normal(6)
    partials = tree_reduce("add", x.reshape(35, 2, 5), 1)
    expected = s.copy()
    expected[:0:-1] = s[:0:-1] + tree_reduce("add", partials, 0)
    assert run(text, {"x": x, "s": s})["s"].tobytes() == expected.tobytes()


def test_an_empty_reduction_keeps_the_old_value():
    text = f"""{reduction("fold", "arith.addf", "f64")}{stores(x="0xf64", s="f64")}
dist.launch @fold<[3]>(%x: read #dist.none, %s: reduce<add> #dist.none) : (!dist.store<0xf64>, !dist.store<f64>)"""
    found = run(text, {"x": np.empty(0), "s": np.asarray(-0.0)})["s"]
    assert found == 0
    assert np.signbit(found)


def test_several_outputs_of_one_generic():
    text = (
        """
func.func @both(%x: tensor<?xf64>, %z: tensor<?xf64>, %s: tensor<f64>) -> (tensor<?xf64>, tensor<f64>) {
  %r:2 = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>, affine_map<(d0) -> ()>],
                       iterator_types = ["reduction"]}
    ins(%x : tensor<?xf64>) outs(%z, %s : tensor<?xf64>, tensor<f64>) {
  ^bb0(%a: f64, %b: f64, %acc: f64):
    %0 = arith.mulf %a, %a : f64
    %1 = arith.addf %acc, %0 : f64
    linalg.yield %0, %1 : f64, f64
  } -> tensor<?xf64>, tensor<f64>
  func.return %r#0, %r#1 : tensor<?xf64>, tensor<f64>
}
"""
        + f"""{stores(x="9xf64", z="9xf64", s="f64")}
dist.launch @both<[2]>(%x: read #dist.tiling<[5]>, %z: write #dist.tiling<[5]>, %s: reduce<add> #dist.none)
  : (!dist.store<9xf64>, !dist.store<9xf64>, !dist.store<f64>)"""
    )
    x = np.arange(9.0)
    found = run(text, {"x": x, "s": np.asarray(1.0)})
    np.testing.assert_array_equal(found["z"], x * x)
    assert found["s"] == 1 + (x * x).sum()


# Kernels.


def test_broadcast_transpose_and_scalars():
    text = (
        """
func.func @outer(%x: tensor<?xf64>, %y: tensor<?xf64>, %z: tensor<?x?xf64>, %a: f64, %b: i32) -> tensor<?x?xf64> {
  %c = arith.sitofp %b : i32 to f64
  %d = arith.addf %a, %c : f64
  %r = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d1)>, affine_map<(d0, d1) -> (d0)>, affine_map<(d0, d1) -> (d0, d1)>],
                       iterator_types = ["parallel", "parallel"]}
    ins(%x, %y : tensor<?xf64>, tensor<?xf64>) outs(%z : tensor<?x?xf64>) {
  ^bb0(%xe: f64, %ye: f64, %u: f64):
    %0 = arith.mulf %xe, %ye : f64
    %1 = arith.addf %0, %d : f64
    linalg.yield %1 : f64
  } -> tensor<?x?xf64>
  func.return %r : tensor<?x?xf64>
}
"""
        + f"""{stores(x="3xf64", y="4xf64", z="4x3xf64")}
%a = dist.scalar "a" = 0.5 : f64
%b = dist.scalar "b" : i32
dist.launch @outer<[2, 2]>(%x: read #dist.tiling<[2], (d0, d1) -> (d1)>, %y: read #dist.tiling<[2], (d0, d1) -> (d0)>,
  %z: write #dist.tiling<[2, 2]>) scalars(%a, %b) : (!dist.store<3xf64>, !dist.store<4xf64>, !dist.store<4x3xf64>, f64, i32)"""
    )
    x, y = np.arange(3.0), np.arange(4.0)
    for a, given in ((0.5, {"b": -2}), (7.0, {"b": 2**32 - 2, "a": 7})):
        found = run(text, {"x": x, "y": y}, given)["z"]
        np.testing.assert_array_equal(found, np.multiply.outer(y, x) + (a - 2))


def test_tensor_empty_takes_shapes_and_has_no_contents():
    text = (
        """
func.func @shape(%x: tensor<?xf64>, %z: tensor<?xf64>) -> tensor<?xf64> {
  %0 = arith.constant 0 : index
  %n = tensor.dim %x, %0 : tensor<?xf64>
  %e = tensor.empty(%n) : tensor<?xf64>
  %c = arith.constant 3.0 : f64
  %f = linalg.fill ins(%c : f64) outs(%e : tensor<?xf64>) -> tensor<?xf64>
  %r = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]}
    ins(%f : tensor<?xf64>) outs(%z : tensor<?xf64>) {
  ^bb0(%a: f64, %b: f64):
    linalg.yield %a : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
"""
        + f"""{stores(x="5xf64", z="5xf64")}
#t = #dist.tiling<[2]>
dist.launch @shape<[3]>(%x: no_access #t, %z: write #t) : (!dist.store<5xf64>, !dist.store<5xf64>)"""
    )
    np.testing.assert_array_equal(run(text)["z"], np.full(5, 3.0))


# Whole programs.


def test_fused_tasks_are_their_members_in_order():
    launches = """
  dist.launch @copy<[3]>(%x: read #t, %z: write #t) : (!dist.store<5xf64>, !dist.store<5xf64>)
  dist.launch @increment<[3]>(%z: read_write #t) : (!dist.store<5xf64>)
  dist.launch @copy<[3]>(%z: read #t, %y: write #t) : (!dist.store<5xf64>, !dist.store<5xf64>)
"""
    declared = f"""{COPY}{INCREMENT}
#t = #dist.tiling<[2]>
{stores(x="5xf64", y="5xf64")}
%z = dist.store : !dist.store<5xf64>"""
    x = np.arange(5.0)
    for body in (launches, f"dist.fused_task<[3]> {{{launches}}}"):
        found = run(f"{declared}\n{body}\ndist.release %z : !dist.store<5xf64>\ndist.fence", {"x": x})
        np.testing.assert_array_equal(found["y"], x + 1)
        assert set(found) == {"x", "y"}
    found = run(f"{declared}\ndist.fused_task<[3]> temporaries(%z : !dist.store<5xf64>) {{{launches}}}", {"x": x})
    np.testing.assert_array_equal(found["y"], x + 1)


OPAQUE = (
    """
func.func private @task(tensor<?xi32>, tensor<?xf64>, tensor<f64>, tensor<?xf64>, f32) -> (tensor<?xf64>, tensor<f64>)
#t = #dist.tiling<[2]>
"""
    + stores(x="5xui32", z="5xf64", s="f64", n="5xf64")
    + """
%a = dist.scalar "a" = 0.5 : f32
dist.launch @task<[3]>(%x: read #t, %z: write #t, %s: reduce<add> #dist.none, %n: no_access #t) scalars(%a)
  : (!dist.store<5xui32>, !dist.store<5xf64>, !dist.store<f64>, !dist.store<5xf64>, f32)"""
)


def test_opaque_tasks():
    seen = []

    def task(x, z, s, n, a):
        assert x.dtype == np.uint32
        assert not x.flags.writeable
        assert not n.flags.writeable
        assert np.all(z == GARBAGE)
        assert np.all(n == GARBAGE)
        assert s == 0
        assert isinstance(a, np.float32)
        seen.append(x.shape)
        z[...] = x * a
        s += x.sum()

    x = np.arange(5, dtype=np.uint32)
    found = run(OPAQUE, {"x": x, "s": np.asarray(1.0), "z": np.ones(5), "n": np.ones(5)}, {}, {"task": task})
    assert seen == [(2,), (2,), (1,)]
    np.testing.assert_array_equal(found["z"], x * 0.5)
    np.testing.assert_array_equal(found["n"], np.ones(5))
    assert found["s"] == 11
    with pytest.raises(UnsupportedError, match="'@task' has no body"):
        run(OPAQUE, {"x": x, "s": np.asarray(1.0)})


def test_what_an_opaque_task_raises_goes_through():
    def task(*arguments):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        run(OPAQUE, {}, {}, {"task": task})


def test_inputs_are_not_changed_and_outputs_are_new():
    text = (
        f"{INCREMENT}{stores(z='4xf64')}\ndist.launch @increment<[1]>(%z: read_write #dist.none) : (!dist.store<4xf64>)"
    )
    z = np.zeros(4)
    found = run(text, {"z": z})["z"]
    assert not np.shares_memory(z, found)
    assert z.sum() == 0
    strided = np.zeros((4, 3), ">f8")[::-1, 1]
    strided.flags.writeable = False
    np.testing.assert_array_equal(run(text, {"z": strided})["z"], np.ones(4))


@pytest.mark.parametrize(
    ("dtype", "pattern"), [("float64", 0xABABABABABABABAB), ("int32", 0xABABABAB), ("uint8", 0xAB), ("bool", 1)]
)
def test_undefined_contents_show(dtype, pattern):
    element = {"float64": "f64", "int32": "i32", "uint8": "ui8", "bool": "i1"}[dtype]
    x = run(stores(x=f"3x{element}", y=element))
    for array in x.values():
        assert array.dtype == dtype
        assert np.all(array.view(f"u{array.dtype.itemsize}") == pattern)


def test_refusals():
    text = stores(x="3xf64") + '%a = dist.scalar "a" : i8\n%b = dist.scalar "b" = 1.0 : f32'
    with pytest.raises(UsageError, match="the program has no store 'q'"):
        run(text, {"q": np.zeros(3)}, {"a": 1})
    with pytest.raises(UsageError, match="the program has no scalar 'q'"):
        run(text, {}, {"a": 1, "q": 1})
    with pytest.raises(UsageError, match="scalar 'a' has no default"):
        run(text)
    with pytest.raises(ShapeError, match=r"store 'x' has shape \[3\], the array given has \[4\]"):
        run(text, {"x": np.zeros(4)}, {"a": 1})
    with pytest.raises(DTypeError, match="store 'x' has elements of float64, the array given has float32"):
        run(text, {"x": np.zeros(3, np.float32)}, {"a": 1})
    for value, message in ((256, "cannot hold 256"), (-129, "cannot hold -129"), (1.0, "is no integer")):
        with pytest.raises(DTypeError, match=f"scalar 'a' has type i8.*{message}"):
            run(text, {}, {"a": value})
    with pytest.raises(LimitError, match=r"store 'x' of shape \[2305843009213693952\] and type float64 does not fit"):
        run(stores(x=f"{2**61}xf64"))


def test_needed_inputs():
    declared = f"""{COPY}{INCREMENT}{reduction("fold", "arith.addf", "f64")}
#t = #dist.tiling<[2]>
#half = #dist.tiling<[1]>
{stores(x="5xf64", y="5xf64", z="5xf64", s="f64", unused="5xf64", part="5xf64")}
dist.launch @copy<[3]>(%x: read #t, %y: write #t) : (!dist.store<5xf64>, !dist.store<5xf64>)
dist.launch @increment<[3]>(%y: read_write #t) : (!dist.store<5xf64>)
dist.launch @increment<[3]>(%z: read_write #t) : (!dist.store<5xf64>)
dist.launch @copy<[3]>(%x: read #half, %part: write #half) : (!dist.store<5xf64>, !dist.store<5xf64>)
dist.launch @fold<[3]>(%y: read #t, %s: reduce<add> #dist.none) : (!dist.store<5xf64>, !dist.store<f64>)"""
    assert needed_inputs(parse(declared)) == ["x", "z", "s", "part"]
    assert needed_inputs(parse(declared), {"unused", "y"}) == ["x", "z", "s", "unused", "part"]
