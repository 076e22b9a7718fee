"""The kernels that tasks become: one loop where possible, reductions, ranks, scalars, generators."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Mapping

import numpy as np
import pytest
from lang_kernels import run
from xdsl.builder import Builder
from xdsl.context import Context
from xdsl.dialects import arith, builtin, func, linalg, math, tensor
from xdsl.dialects.linalg.ops import FillOp, GenericOp
from xdsl.ir import SSAValue
from xdsl.parser import Parser
from xdsl.printer import Printer

from fuseir.dialects.ufunc import UFUNC
from fuseir.errors import UsageError, VerifyError
from fuseir.lang import KernelParameter, parse_tasks, task

AXPY = "task axpy(a: scalar, x: read, y: read_write) { y = a * x + y }"


def loops(text: str, *arguments: tuple[str, int]) -> list[GenericOp]:
    function = task(text).instantiate("k", arguments).function
    return [op for op in function.body.block.ops if isinstance(op, GenericOp)]


def test_a_kernel_as_the_contract_shows_it() -> None:
    instance = task(AXPY).instantiate("axpy_0", [("f8", 1), ("f8", 1)], ["f8"])
    assert str(instance.function) == (
        """func.func @axpy_0(%x: tensor<?xf64>, %y: tensor<?xf64>, %a: f64) -> tensor<?xf64> {
  %0 = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} ins(%x : tensor<?xf64>) outs(%y : tensor<?xf64>) {
  ^bb0(%1: f64, %2: f64):
    %3 = arith.mulf %a, %1 : f64
    %4 = arith.addf %3, %2 : f64
    linalg.yield %4 : f64
  } -> tensor<?xf64>
  func.return %0 : tensor<?xf64>
}"""  # noqa: E501
    )
    assert instance.symbol_name == "axpy_0"
    assert instance.argument_types == ((np.dtype("f8"), 1), (np.dtype("f8"), 1))
    assert instance.scalar_types == (np.dtype("f8"),)


def test_a_definition_tells_its_signature() -> None:
    first, second = parse_tasks(f"{AXPY}\ntask total(x: read, s: reduce<add>, w: write) {{ s += x; w = x }}", "a.task")
    assert (first.name, first.parameters, first.scalars) == ("axpy", ("a", "x", "y"), ("a",))
    assert [str(argument) for argument in first.arguments] == ["read", "read_write"]
    assert [(a.name, a.privilege, a.operator) for a in second.arguments] == [
        ("x", "read", None),
        ("s", "reduce", "add"),
        ("w", "write", None),
    ]
    assert str(second.location) == "a.task:2:6"


def test_statements_need_no_separators_and_may_have_them() -> None:
    bodies = [
        "let d = u - v  w = d * d",
        "let d = u - v; w = d * d;",
        "let d =\n u -\n v # difference\n w = d\n * d",
        ";",
    ]
    for body in bodies[:3]:
        (got,) = run(
            f"task f(u: read, v: read, w: write) {{ {body} }}", [np.array([3.0]), np.array([1.0]), np.zeros(1)]
        )
        assert got == [4.0]


def test_names_may_shadow_functions_and_constants() -> None:
    (got,) = run("task f(e: read, sum: write) { let pi = 2 * e  sum = pi + e }", [np.array([3.0]), np.zeros(1)])
    assert got == [9.0]


def test_assigned_arguments_have_their_new_value_converted() -> None:
    x = np.array([1 / 3])
    single, double = run("task f(x: read, y: write, z: write) { y = x; z = y }", [x, np.zeros(1, "f4"), np.zeros(1)])
    assert double == single.astype("f8") != x


def test_compound_assignment() -> None:
    text = "task f(x: read, y: read_write, z: write) { y += x  y *= 2  z = y  z -= 1 }"
    y, z = run(text, [np.array([1.0]), np.array([2.0]), np.zeros(1)])
    assert (y, z) == ([6.0], [5.0])


def test_all_outputs_and_reductions_over_one_space_are_one_loop() -> None:
    text = "task f(x: read, y: read, w: write, t: read_write, s: reduce<add>, m: reduce<max>) "
    text += "{ w = x + y  t = w * t  s += w  m = max(t) }"
    (loop,) = loops(text, ("f8", 2), ("f8", 1), ("f8", 2), ("f8", 2), ("f8", 0), ("f8", 0))
    assert [str(m.data) for m in loop.indexing_maps.data] == [
        "(d0, d1) -> (d0, d1)",
        "(d0, d1) -> (d1)",
        *["(d0, d1) -> (d0, d1)"] * 2,
        *["(d0, d1) -> ()"] * 2,
    ]


def test_reductions_over_different_axes_are_loops_of_their_own() -> None:
    text = (
        "task f(x: read, rows: reduce<add>, columns: reduce<add>) { rows = sum(x, axis=1)  columns = sum(x, axis=0) }"
    )
    assert len(loops(text, ("f8", 2), ("f8", 1), ("f8", 1))) == 2
    x = np.arange(6.0).reshape(2, 3)
    rows, columns = run(text, [x, np.zeros(2), np.zeros(3)])
    assert (rows == x.sum(1)).all()
    assert (columns == x.sum(0)).all()


def test_later_loops_see_old_and_new_values() -> None:
    text = "task f(y: read_write, a: reduce<add>, b: reduce<add>) { a = sum(y, axis=0)  y = 2 * y  b = sum(y, axis=1) }"
    y = np.arange(6.0).reshape(2, 3)
    new, a, b = run(text, [y, np.zeros(3), np.zeros(2)])
    assert (new == 2 * y).all()
    assert (a == y.sum(0)).all()
    assert (b == 2 * y.sum(1)).all()


@pytest.mark.parametrize(
    ("operator", "statement", "dtype", "expected"),
    [
        ("add", "s += x", "i4", 6),
        ("add", "s = sum(x)", "f8", 6),
        ("mul", "s *= x", "i8", 6),
        ("mul", "s = prod(x)", "f4", 6),
        ("min", "s = min(x)", "u1", 1),
        ("max", "s = max(x)", "i2", 3),
        ("and", "s = all(x > 1)", "?", False),
        ("or", "s = any(x > 2)", "?", True),
        ("or", "s |= x", "i4", 3),
        ("and", "s = bit_and(x)", "u8", 0),
        ("xor", "s ^= x", "i4", 0),
        ("add", "s = sum(x > 1)", "i8", 2),
        ("max", "s = max(x > 2)", "?", True),
    ],
)
def test_reductions(operator: str, statement: str, dtype: str, expected: float) -> None:
    identity = {"add": 0, "mul": 1, "min": 255, "max": 0, "and": np.array(-1).astype(dtype), "or": 0, "xor": 0}[
        operator
    ]
    element = dtype if dtype != "?" and ">" not in statement else "i4"
    x = np.array([1, 2, 3], element)
    (got,) = run(f"task f(x: read, s: reduce<{operator}>) {{ {statement} }}", [x, np.array(identity, dtype)])
    assert got == expected
    assert got.dtype == dtype


def test_reductions_over_some_axes_keep_the_others_in_order() -> None:
    x = np.arange(24.0).reshape(2, 3, 4)
    for axis in [0, 1, -1, (0, 2), (-1, 1)]:
        expected = x.sum(axis)
        (got,) = run(f"task f(x: read, s: reduce<add>) {{ s = sum(x, axis={axis}) }}", [x, np.zeros(expected.shape)])
        assert (got == expected).all()


def test_a_reduction_that_keeps_all_dimensions_folds_only_across_points() -> None:
    (loop,) = loops("task f(x: read, s: reduce<add>) { s += x }", ("f8", 2), ("f8", 2))
    assert [iterator.data.value for iterator in loop.iterator_types.data] == ["parallel"] * 2


def test_a_reduction_into_a_write_argument_starts_from_the_identity() -> None:
    text = "task f(x: read, s: write, low: write, n: write) { s = sum(x)  low = min(x)  n = sum(1) }"
    function = task(text).instantiate("k", [("f8", 2), ("f8", 0), ("f8", 0), ("i8", 0)]).function
    assert sum(isinstance(op, FillOp) for op in function.body.block.ops) == 3
    x = np.arange(6.0).reshape(2, 3) + 1
    s, low, n = run(text, [x, np.array(99.0), np.array(99.0), np.array(99)])
    assert (s, low, n) == (21.0, 1.0, 6)


def test_lower_ranks_and_scalars_broadcast() -> None:
    text = "task f(a: scalar, x: read, row: read, point: read, y: write) { y = x * row + point * a }"
    x, row, point = np.arange(6.0).reshape(2, 3), np.array([1.0, 10.0, 100.0]), np.array(0.5)
    (got,) = run(text, [x, row, point, np.zeros((2, 3))], [np.float64(4)])
    assert (got == x * row + point * 4).all()


def test_rank_0_throughout() -> None:
    (y, s) = run(
        "task f(x: read, y: write, s: reduce<add>) { y = -x  s += x }", [np.array(2.0), np.zeros(()), np.zeros(())]
    )
    assert (y, s) == (-2.0, 2.0)


def test_unused_arguments_are_not_read_but_may_give_the_extents() -> None:
    (loop,) = loops("task f(x: read, z: read, y: write) { y = x }", ("f8", 1), ("f8", 1), ("f8", 1))
    assert len(loop.inputs) == 1
    (loop,) = loops("task count(x: read, s: reduce<add>) { s += 1 }", ("f8", 1), ("i8", 0))
    assert len(loop.inputs) == 1


def test_unused_computations_are_dropped() -> None:
    (loop,) = loops("task f(x: read, y: write) { let t = sin(x)  y = t  y = x }", ("f8", 1), ("f8", 1))
    assert [op.name for op in loop.body.block.ops] == ["linalg.yield"]


def test_weak_scalars_are_passed_wide_and_computed_narrow() -> None:
    instance = task(AXPY).instantiate("k", [("f4", 1), ("f4", 1)], [float])
    assert instance.scalar_types == (np.dtype("f8"),)
    x = np.array([0.1, 0.7], "f4")
    (got,) = run(AXPY, [x, x], [0.3])
    assert (got == 0.3 * x + x).all()


def test_special_constants_survive_printing() -> None:
    text = "task f(x: read, y: write, z: write) { y = select(x > inf, nan, -0.0 * 1)  z = f32(1e-40) + 0.1 }"
    function = task(text).instantiate("k", [("f8", 1), ("f4", 1), ("f4", 1)]).function
    context = Context()
    for dialect in (builtin.Builtin, func.Func, linalg.Linalg, arith.Arith, math.Math, tensor.Tensor, UFUNC):
        context.load_dialect(dialect)
    # The generic form: xDSL cannot parse its own short form of a linalg.generic with several results.
    printed = io.StringIO()
    Printer(printed, print_generic_format=True).print_op(function)
    parsed = Parser(context, printed.getvalue()).parse_module()
    assert str(next(iter(parsed.body.block.ops))) == str(function)


def doubled(builder: Builder, parameters: Mapping[str, KernelParameter]) -> list[SSAValue]:
    x, y = parameters["x"], parameters["y"]
    assert (x.rank, x.dtype, parameters["a"].rank) == (1, np.dtype("u4"), None)
    definition = task("task f(x: read, y: write) { y = x + x }").instantiate("k", [(x.dtype, 1), (y.dtype, 1)])
    block = definition.function.body.block
    mapping = dict(zip(block.args, (x.value, y.value), strict=True))
    for op in list(block.ops)[:-1]:
        builder.insert(copy := op.clone(mapping))
    return list(copy.results)


SIGNATURE = "task twice(a: scalar, x: read, y: write)"


def test_a_generator_builds_the_body() -> None:
    definition = task(doubled, SIGNATURE)
    assert (definition.name, definition.scalars) == ("twice", ("a",))
    (got,) = run(definition, [np.array([3], "u4"), np.zeros(1, "u4")], [1.0])
    assert got == [6]


def test_what_a_generator_may_not_do() -> None:
    def instantiate(generator: object) -> None:
        task(generator, SIGNATURE).instantiate("k", [("u4", 1), ("u4", 1)], [float])  # type: ignore[arg-type]

    for result in (None, 3, [3]):
        with pytest.raises(VerifyError, match="returns a list of SSA values"):
            instantiate(lambda builder, parameters, result=result: result)
    with pytest.raises(VerifyError, match="returned 0 values for 1 written"):
        instantiate(lambda builder, parameters: [])
    with pytest.raises(VerifyError, match="returned a f64 for `y`"):
        instantiate(lambda builder, parameters: [parameters["a"].value])
    with pytest.raises(VerifyError, match="breaks the rules"):
        instantiate(lambda builder, p: [builder.insert(arith.AddiOp(p["x"].value, p["x"].value)).result])
    with pytest.raises(UsageError, match="needs a signature"):
        task(doubled)
    with pytest.raises(VerifyError, match="`rea` is not a privilege"):
        task(doubled, "task f(x: rea)")


def test_lark_and_xdsl_load_only_when_needed() -> None:
    program = (
        "import sys, fuseir.lang as lang\n"
        "assert not {'lark', 'xdsl'} & set(sys.modules)\n"
        f"lang.task({AXPY!r})\n"
        "assert 'lark' in sys.modules and 'xdsl' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
