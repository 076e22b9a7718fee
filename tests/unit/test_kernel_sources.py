"""What each result of a kernel is made of."""

from __future__ import annotations

from xdsl.dialects.func import FuncOp

from fuseir.dialects.kernel import Source, sources_of_results
from fuseir.dialects.parsing import parse_module
from fuseir.universe import make_context

MAPS = """
#id = affine_map<(d0) -> (d0)>
#one = affine_map<(d0) -> ()>
"""


def sources(body: str) -> list[set[Source]]:
    """Of a kernel of %x, %y (rank 1), %s (rank 0) and a scalar %a."""
    results = body.rpartition(" : ")[2].strip()
    parameters = "%x: tensor<?xf64>, %y: tensor<?xf64>, %s: tensor<f64>, %a: f64"
    text = f"{MAPS}func.func @f({parameters}) -> ({results}) {{\n%c0 = arith.constant 0 : index\n{body}\n}}"
    module = parse_module(make_context(), text, "kernel")
    (function,) = [op for op in module.ops if isinstance(op, FuncOp)]
    return [set(found) for found in sources_of_results(function)]


def generic(result: str, maps: str, iterator: str, ins: str, outs: str, results: str, body: str) -> str:
    return (
        f"{result} = linalg.generic {{indexing_maps = [{maps}], iterator_types = [{iterator}]}} {ins} outs({outs}) {{\n"
        f"{body}\n}} -> {results}\n"
    )


ADD = generic(
    "%r",
    "#id, #id",
    '"parallel"',
    "ins(%x : tensor<?xf64>)",
    "%y : tensor<?xf64>",
    "tensor<?xf64>",
    "^bb0(%u: f64, %v: f64):\n%n = arith.addf %u, %a : f64\nlinalg.yield %n : f64",
)


def test_an_output_gives_its_shape_and_its_contents_if_they_are_read() -> None:
    assert sources(ADD + "func.return %r : tensor<?xf64>") == [{0, (1, 0)}]
    assert sources(ADD.replace("%u, %a", "%v, %a") + "func.return %r : tensor<?xf64>") == [{1, (1, 0)}]


def test_a_parameter_may_be_returned_as_it_is() -> None:
    assert sources("func.return %y, %s : tensor<?xf64>, tensor<f64>") == [{1}, {2}]


def test_filled_tensors_have_the_sources_of_their_extents() -> None:
    empty = "%d = tensor.dim %y, %c0 : tensor<?xf64>\n%e = tensor.empty(%d) : tensor<?xf64>\n"
    fill = "%r = linalg.fill ins(%a : f64) outs(%e : tensor<?xf64>) -> tensor<?xf64>\n"
    assert sources(empty + fill + "func.return %r : tensor<?xf64>") == [{(1, 0)}]
    # Of a value that is no parameter, extents have all sources of the value.
    of_value = ADD + empty.replace("%y", "%r") + fill.replace("%r =", "%q =")
    assert sources(of_value + "func.return %q : tensor<?xf64>") == [{0, (1, 0)}]


def test_a_fold_depends_on_how_much_it_folds() -> None:
    count = generic(
        "%r",
        "#id, #one",
        '"reduction"',
        "ins(%x : tensor<?xf64>)",
        "%s : tensor<f64>",
        "tensor<f64>",
        "^bb0(%u: f64, %v: f64):\n%n = arith.addf %v, %a : f64\nlinalg.yield %n : f64",
    )
    assert sources(count + "func.return %r : tensor<f64>") == [{2, (0, 0)}]
    assert sources(count.replace("%v, %a", "%v, %u") + "func.return %r : tensor<f64>") == [{2, 0, (0, 0)}]


def test_outputs_of_one_loop_are_told_apart() -> None:
    both = generic(
        "%r:2",
        "#id, #id, #id",
        '"parallel"',
        "ins(%x : tensor<?xf64>)",
        "%y, %y : tensor<?xf64>, tensor<?xf64>",
        "(tensor<?xf64>, tensor<?xf64>)",
        "^bb0(%u: f64, %v: f64, %w: f64):\n%n = arith.addf %u, %u : f64\nlinalg.yield %n, %w : f64, f64",
    )
    assert sources(both + "func.return %r#1, %r#0 : tensor<?xf64>, tensor<?xf64>") == [{1, (1, 0)}, {0, (1, 0)}]
