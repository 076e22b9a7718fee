"""Parsing and verification: locations on operations, and one located error for whatever is wrong."""

import pytest
from xdsl.context import Context
from xdsl.dialects.builtin import FileLineColLoc, FusedLoc, ModuleOp, NoneAttr
from xdsl.ir import Operation

from fuseir.dialects.parsing import parse_module
from fuseir.dialects.verification import location_of, verify_module
from fuseir.errors import FuseirError, LimitError, ParseError, VerifyError
from fuseir.universe import make_context


@pytest.fixture(scope="module")
def ctx() -> Context:
    return make_context()


def place(op: Operation) -> tuple[str, int, int]:
    assert isinstance(op.location, FileLineColLoc)
    return op.location.filename.data, op.location.line.data, op.location.column.data


def error_of(ctx: Context, text: str) -> FuseirError:
    with pytest.raises(FuseirError) as caught:
        verify_module(parse_module(ctx, text, "f.mlir"), text)
    assert caught.value.location is not None
    return caught.value


def test_operations_know_their_place(ctx: Context) -> None:
    text = '\n  func.func @f(%c: i1) {\n    scf.if %c {\n    }\n    "test.op"() : () -> () loc("g.py":7:8)\n    func.return\n  }\n'
    module = parse_module(ctx, text, "f.mlir")
    places = {op.name: place(op) for op in module.walk() if isinstance(op.location, FileLineColLoc)}
    assert places == {
        "builtin.module": ("f.mlir", 1, 1),
        "func.func": ("f.mlir", 2, 3),
        "scf.if": ("f.mlir", 3, 5),
        "test.op": ("g.py", 7, 8),
        "func.return": ("f.mlir", 6, 5),
    }


def test_empty_text_is_an_empty_module(ctx: Context) -> None:
    assert parse_module(ctx, b"// nothing\n").is_structurally_equivalent(ModuleOp([]))


def test_an_operation_without_a_place_has_its_parents(ctx: Context) -> None:
    module = parse_module(ctx, "func.func @f(%c: i1) {\n  scf.if %c {\n  }\n  func.return\n}", "f.mlir")
    implicit = next(op for op in module.walk() if op.name == "scf.yield")
    found = location_of(implicit)
    assert found is not None
    assert str(found) == "f.mlir:2:3"


def test_a_fused_location_counts_as_its_first(ctx: Context) -> None:
    module = parse_module(ctx, '"test.op"() : () -> ()\n"test.op"() : () -> ()', "f.mlir")
    first, second = module.ops
    second.location = FusedLoc([second.location, first.location], NoneAttr())
    assert str(location_of(second)) == "f.mlir:2:1"


@pytest.mark.parametrize(
    ("text", "kind", "where", "message"),
    [
        ('"a.b"() : () -> ()', ParseError, "1:2", "unknown operation 'a.b'"),
        ('\n "test.op"() {a = dense<1> : tensor<2xcomplex<f32>>} : () -> ()', ParseError, "2:19", "AssertionError"),
        ("func.func private @f(i99999)", LimitError, "1:22", "wider than 4096 bits"),
        ('"test.op"(%x) : (i32) -> ()', ParseError, "1:11", "used but not defined: [%x]"),
        ("%0 = arith.addi %0, %0 : i32", VerifyError, "1:1", "its own result"),
        ("%0 = arith.constant 1 : i32\n%1 = arith.constant 300 : i8", VerifyError, "2:21", "out of range"),
        ("func.func private @f()\nfunc.func private @f()", VerifyError, "2:1", "Redefinition"),
    ],
)
def test_errors_have_a_place(ctx: Context, text: str, kind: type[FuseirError], where: str, message: str) -> None:
    error = error_of(ctx, text)
    assert type(error) is kind
    assert str(error.location) == f"f.mlir:{where}"
    assert message in error.message
    assert "\n" not in error.message
    assert error.diagnostic().splitlines()[1].strip() == text.splitlines()[int(where.split(":")[0]) - 1].strip()


def blocks(use_in: str) -> str:
    """A diamond of blocks that defines %l on its left side and %e in its entry, with a use in one block."""
    body = dict.fromkeys(("entry", "left", "right", "join"), "")
    body[use_in.split()[0]] = f'  "test.op"({use_in.split()[1]}) : (i32) -> ()\n'
    return (
        "func.func @f(%c: i1) {\n  %e = arith.constant 1 : i32\n"
        f"{body['entry']}  cf.cond_br %c, ^left, ^right\n"
        f"^left:\n  %l = arith.constant 2 : i32\n{body['left']}  cf.br ^join\n"
        f"^right:\n{body['right']}  cf.br ^join\n"
        f"^join:\n{body['join']}  func.return\n}}"
    )


@pytest.mark.parametrize("use", ["entry %e", "left %e", "right %e", "join %e", "left %l"])
def test_uses_that_are_dominated(ctx: Context, use: str) -> None:
    verify_module(parse_module(ctx, blocks(use)))


@pytest.mark.parametrize("use", ["entry %l", "right %l", "join %l"])
def test_uses_that_are_not_dominated(ctx: Context, use: str) -> None:
    assert "does not dominate" in error_of(ctx, blocks(use)).message


def test_loops_of_blocks(ctx: Context) -> None:
    text = """func.func @f(%c: i1) {
  cf.br ^head
^head:
  %h = arith.constant 1 : i32
  cf.cond_br %c, ^body, ^exit
^body:
  "test.op"(%h) : (i32) -> ()
  cf.br ^head
^exit:
  "test.op"(%h) : (i32) -> ()
  func.return
^unreachable:
  "test.op"(%h) : (i32) -> ()
  cf.br ^exit
}"""
    verify_module(parse_module(ctx, text))


def test_aliases_may_be_used_often_but_not_without_bound(ctx: Context) -> None:
    wide = "#a = [" + ", ".join(["1"] * 1000) + "]\n"
    parse_module(ctx, wide + "#b = [" + ", ".join(["#a"] * 400) + ']\n"test.op"() : () -> ()')
    with pytest.raises(LimitError, match="aliases expand"):
        parse_module(ctx, wide + "#b = [" + ", ".join(["#a"] * 1100) + "]\n")
