"""Loop nests that are alike are one function, called for each of them."""

from __future__ import annotations

import re

import numpy as np
from llvm_kernels import compiled, function, kernel_of, loop, run, tile_type

from fuseir.codegen.llvm.alike import alike_nests

ROW, PLANE = tile_type("f64", 1), tile_type("f64", 2)


def scaled(number: int, source: str, target: str, factor: str) -> str:
    """``target = factor * source`` on rows."""
    body = f"""%e{number} = memref.load {source}[%i{number}] : {ROW}
               %p{number} = arith.mulf %e{number}, {factor} : f64
               memref.store %p{number}, {target}[%i{number}] : {ROW}"""
    return f"%n{number} = memref.dim {target}, %c0 : {ROW}" + loop(f"%i{number}", f"%n{number}", body, vector=True)


def nests(text: str) -> int:
    found = compiled(text).llvm_ir
    assert found is not None
    return len(re.findall(r"define internal i32 @fz_nest_", found))


def test_nests_on_other_tiles_and_scalars_are_alike_and_other_constants_are_not() -> None:
    parameters = dict.fromkeys(("x", "y", "u", "v", "w"), ROW) | {"a": "f64", "b": "f64"}
    body = "%half = arith.constant 0.5 : f64\n%more = arith.constant 2.5 : f64\n"
    body += scaled(1, "%x", "%u", "%a") + scaled(2, "%y", "%v", "%b") + scaled(3, "%x", "%w", "%a")
    text = function(parameters, body)
    assert nests(text) == 1
    x, y = np.arange(100.0), np.linspace(-1.0, 1.0, 50)[::-1]
    u, v, w = np.zeros(100), np.zeros(100)[::2], np.zeros(100)
    run(compiled(text), x, y, u, v, w, scalars=[("f64", 3.0), ("f64", -0.1)])
    assert np.array_equal(u, 3.0 * x)
    assert np.array_equal(v, -0.1 * y)
    assert np.array_equal(w, u)
    alone = function(parameters, body + scaled(4, "%x", "%w", "%half") + scaled(5, "%x", "%w", "%more"))
    calls = alike_nests(kernel_of(alone).body.block.ops)
    assert [len(call.arguments) for call in calls.values()] == [3, 3, 3]
    assert len({call.kernel for call in calls.values()}) == 1


def test_nests_with_truth_values_and_scratch_tiles() -> None:
    """Scalars of a bit are bytes in memory, and a scratch tile is a tile like others."""
    body = "%n = memref.dim %x, %c0 : " + ROW
    body += "%s = memref.alloc(%n) : memref<?xf64>\n"
    for k, (target, kind) in enumerate((("%s", "memref<?xf64>"), ("%t", "memref<?xf64>"))):
        if k:
            body += "%t = memref.alloc(%n) : memref<?xf64>\n"
        body += loop(
            f"%i{k}",
            "%n",
            f"""%e{k} = memref.load %x[%i{k}] : {ROW}
                %c{k + 2} = arith.negf %e{k} : f64
                %p{k} = arith.select {"%a" if k else "%b"}, %e{k}, %c{k + 2} : f64
                memref.store %p{k}, {target}[%i{k}] : {kind}""",
            vector=True,
        )
    body += loop(
        "%j",
        "%n",
        f"""%g = memref.load %s[%j] : memref<?xf64>
            %h = memref.load %t[%j] : memref<?xf64>
            %d = arith.divf %g, %h : f64
            memref.store %d, %z[%j] : {ROW}""",
        vector=True,
    )
    body += "memref.dealloc %s : memref<?xf64>\nmemref.dealloc %t : memref<?xf64>\n"
    text = function({"x": ROW, "z": ROW, "a": "i1", "b": "i1"}, body)
    assert nests(text) == 1
    x, z = np.arange(1.0, 301.0), np.zeros(300)
    run(compiled(text), x, z, scalars=[("i1", True), ("i1", False)])
    assert np.array_equal(z, np.full(300, -1.0))


def test_a_nest_of_its_kind_alone_stays_in_place() -> None:
    body = "%half = arith.constant 0.5 : f64\n" + scaled(1, "%x", "%u", "%a") + scaled(2, "%x", "%v", "%half")
    assert nests(function({"x": ROW, "u": ROW, "v": ROW, "a": "f64"}, body)) == 0


def test_shapes_may_differ() -> None:
    """The order of dimensions is decided for each nest, when it runs."""
    body = ""
    for k, (source, target) in enumerate((("%x", "%u"), ("%y", "%v"))):
        inner = f"""%e{k} = memref.load {source}[%i{k}, %j{k}] : {PLANE}
                    %p{k} = arith.addf %e{k}, %e{k} : f64
                    memref.store %p{k}, {target}[%i{k}, %j{k}] : {PLANE}"""
        body += f"%m{k} = memref.dim {target}, %c0 : {PLANE}\n%n{k} = memref.dim {target}, %c1 : {PLANE}\n"
        body += loop(f"%i{k}", f"%m{k}", loop(f"%j{k}", f"%n{k}", inner, vector=True))
    text = function(dict.fromkeys(("x", "y", "u", "v"), PLANE), body)
    assert nests(text) == 1
    x, y = np.arange(12.0).reshape(3, 4), np.arange(35.0).reshape(7, 5).T
    u, v = np.zeros((3, 4)), np.zeros((7, 5)).T
    run(compiled(text), x, y, u, v)
    assert np.array_equal(u, 2 * x)
    assert np.array_equal(v, 2 * y)
