"""B6, B7: what LLVM makes of many operations at once has the bits of the same operations one kernel each.

Chains of random operations on special values, constants among the operands, so that every rewrite that LLVM knows gets
its chance: sums with -0, products with -1, conversions there and back, comparisons that look like minimum and maximum.
"""

from __future__ import annotations

import random
from functools import cache

import numpy as np
import pytest
from llvm_kernels import DTYPES, CompiledKernel, compiled, elementwise, function, loop, run, same_bits, tile_type

# Without copysign, which would show the sign of a NaN.
FLOAT_OPS = {
    2: [f"arith.{name}f" for name in ("add", "sub", "mul", "div", "maximum", "minimum", "maxnum", "minnum")],
    1: [
        "arith.negf",
        *(f"math.{name}" for name in ["absf", "sqrt", "floor", "ceil", "trunc", "round", "roundeven", "rsqrt", "exp"]),
    ],
    3: ["math.fma"],
}
INTEGER_OPS = {
    2: [
        *(f"arith.{name}i" for name in ("add", "sub", "mul", "and", "or", "xor", "shl")),
        *(f"arith.{name}{sign}i" for name in ("div", "rem", "ceildiv", "shr", "max", "min") for sign in "su"),
        "arith.floordivsi",
    ],
    1: ["math.absi", "math.ctlz", "math.cttz", "math.ctpop"],
}
COMPARISONS = {
    "f": ("arith.cmpf", ["oeq", "ogt", "oge", "olt", "ole", "one", "ord", "ueq", "ugt", "uge", "ult", "ule", "une"]),
    "i": ("arith.cmpi", ["eq", "ne", "slt", "sle", "sgt", "sge", "ult", "ule", "ugt", "uge"]),
}
CONVERSIONS = [
    ("arith.extf", "f32", "f64"), ("arith.truncf", "f64", "f32"), ("arith.sitofp", "i32", "f64"),
    ("arith.sitofp", "i64", "f32"), ("arith.uitofp", "i32", "f32"), ("arith.uitofp", "i64", "f64"),
    ("arith.fptosi", "f64", "i32"), ("arith.fptosi", "f32", "i64"), ("arith.fptoui", "f64", "i64"),
    ("arith.fptoui", "f32", "i32"), ("arith.extsi", "i32", "i64"), ("arith.extui", "i32", "i64"),
    ("arith.trunci", "i64", "i32"), ("arith.bitcast", "i64", "f64"), ("arith.bitcast", "i32", "f32"),
    ("arith.extui", "i1", "i32"), ("arith.sitofp", "i1", "f64"), ("arith.uitofp", "i1", "f32"),
]  # fmt: skip
FLOATS = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    2.0,
    3.0,
    0.1,
    -1.5,
    np.inf,
    -np.inf,
    np.nan,
    5e-324,
    1e-310,
    1e-45,
    1e-40,
    2.0**31,
]
FLOATS += [2.0**63, 1e38, 3.5e38, 1e308, 0.49999999999999994, 4503599627370497.0, -7.25, 1 / 3]
INTEGERS = [0, 1, -1, 2, 3, 5, -7, 31, 32, 63, 64, 255, 2**31 - 1, -(2**31), 2**32, 2**53 + 1, 2**63 - 1, -(2**63)]


def number_text(number: float, t: str) -> str:
    if t[0] == "i":
        return str(int(np.array(number).astype(DTYPES[t]))) if t != "i1" else ("true" if number else "false")
    width = "u4" if t == "f32" else "u8"
    with np.errstate(over="ignore"):
        return f"0x{np.array(number, DTYPES[t]).view(width).item():0{16 if t == 'f64' else 8}X}"


def random_chain(rng: random.Random, count: int) -> tuple[list[str], list[tuple[str, list[str], str, list[str]]]]:
    """Constants as text, and ``count`` operations: (text with {} for operands, operands, result type, operand types)."""
    types = {name: t for t in ("f64", "f32", "i32", "i64") for name in (f"%x{t}", f"%y{t}")}
    constants: list[str] = []

    def operand(t: str) -> str:
        if t != "i1" and rng.random() < 0.25:
            name = f"%k{len(constants)}"
            number = rng.choice(FLOATS if t[0] == "f" else INTEGERS)
            constants.append(f"{name} = arith.constant {number_text(number, t)} : {t}")
            return name
        known = [name for name, kind in types.items() if kind == t]
        return rng.choice(known[-6:] if rng.random() < 0.8 else known)

    chain: list[tuple[str, list[str], str, list[str]]] = []
    for number in range(count):
        has_flag = "i1" in types.values()
        choice = rng.random()
        t = rng.choice(["f64", "f64", "f32", "i32", "i64"])
        if choice < 0.55:
            table = FLOAT_OPS if t[0] == "f" else INTEGER_OPS
            arity = rng.choice([2, 2, 2, *table])
            name, kinds, result = rng.choice(table[arity]), [t] * arity, t
            text = f"{name} {', '.join(['{}'] * arity)} : {t}"
        elif choice < 0.7:
            name, predicates = COMPARISONS[t[0]]
            text, kinds, result = f"{name} {rng.choice(predicates)}, {{}}, {{}} : {t}", [t, t], "i1"
        elif choice < 0.85 and has_flag:
            text, kinds, result = f"arith.select {{}}, {{}}, {{}} : {t}", ["i1", t, t], t
        else:
            known = [each for each in CONVERSIONS if each[1] != "i1" or has_flag]
            name, source, result = rng.choice(known)
            text, kinds = f"{name} {{}} : {source} to {result}", [source]
        chain.append((text, [operand(kind) for kind in kinds], result, kinds))
        types[f"%v{number}"] = result
    return constants, chain


def fused(
    constants: list[str], chain: list[tuple[str, list[str], str, list[str]]], stored: list[int]
) -> CompiledKernel:
    """One kernel that computes the whole chain and stores some of the values."""
    inputs = {f"{name}{t}": t for t in ("f64", "f32", "i32", "i64") for name in "xy"}
    tiles = {f"t{name}": tile_type(t, 1) for name, t in inputs.items()}
    tiles |= {f"o{n}": tile_type(chain[n][2], 1) for n in stored}
    lines = [f"%{name} = memref.load %t{name}[%i] : {tile_type(t, 1)}" for name, t in inputs.items()]
    for n, (text, operands, _, _) in enumerate(chain):
        lines.append(f"%v{n} = {text.format(*operands)}")
    lines += [f"memref.store %v{n}, %o{n}[%i] : {tile_type(chain[n][2], 1)}" for n in stored]
    body = "\n".join([*constants, f"%n = memref.dim %txf64, %c0 : {tile_type('f64', 1)}"])
    return compiled(function(tiles, body + loop("%i", "%n", "\n".join(lines), vector=True)))


@cache
def single(text: str, result: str, kinds: tuple[str, ...]) -> CompiledKernel:
    """A kernel of one operation; nothing is known about its operands."""
    names = [f"%{letter}" for letter in "pqr"[: len(kinds)]]
    inputs = {name[1:]: kind for name, kind in zip(names, kinds, strict=True)}
    return compiled(elementwise(inputs, [(text.format(*names), result)]))


def special_arrays() -> dict[str, np.ndarray]:
    """All pairs of special numbers, in each type."""
    arrays: dict[str, np.ndarray] = {}
    with np.errstate(all="ignore"):
        for t in ("f64", "f32", "i32", "i64"):
            numbers = np.array(FLOATS if t[0] == "f" else INTEGERS).astype(DTYPES[t])
            indices = np.arange(len(FLOATS) ** 2)
            arrays[f"%x{t}"] = numbers[indices % len(numbers)]
            arrays[f"%y{t}"] = numbers[indices // len(FLOATS) % len(numbers)]
    return arrays


def check_chain(seed: int, count: int) -> None:
    rng = random.Random(seed)
    constants, chain = random_chain(rng, count)
    values = special_arrays()
    length = len(values["%xf64"])
    for line in constants:
        name, number, t = line.replace(" = arith.constant ", "|").replace(" : ", "|").split("|")
        bits = int(number, 16 if number.startswith("0x") else 10)
        width = np.dtype(DTYPES[t]).itemsize
        raw = (bits & ((1 << 8 * width) - 1)).to_bytes(width, "little")
        values[name] = np.full(length, np.frombuffer(raw, DTYPES[t])[0])
    used = {operand for _, operands, _, _ in chain for operand in operands}
    # What is used once and not stored is what LLVM rewrites most.
    stored = [number for number in range(count) if f"%v{number}" not in used or rng.random() < 0.1]
    outputs = {number: np.zeros(length, DTYPES[chain[number][2]]) for number in stored}
    inputs = [values[f"%{name}{t}"] for t in ("f64", "f32", "i32", "i64") for name in "xy"]
    kernel = fused(constants, chain, stored)
    run(kernel, *inputs, *outputs.values())
    strided = {number: np.zeros((length, 2), output.dtype)[:, 1] for number, output in outputs.items()}
    run(kernel, *(np.repeat(value, 3)[::3] for value in inputs), *strided.values())
    for number, output in outputs.items():
        assert same_bits(strided[number], output), (seed, number)
    for number, (text, operands, result, kinds) in enumerate(chain):
        expected = np.zeros(length, DTYPES[result])
        run(single(text, result, tuple(kinds)), *(values[operand] for operand in operands), expected)
        values[f"%v{number}"] = expected
        if number in outputs:
            assert same_bits(outputs[number], expected), (seed, number, text.format(*operands))


@pytest.mark.parametrize("seed", range(6))
def test_chains_have_the_bits_of_single_operations(seed: int) -> None:
    check_chain(seed, 40)
