"""Lowered kernels as text, compiled and called on NumPy arrays: what the tests of the LLVM code generator share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from xdsl.context import Context
from xdsl.dialects import arith, builtin, func, math, memref, scf
from xdsl.parser import Parser

from fuseir.codegen.abi import ArgumentLayout, encode_layout, pack_scalars, whole_dimension
from fuseir.codegen.llvm.compile import compile_kernel
from fuseir.codegen.llvm.compiled import CompiledKernel
from fuseir.dialects.ufunc import UFUNC

DTYPES = {
    "i1": np.bool_,
    "i8": np.int8,
    "i16": np.int16,
    "i32": np.int32,
    "i64": np.int64,
    "f32": np.float32,
    "f64": np.float64,
}


def parse(text: str) -> builtin.ModuleOp:
    context = Context()
    for dialect in (builtin.Builtin, func.Func, arith.Arith, math.Math, memref.MemRef, scf.Scf, UFUNC):
        context.load_dialect(dialect)
    module = Parser(context, text).parse_module()
    module.verify()
    return module


def kernel_of(text: str) -> func.FuncOp:
    kernel = next(iter(parse(text).body.block.ops))
    assert isinstance(kernel, func.FuncOp)
    return kernel


def compiled(text: str) -> CompiledKernel:
    return compile_kernel(kernel_of(text))


def tile_type(element: str, rank: int) -> str:
    strides = ", ".join("?" * rank)
    return f"memref<{'?x' * rank}{element}, strided<[{strides}], offset: ?>>"


def loop(variable: str, bound: str, body: str, *, vector: bool = False) -> str:
    return f"""
      "scf.parallel"(%c0, {bound}, %c1) <{{operandSegmentSizes = array<i32: 1, 1, 1, 0>}}> ({{
      ^bb0({variable}: index):
        {body}
        scf.reduce
      }}) {{{"vector" if vector else ""}}} : (index, index, index) -> ()"""


def reduction(
    results: str,
    variable: str,
    bound: str,
    body: str,
    folds: Sequence[tuple[str, str, str, str]],
    *,
    vector: bool = False,
) -> str:
    """A reducing loop; ``folds`` are (value, combiner, element type, SSA name of the identity)."""
    regions = ", ".join(
        f"{{\n^bb0(%p: {t}, %q: {t}):\n%u = {combiner} %p, %q : {t}\nscf.reduce.return %u : {t}\n}}"
        for _, combiner, t, _ in folds
    )
    values, types = ", ".join(f[0] for f in folds), ", ".join(f[2] for f in folds)
    identities = ", ".join(f[3] for f in folds)
    return f"""
      {results} = "scf.parallel"(%c0, {bound}, %c1, {identities})
          <{{operandSegmentSizes = array<i32: 1, 1, 1, {len(folds)}>}}> ({{
      ^bb0({variable}: index):
        {body}
        "scf.reduce"({values}) ({regions}) : ({types}) -> ()
      }}) {{{"vector" if vector else ""}}} : (index, index, index, {types}) -> ({types})"""


def function(parameters: dict[str, str], body: str, name: str = "kernel") -> str:
    """A kernel with ``%c0`` and ``%c1`` defined; ``parameters`` are name to type."""
    listed = ", ".join(f"%{parameter}: {kind}" for parameter, kind in parameters.items())
    return f"""func.func @{name}({listed}) {{
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      {body}
      func.return
    }}"""


def elementwise(inputs: dict[str, str], expressions: Sequence[tuple[str, str]], *, rank: int = 1) -> str:
    """A kernel that computes many expressions of its inputs: (operation text, result type) each, to outputs in order.

    Rank 1 is a vector loop over all elements, rank 0 scalar code.
    """
    parameters = {name: tile_type(element, rank) for name, element in inputs.items()}
    parameters |= {f"o{i}": tile_type(element, rank) for i, (_, element) in enumerate(expressions)}
    at = "%i" if rank else ""
    lines = [f"%{name}e = memref.load %{name}[{at}] : {tile_type(t, rank)}" for name, t in inputs.items()]
    for i, (text, element) in enumerate(expressions):
        for name in inputs:
            text = text.replace(f"%{name}", f"%{name}e")
        lines.append(f"%r{i} = {text}")
        lines.append(f"memref.store %r{i}, %o{i}[{at}] : {tile_type(element, rank)}")
    body = "\n".join(lines)
    if rank:
        first, kind = next(iter(parameters.items()))
        body = f"%n = memref.dim %{first}, %c0 : {kind}" + loop("%i", "%n", body, vector=True)
    return function(parameters, body)


def layout_of(*arrays: np.ndarray) -> list[int]:
    dimensions = [tuple(map(whole_dimension, array.shape, array.strides)) for array in arrays]
    return encode_layout((), [ArgumentLayout(each) for each in dimensions])


def run(kernel: CompiledKernel, *arrays: np.ndarray, scalars: Sequence[tuple[str, float]] = ()) -> None:
    """Call a kernel for one point that sees the arrays in full."""
    kernel.call(0, 1, [array.ctypes.data for array in arrays], layout_of(*arrays), pack_scalars(scalars))


def same_bits(actual: np.ndarray, expected: np.ndarray) -> bool:
    """Equal to the bit, NaN payloads and signs apart."""
    assert actual.dtype == expected.dtype, (actual.dtype, expected.dtype)
    if actual.dtype.kind != "f":
        return np.array_equal(actual, expected)
    nans = np.isnan(actual) & np.isnan(expected)
    return bool(np.all(nans | ((actual == expected) & (np.signbit(actual) == np.signbit(expected)))))


def fold_tree(values: np.ndarray, combine: np.ufunc, identity: float) -> np.ndarray:
    """The tree ``T`` along axis 0, step by step as the contract describes it."""
    count = values.shape[0]
    if count == 0:
        return np.full(values.shape[1:], identity, values.dtype)
    blocks = -(-count // 1024)
    padded = np.full((blocks * 1024, *values.shape[1:]), identity, values.dtype)
    padded[:count] = values
    steps = padded.reshape(blocks, 32, 32, *values.shape[1:])
    partial = steps[:, 0]
    for step in range(1, 32):
        partial = combine(partial, steps[:, step])
    level = list(partial)
    while len(level) > 1:
        pairs = [combine(a, b) for a, b in zip(level[::2], level[1::2], strict=False)]
        level = pairs + ([level[-1]] if len(level) % 2 else [])
    lanes = level[0]
    while len(lanes) > 1:
        half = len(lanes) // 2
        lanes = combine(lanes[:half], lanes[half:])
    return lanes[0]
