"""The reduction tree against a literal reading of docs/kernels.md §2, one Python object at a time."""

from __future__ import annotations

import numpy as np
import pytest

from fuseir.errors import DTypeError, UnsupportedError
from fuseir.runtime.reduction_tree import OPERATORS, combine, identity, tree_reduce

FLOATS = ["float32", "float64"]
INTEGERS = [f"{sign}int{width}" for sign in ("", "u") for width in (8, 16, 32, 64)]
CASES = (
    [(op, dtype) for dtype in FLOATS for op in ("add", "mul", "min", "max")]
    + [(op, dtype) for dtype in INTEGERS for op in OPERATORS]
    + [(op, "bool") for op in OPERATORS if op != "add"]
)
LENGTHS = (0, 1, 2, 3, 5, 31, 32, 33, 64, 65, 1023, 1024, 1025, 2048, 2049, 3072, 5000)


def scalar_combine(operator, a, b):
    """⊕ on two NumPy scalars, with no vector code."""
    kind = a.dtype.kind
    if operator in ("min", "max"):
        if kind == "f":
            if np.isnan(a) or np.isnan(b):
                return a.dtype.type(np.nan)
            if a == 0 and b == 0:
                wanted = np.signbit(a) or np.signbit(b) if operator == "min" else np.signbit(a) and np.signbit(b)
                return a.dtype.type(-0.0 if wanted else 0.0)
        return min(a, b) if operator == "min" else max(a, b)
    if kind == "f":
        with np.errstate(all="ignore"):
            return a + b if operator == "add" else a * b
    x, y = int(a), int(b)
    exact = {"add": x + y, "mul": x * y, "and": x & y, "or": x | y, "xor": x ^ y}[operator]
    if kind == "b":
        return np.bool_(exact)
    width = 8 * a.dtype.itemsize
    exact &= 2**width - 1
    return a.dtype.type(exact - 2**width if kind == "i" and exact >= 2 ** (width - 1) else exact)


def literal_tree(operator, values):
    neutral = identity(operator, values.dtype)
    if len(values) == 0:
        return neutral
    padded = list(values) + [neutral] * (-len(values) % 1024)
    blocks = []
    for b in range(len(padded) // 1024):
        lanes = []
        for lane in range(32):
            accumulated = padded[b * 1024 + lane]
            for step in range(1, 32):
                accumulated = scalar_combine(operator, accumulated, padded[b * 1024 + step * 32 + lane])
            lanes.append(accumulated)
        blocks.append(lanes)
    while len(blocks) > 1:
        level = []
        for first, second in zip(blocks[::2], blocks[1::2], strict=False):
            level.append([scalar_combine(operator, x, y) for x, y in zip(first, second, strict=True)])
        if len(blocks) % 2:
            level.append(blocks[-1])
        blocks = level
    lanes = blocks[0]
    while len(lanes) > 1:
        half = len(lanes) // 2
        lanes = [scalar_combine(operator, lanes[i], lanes[i + half]) for i in range(half)]
    return lanes[0]


def sample(dtype, n, seed=0):
    rng = np.random.default_rng([seed, n])
    dtype = np.dtype(dtype)
    if dtype.kind == "f":
        return (rng.standard_normal(n) * 10.0 ** rng.integers(-3, 4, n)).astype(dtype)
    if dtype.kind == "b":
        return rng.integers(0, 2, n).astype(bool)
    limits = np.iinfo(dtype)
    return rng.integers(limits.min, limits.max, n, dtype=dtype, endpoint=True)


def same_bits(a, b):
    a, b = np.asarray(a), np.asarray(b)
    assert a.dtype == b.dtype
    if a.dtype.kind == "f":
        nan = np.isnan(a) & np.isnan(b)
        a, b = np.where(nan, 0, a), np.where(nan, 0, b)
    return a.shape == b.shape and a.tobytes() == b.tobytes()


@pytest.mark.parametrize(("operator", "dtype"), CASES)
def test_the_literal_tree(operator, dtype):
    for n in LENGTHS if (operator, dtype) in (("add", "float32"), ("min", "int8")) else (0, 1, 3, 33, 1025):
        values = sample(dtype, n)
        assert same_bits(tree_reduce(operator, values, 0), literal_tree(operator, values)), n


@pytest.mark.parametrize("n", [1, 2, 7, 40, 1100, 2100])
@pytest.mark.parametrize("operator", ["add", "mul", "min", "max"])
@pytest.mark.parametrize("dtype", FLOATS)
def test_special_floats(dtype, operator, n):
    specials = np.array([0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, np.finfo(dtype).max, 5e-324], dtype)
    for pool in (specials, specials[:2], specials[1:2], specials[:6]):
        values = np.random.default_rng(n).choice(pool, n)
        assert same_bits(tree_reduce(operator, values, 0), literal_tree(operator, values))


def test_order_shows():
    values = sample("float32", 5000)
    assert tree_reduce("add", values, 0) != np.float32(sum(values.tolist()))
    assert tree_reduce("add", values, 0) != tree_reduce("add", values[::-1], 0)


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2])
@pytest.mark.parametrize("shape", [(3, 4, 5), (70, 2, 3), (2, 0, 3), (0, 2, 3), (1, 70, 2)])
def test_along_an_axis_of_many(shape, axis):
    values = sample("float64", int(np.prod(shape))).reshape(shape)
    rows = np.moveaxis(values, axis, -1)
    expected = np.empty(rows.shape[:-1])
    for index in np.ndindex(expected.shape):
        expected[index] = literal_tree("add", rows[index])
    assert same_bits(tree_reduce("add", values, axis), expected)


def test_strided_and_read_only_input():
    values = sample("float32", 4000)[::-2]
    values.flags.writeable = False
    assert same_bits(tree_reduce("add", values, 0), tree_reduce("add", values.copy(), 0))


@pytest.mark.parametrize(("operator", "dtype"), CASES)
def test_identity_changes_nothing(operator, dtype):
    values = np.concatenate([sample(dtype, 50), np.array([0, 1], dtype)])
    if np.dtype(dtype).kind == "f":
        values = np.concatenate([values, np.array([-0.0, np.inf, -np.inf, np.nan], dtype)])
    neutral = np.full_like(values, identity(operator, dtype))
    assert same_bits(combine(operator, values, neutral), values)
    assert same_bits(combine(operator, neutral, values), values)


def test_identities_to_the_bit():
    assert np.signbit(identity("add", "float64"))
    assert identity("min", "uint8") == 255
    assert identity("max", "int8") == -128
    assert identity("and", "uint16") == 65535
    assert identity("and", "bool") == np.True_
    assert identity("min", "bool") == np.True_
    assert identity("max", "bool") == np.False_
    assert np.signbit(tree_reduce("add", np.empty(0, np.float32), 0))


@pytest.mark.parametrize(("operator", "expected"), [("min", True), ("max", False)])
def test_negative_zero_is_below_zero(operator, expected):
    for pair in ([0.0, -0.0], [-0.0, 0.0]):
        assert np.signbit(tree_reduce(operator, np.array(pair), 0)) == expected


def test_refusals():
    with pytest.raises(UnsupportedError, match="'sub' is no reduction operator"):
        tree_reduce("sub", np.zeros(2), 0)
    with pytest.raises(DTypeError, match="'add' does not exist on booleans"):
        tree_reduce("add", np.zeros(2, bool), 0)
    with pytest.raises(DTypeError, match="'and' does not reduce elements of type float32"):
        identity("and", "float32")
    with pytest.raises(DTypeError, match="complex128"):
        tree_reduce("add", np.zeros(2, complex), 0)
    with pytest.raises(DTypeError, match="one type is needed"):
        combine("add", np.zeros(2), np.zeros(2, "float32"))


def test_needs_no_xdsl():
    import subprocess
    import sys

    code = "import sys, fuseir.runtime.reduction_tree; assert not any(m.startswith('xdsl') for m in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
