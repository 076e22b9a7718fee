"""Tiles: layouts of every kind, lane boundaries, points and clipped tiles through the ABI, scratch memory."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from llvm_kernels import DTYPES, compiled, elementwise, function, loop, run, tile_type

from fuseir.codegen.abi import (
    ArgumentLayout,
    TileDimension,
    encode_layout,
    pack_scalar,
    pack_scalars,
    point_coordinates,
    point_count,
    whole_dimension,
)
from fuseir.codegen.llvm import compile as compile_module
from fuseir.codegen.llvm.target import host_target
from fuseir.errors import DTypeError, OutOfMemoryError, UnsupportedError, UsageError

AXPY = elementwise({"x": "f64", "y": "f64"}, [("arith.addf %x, %y : f64", "f64")])


@pytest.mark.parametrize("t", ["i1", "i8", "i16", "i32", "i64", "f32", "f64"])
def test_layouts_and_lane_boundaries(t: str) -> None:
    """Contiguous, strided, reversed, broadcast and unaligned, each also beside the others; nothing outside is touched."""
    operation = f"arith.{'ori' if t == 'i1' else 'addf' if t[0] == 'f' else 'addi'} %x, %y : {t}"
    kernel = compiled(elementwise({"x": t, "y": t}, [(operation, t)]))
    dtype = np.dtype(DTYPES[t])
    rng = np.random.default_rng(1)
    layouts = [
        lambda n: np.zeros(n, dtype),
        lambda n: np.zeros(3 * n, dtype)[::3],
        lambda n: np.zeros(n, dtype)[::-1],
        lambda n: np.zeros(2 * n, dtype)[::-2],
        lambda n: np.zeros(n * dtype.itemsize + 1, np.uint8)[1:].view(dtype),
    ]
    for n in (0, 1, 7, 16, 33, 64, 130):
        for make_x, make_z in itertools.product(layouts, layouts):
            x, y = make_x(n), np.zeros(n, dtype)
            x[...] = rng.integers(0, 2 if t == "i1" else 100, n)
            y[...] = rng.integers(0, 2 if t == "i1" else 20, n)
            z = make_z(n)
            whole = z.base if z.base is not None else z
            whole.view(np.uint8)[...] = 1
            guard = whole.copy()
            run(kernel, x, y, z)
            expected = x | y if t == "i1" else x + y
            assert np.array_equal(z, expected), (n, x.strides, z.strides)
            z.view()[...] = 1 if t == "i1" else np.frombuffer(b"\1" * dtype.itemsize, dtype)[0]
            assert np.array_equal(whole.view(np.uint8), guard.view(np.uint8))
    x, z = np.broadcast_to(np.array(1, dtype), 70), np.zeros(70, dtype)
    run(kernel, x, x, z)
    assert np.all(z == (1 if t == "i1" else 2))


@pytest.mark.parametrize("t", ["i1", "i16", "f64"])
def test_processors_without_masked_loads(t: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left over at a row's end then goes through a buffer, element by element; nothing outside is touched."""
    host = host_target()
    monkeypatch.setattr(compile_module, "host_target", lambda: replace(host, masked_bytes=frozenset()))
    operation = "arith.addf" if t == "f64" else "arith.xori"
    kernel = compiled(elementwise({"x": t, "y": t}, [(f"{operation} %x, %y : {t}", t)]))
    assert "llvm.masked" not in (kernel.llvm_ir or "")
    for n in (1, 15, 16, 33, 130):
        x, y = np.random.default_rng(n).integers(0, 2, (2, n)).astype(DTYPES[t])
        z = np.ones(n + 4, DTYPES[t])
        run(kernel, x, y, z[2:-2])
        assert np.array_equal(z[2:-2], x + y if t == "f64" else x ^ y)
        assert np.all(z[:2] == 1)
        assert np.all(z[-2:] == 1)


def test_two_dimensions_in_every_order() -> None:
    matrix, row = tile_type("f64", 2), tile_type("f64", 1)
    body = f"""%n = memref.dim %z, %c0 : {matrix}
      %m = memref.dim %z, %c1 : {matrix}"""
    inner = f"""%a = memref.load %x[%i, %j] : {matrix}
      %b = memref.load %x[%i, %j] : {matrix}
      %v = memref.load %r[%j] : {row}
      %u = memref.load %c[%i] : {row}
      %s = arith.mulf %a, %v : f64
      %t = arith.addf %s, %u : f64
      memref.store %t, %z[%i, %j] : {matrix}"""
    for form in ("inner", "outer", "none"):
        nest = loop("%i", "%n", loop("%j", "%m", inner, vector=form == "inner"), vector=form == "outer")
        kernel = compiled(function({"x": matrix, "r": row, "c": row, "z": matrix}, body + nest))
        rng = np.random.default_rng(2)
        for shape in [(0, 4), (4, 0), (1, 1), (5, 40), (40, 5), (17, 33)]:
            x, r, c = rng.random(shape), rng.random(shape[1]), rng.random(shape[0])
            z = np.zeros(shape)
            for each, out in itertools.product((x, np.asfortranarray(x), x[::-1, ::-1]), (z, z.T.copy().T)):
                out[...] = np.nan
                run(kernel, each, r, c, out)
                assert np.array_equal(out, each * r + c[:, None]), (form, shape)


def test_points_and_clipped_tiles() -> None:
    """A launch over a 2-d domain: projections, halos, clipping to nothing, a fixed tile, every way to split the points."""
    matrix, row = tile_type("f64", 2), tile_type("f64", 1)
    inner = f"""%a = memref.load %x[%i, %j] : {matrix}
      %v = memref.load %r[%j] : {row}
      %t = arith.addf %a, %v : f64
      memref.store %t, %z[%i, %j] : {matrix}"""
    body = f"%n = memref.dim %z, %c0 : {matrix}\n%m = memref.dim %z, %c1 : {matrix}"
    body += loop("%i", "%n", loop("%j", "%m", inner, vector=True))
    kernel = compiled(function({"x": matrix, "r": row, "z": matrix}, body))
    x, r = np.random.default_rng(3).random((70, 50)), np.arange(50.0)
    domain = (4, 3)

    def tiles(array: np.ndarray) -> tuple[TileDimension, ...]:
        s0, s1 = array.strides
        return (TileDimension(0, 20, 0, 20, 70, s0), TileDimension(1, 30, 0, 30, 50, s1))

    for split in (1, 5, 12):
        z = np.full((70, 50), np.nan)
        layout = encode_layout(
            domain,
            [
                ArgumentLayout(tiles(x)),
                ArgumentLayout((TileDimension(1, 30, 0, 30, 50, 8),)),
                ArgumentLayout(tiles(z)),
            ],
        )
        bases = [array.ctypes.data for array in (x, r, z)]
        for begin in range(0, point_count(domain), split):
            kernel.call(begin, min(begin + split, 12), bases, layout)
        assert np.array_equal(z, x + r)


def test_tiles_before_and_after_the_array_are_empty() -> None:
    kernel = compiled(AXPY)
    x, y = np.arange(10.0), np.ones(10)
    for addend, tile in [(-5, 5), (-5, 7), (10, 3), (8, 9), (-3, 100), (2**61, 4), (-(2**61), 2**62)]:
        z = np.full(10, np.nan)
        dimension = TileDimension(-1, 0, addend, tile, 10, 8)
        arguments = [ArgumentLayout((dimension,))] * 3
        kernel.call(0, 1, [x.ctypes.data, y.ctypes.data, z.ctypes.data], encode_layout((), arguments))
        low, count = dimension.interval(())
        expected = np.full(10, np.nan)
        expected[low : low + count] = x[low : low + count] + 1
        assert np.array_equal(z, expected, equal_nan=True), (addend, tile)


def test_each_point_writes_its_own_partial() -> None:
    """A ``reduce`` argument: the partial of point p is at ``base + p * partial_stride``, without the tile's offset."""
    tile = tile_type("f64", 1)
    body = f"%n = memref.dim %z, %c0 : {tile}"
    body += loop("%i", "%n", f"%e = memref.load %x[%i] : {tile}\nmemref.store %e, %z[%i] : {tile}", vector=True)
    kernel = compiled(function({"x": tile, "z": tile}, body))
    x = np.arange(23.0)
    partials = np.full((3, 10), np.nan)
    whole = TileDimension(0, 10, 0, 10, 23, 8)
    layout = encode_layout((3,), [ArgumentLayout((whole,)), ArgumentLayout((whole,), partial_stride=80)])
    kernel.call(1, 3, [x.ctypes.data, partials.ctypes.data], layout)
    assert np.isnan(partials[0]).all()
    assert np.array_equal(partials[1], x[10:20])
    assert np.array_equal(partials[2, :3], x[20:])
    assert np.isnan(partials[2, 3:]).all()


def test_scalars_of_every_type() -> None:
    types = list(DTYPES)
    values = {"i1": True, "i8": -3, "i16": -300, "i32": 2**32 - 5, "i64": -(2**40), "f32": 0.1, "f64": -0.0}
    point = {f"o{t}": tile_type(t, 0) for t in types}
    body = "\n".join(f"memref.store %{t}, %o{t}[] : {tile_type(t, 0)}" for t in types)
    kernel = compiled(function(point | {t: t for t in types}, body))
    outputs = [np.zeros((), DTYPES[t]) for t in types]
    run(kernel, *outputs, scalars=[(t, values[t]) for t in types])
    assert [output.item() for output in outputs[:5]] == [True, -3, -300, -5, -(2**40)]
    assert outputs[5] == np.float32(0.1)
    assert np.signbit(outputs[6])


def _scratch(sizes: str, kind: str) -> str:
    tile = tile_type("f64", 1)
    first = f"%v = memref.load %x[%i] : {tile}\nmemref.store %v, %s[%i, %c0] : {kind}"
    second = f"%v = memref.load %s[%i, %c0] : {kind}\nmemref.store %v, %x[%i] : {tile}"
    body = f"""%n = memref.dim %x, %c0 : {tile}
      %s = memref.alloc({sizes}) : {kind}
      {loop("%i", "%n", first, vector=True)}
      {loop("%i", "%n", second, vector=True).replace("%v", "%w")}
      memref.dealloc %s : {kind}"""
    return (
        function({"x": tile, "k": "index"}, body)
        .replace("%k: index", "%k: i64")
        .replace("%n = memref", "%m = arith.index_cast %k : i64 to index\n%n = memref", 1)
    )


@pytest.mark.parametrize(("sizes", "kind"), [("%n, %m", "memref<?x?xf64>"), ("%n", "memref<?x3xf64>")])
def test_scratch_tiles(sizes: str, kind: str) -> None:
    kernel = compiled(_scratch(sizes, kind))
    for n in (0, 1, 1000):
        x = np.arange(float(n))
        run(kernel, x, scalars=[("i64", 2)])
        assert np.array_equal(x, np.arange(float(n)))


@pytest.mark.parametrize("extent", [2**45, 2**58, 2**61, 2**62, 2**63 - 1])
def test_scratch_that_cannot_be_had_is_an_error(extent: int) -> None:
    """D2: also where the number of bytes does not fit 64 bits; memory is given back, nothing crashes."""
    kernel = compiled(_scratch("%n, %m", "memref<?x?xf64>"))
    with pytest.raises(OutOfMemoryError):
        run(kernel, np.arange(8.0), scalars=[("i64", extent)])


def test_multiply_and_add_are_not_contracted() -> None:
    """B6: two roundings, as NumPy's, in vectors and in what is left over."""
    kernel = compiled(
        elementwise({"x": "f64", "y": "f64"}, [("arith.mulf %x, %y : f64", "f64")]).replace(
            "memref.store %r0", "%sum = arith.addf %r0, %xe : f64\nmemref.store %sum"
        )
    )
    x, y = np.random.default_rng(4).standard_normal((2, 1003))
    z = np.zeros(1003)
    run(kernel, x, y, z)
    assert np.array_equal(z, x * y + x)


def test_equal_kernels_give_equal_code() -> None:
    first, second = compiled(AXPY), compiled(AXPY)
    assert (first.symbol, first.llvm_ir, first.object_code) == (second.symbol, second.llvm_ir, second.object_code)


def test_abi_helpers() -> None:
    assert point_count(()) == 1
    assert [point_coordinates(p, (2, 3)) for p in (0, 2, 5)] == [(0, 0), (0, 2), (1, 2)]
    assert encode_layout((), [ArgumentLayout((whole_dimension(4, 8),), 32)]) == [1, 1, 1, -1, 0, 0, 4, 4, 8, 32]
    assert pack_scalar("i8", 200) == pack_scalar("i8", -56)
    assert pack_scalars([("i1", True), ("f32", 1e300)]) == b"\1" + bytes(7) + np.float32(np.inf).tobytes() + bytes(4)
    with pytest.raises(DTypeError):
        pack_scalar("f16", 1.0)
    with pytest.raises(UsageError):
        encode_layout((3,), [ArgumentLayout((TileDimension(1, 1, 0, 1, 1, 8),))])


def _loop_over(text: str, bounds: str = "%c0, %n, %c1") -> str:
    tile = tile_type("f64", 1)
    body = f"%n = memref.dim %x, %c0 : {tile}\n%d = arith.addi %n, %n : index" + loop("%i", "%n", text, vector=True)
    return function({"x": tile}, body).replace("%c0, %n, %c1)", f"{bounds})")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (_loop_over("", "%c1, %n, %c1"), "one induction variable from 0 by 1"),
        (_loop_over("", "%c0, %n, %n"), "one induction variable from 0 by 1"),
        (_loop_over(loop("%j", "%n", "", vector=True)), "a vector loop within a vector loop"),
        (
            _loop_over(
                f"%z = arith.constant 0.0 : f64\nmemref.store %z, %x[%d] : {tile_type('f64', 1)}",
            ),
            "all its iterations make to one element",
        ),
        (
            _loop_over(f"%j = arith.addi %i, %c1 : index\n%v = memref.load %x[%j] : {tile_type('f64', 1)}"),
            "an index is an induction variable",
        ),
        (
            "func.func @k(%x: memref<?xf64>) -> index {\n%n = arith.constant 1 : index\nfunc.return %n : index\n}",
            "returns",
        ),
    ],
)
def test_what_the_contract_does_not_have_is_refused(text: str, message: str) -> None:
    with pytest.raises(UnsupportedError, match=message):
        compiled(text)
