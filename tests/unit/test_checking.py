"""The legality checker: rewrites that are right pass; each kind that is wrong is refused, with the store and the launches named."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest
from helpers.dist_programs import KERNELS, kernel, parse
from xdsl.dialects.builtin import ModuleOp

from fuseir.checking import LegalityCheck, program, terms
from fuseir.dialects.dist.attributes import NoneAttr, ReplicatedAttr
from fuseir.dialects.dist.launch import FusedTaskOp, LaunchOp
from fuseir.dialects.dist.ops import ReleaseOp, StoreOp
from fuseir.dialects.verification import location_of
from fuseir.errors import LegalityError, LimitError

SCALE = """
func.func @scale(%n: tensor<f64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [affine_map<(d0) -> ()>, #id], iterator_types = ["parallel"]}
      ins(%n : tensor<f64>) outs(%y : tensor<?xf64>) {
  ^bb0(%ne: f64, %ye: f64):
    %t = arith.mulf %ne, %ye : f64
    linalg.yield %t : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
func.func @product(%x: tensor<?xf64>, %n: tensor<f64>) -> tensor<f64> {
  %r = linalg.generic {indexing_maps = [#id, affine_map<(d0) -> ()>], iterator_types = ["reduction"]}
      ins(%x : tensor<?xf64>) outs(%n : tensor<f64>) {
  ^bb0(%xe: f64, %ne: f64):
    %t = arith.mulf %ne, %xe : f64
    linalg.yield %t : f64
  } -> tensor<f64>
  func.return %r : tensor<f64>
}
func.func @square(%m: tensor<f64>, %n: tensor<f64>) -> tensor<f64> {
  %r = linalg.generic {indexing_maps = [affine_map<() -> ()>, affine_map<() -> ()>], iterator_types = []}
      ins(%m : tensor<f64>) outs(%n : tensor<f64>) {
  ^bb0(%me: f64, %ne: f64):
    %t = arith.mulf %me, %me : f64
    linalg.yield %t : f64
  } -> tensor<f64>
  func.return %r : tensor<f64>
}
"""
ALL_KERNELS = (
    KERNELS
    + SCALE
    + kernel("negate", 1).replace("linalg.yield %x0e", "%t = arith.negf %x0e : f64\n    linalg.yield %t")
)

STORES = """
!v = !dist.view<8xf64>
%x = dist.store "x" : !s
%y = dist.store "y" : !s
%z = dist.store "z" : !s
%w = dist.store "w" : !s
%n = dist.store "n" : !one
%m = dist.store "m" : !one
%t = dist.store : !s
%reversed = dist.view %z (d0) -> (-d0 + 7) : !s -> !v
%even = dist.view %z (d0) -> (d0 * 2) : !s -> !half
%odd = dist.view %z (d0) -> (d0 * 2 + 1) : !s -> !half
%third = dist.view %z (d0) -> (d0 + 3) : !s -> !half
%left = dist.view %x (d0) -> (d0) : !s -> !half
"""


def launch(task: str, *arguments: str) -> str:
    """A launch over four points of arguments such as ``%z: write #A``."""
    sorts = {"n": "!one", "m": "!one", "reversed": "!v"} | dict.fromkeys(("even", "odd", "third", "left"), "!half")
    types = [sorts.get(argument[1:].partition(":")[0], "!s") for argument in arguments]
    return f"dist.launch @{task}<[4]>({', '.join(arguments)}) : ({', '.join(types)})\n"


COPY = launch("negate", "%x: read #A", "%z: write #A")
ADD = launch("add", "%z: read #A", "%y: read #A", "%w: write #A")
ADD_REVERSED = launch("add", "%reversed: read #A", "%y: read #A", "%w: write #A")
UPDATE = launch("update", "%z: read_write #A")
SUM = launch("sum", "%x: read #A", "%n: reduce<add> #N")
SUM_Y = launch("sum", "%y: read #A", "%n: reduce<add> #N")
PRODUCT = launch("product", "%y: read #A", "%n: reduce<mul> #N")
SCALE_Y = launch("scale", "%n: read #N", "%y: read_write #A")
ACC = launch("acc", "%x: read #A", "%z: reduce<add> #A")
TOP = launch("top", "%x: read #A", "%z: reduce<max> #A")
FROM_X_TO_T = launch("negate", "%x: read #A", "%t: write #A")
FROM_T_TO_W = launch("negate", "%t: read #A", "%w: write #A")
RELEASE_T = "dist.release %t : !s\n"


def fused(*members: str, temporaries: str = "") -> str:
    listed = f"temporaries({temporaries} : !s) " if temporaries else ""
    return f"dist.fused_task<[4]> {listed}{{\n{''.join(members)}}}\n"


def read(text: str) -> ModuleOp:
    return parse(STORES + text, ALL_KERNELS)


def refusal(module: ModuleOp, check: LegalityCheck) -> LegalityError:
    with pytest.raises(LegalityError) as caught:
        check.check(module)
    return caught.value


# One fused task against its members, one launch after the other

RIGHT = {
    "written, then read": (COPY, ADD),
    "read, then written": (ADD, COPY),
    "written twice": (COPY, launch("write", "%z: write #A")),
    "updated in place": (UPDATE, UPDATE, ADD),
    "read through other pieces": (ADD, launch("copy", "%reversed: read #A", "%x: write #A")),
    "views that do not meet": (
        launch("negate", "%left: read #H", "%even: write #H"),
        launch("update", "%odd: read_write #H"),
    ),
    "reduced twice": (SUM, SUM_Y),
    "reduced, read and written": (COPY, ACC, ADD, TOP, ACC, UPDATE),
    "copied": (launch("copy", "%x: read #A", "%z: write #A"), launch("copy", "%z: read #A", "%w: write #A"), UPDATE),
}


@pytest.mark.parametrize("members", RIGHT.values(), ids=RIGHT)
def test_dependences_at_one_point_are_legal(members: tuple[str, ...]):
    module = read(fused(*members))
    LegalityCheck(module).check(module)


WRONG = {
    "written, then read": (COPY, ADD_REVERSED, '"z"'),
    "read, then written": (ADD_REVERSED, COPY, '"z"'),
    "read, then updated": (ADD_REVERSED, UPDATE, '"z"'),
    "written twice": (COPY, launch("write", "%reversed: write #A"), '"z"'),
    "strides that meet": (launch("write", "%even: write #H"), launch("update", "%third: read_write #H"), '"z"'),
    "reduced, then read by all": (SUM, SCALE_Y, '"n"'),
    "read by all, then reduced": (SCALE_Y, SUM, '"n"'),
    "written, then reduced": (COPY, launch("acc", "%x: read #A", "%reversed: reduce<add> #A"), '"z"'),
    "reduced, then written": (launch("acc", "%x: read #A", "%reversed: reduce<add> #A"), COPY, '"z"'),
    "reduced with two operators": (SUM, PRODUCT, '"n"'),
}


@pytest.mark.parametrize(("first", "second", "store"), WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("between", ["", launch("write", "%t: write #A")], ids=["adjacent", "apart"])
def test_dependences_between_points_are_refused(first: str, second: str, store: str, between: str):
    module = read(fused(first, between, second))
    error = refusal(module, LegalityCheck(module))
    earlier, *_, later = (op for op in module.walk() if isinstance(op, LaunchOp))
    assert "a dependence joins two points of the fused task" in error.message
    assert f"'@{earlier.task_name}'" in error.message.partition(f"of store {store}")[0]
    assert f"'@{later.task_name}'" in error.message.partition(f"of store {store}")[2]
    assert error.location == location_of(earlier.parent_op() or earlier)
    assert [note.rpartition(" ")[2] for note in error.notes] == [str(location_of(op)) for op in (earlier, later)]


def test_a_value_that_is_overwritten_later_still_makes_a_dependence():
    # What the fused task leaves in %z is lost, but within it points would race.
    module = read(
        fused(COPY, launch("write", "%reversed: write #A")) + launch("write", "%z: write #N").replace("[4]", "[1]")
    )
    assert '"z"' in refusal(module, LegalityCheck(module)).message


def test_one_point_has_no_dependences_between_points():
    module = read(fused(COPY, ADD_REVERSED, UPDATE, SUM, SCALE_Y).replace("[4]", "[1]"))
    LegalityCheck(module).check(module)


def test_without_points_nothing_happens():
    module = read(fused(COPY, ADD_REVERSED).replace("<[4]>", "<[0]>"))
    LegalityCheck(module).check(module)
    initial = terms(read(""))
    assert [np.array_equal(a, b) for a, b in zip(terms(module).values(), initial.values(), strict=True)] == [True] * 7


# A program and what it is rewritten to


def launches(module: ModuleOp) -> list[LaunchOp]:
    return [op for op in module.walk() if isinstance(op, LaunchOp)]


def swap_first_two(module: ModuleOp) -> None:
    first, second, *_ = launches(module)
    first.detach()
    second.parent.insert_op_after(first, second)


def erase_first(module: ModuleOp) -> None:
    first = launches(module)[0]
    first.detach()
    first.erase()


def fuse_all(module: ModuleOp) -> None:
    members = launches(module)
    group = FusedTaskOp(members[0].extents)
    members[-1].parent.insert_op_after(group, members[-1])
    for member in members:
        member.detach()
    group.body.block.add_ops(members)


def fuse_with_temporary(module: ModuleOp) -> None:
    fuse_all(module)
    (group,) = (op for op in module.ops if isinstance(op, FusedTaskOp))
    group.operands = [op.result for op in module.ops if isinstance(op, StoreOp) and op.store_name is None]


def fuse_first_two_with_temporary(module: ModuleOp) -> None:
    *_, last = launches(module)
    last.detach()
    fuse_with_temporary(module)
    module.body.block.add_op(last)


def rewritten(text: str, change: Callable[[ModuleOp], None]) -> tuple[ModuleOp, LegalityCheck]:
    module = read(text)
    check = LegalityCheck(module)
    check.check(module)
    change(module)
    return module, check


ALLOWED = {
    "fused": (COPY + ADD + SUM, fuse_all),
    "independent launches in another order": (COPY + SUM, swap_first_two),
    "a dead launch erased": (FROM_X_TO_T + FROM_X_TO_T, erase_first),
    "a temporary": (FROM_X_TO_T + FROM_T_TO_W + RELEASE_T, fuse_with_temporary),
}


@pytest.mark.parametrize(("text", "change"), ALLOWED.values(), ids=ALLOWED)
def test_rewrites_that_keep_the_program_are_legal(text: str, change: Callable[[ModuleOp], None]):
    module, check = rewritten(text, change)
    check.check(module)


BROKEN = {
    "written and read the other way round": (COPY + ADD, swap_first_two, "'@add' finds other contents in store \"z\""),
    "overwritten the other way round": (COPY + UPDATE, swap_first_two, "'@update' finds other contents in store \"z\""),
    "reductions the other way round": (SUM + SUM_Y, swap_first_two, 'store "n" ends with other contents'),
    "operators the other way round": (ACC + TOP, swap_first_two, 'store "z" ends with other contents'),
    "the last write changed": (
        COPY + launch("write", "%z: write #A"),
        swap_first_two,
        'store "z" ends with other contents',
    ),
    "a launch erased": (SUM + SCALE_Y, erase_first, "'@scale' finds other contents in store \"n\""),
    "a launch erased at the end": (COPY, erase_first, "was last changed by '@negate' there, by nothing here"),
    "a temporary that is read later": (
        FROM_X_TO_T + FROM_T_TO_W + launch("negate", "%t: read #A", "%y: write #A"),
        fuse_first_two_with_temporary,
        "'@negate' finds other contents in store %t",
    ),
    "a temporary that the application holds": (FROM_X_TO_T + FROM_T_TO_W, fuse_with_temporary, "store %t ends with"),
}


@pytest.mark.parametrize(("text", "change", "message"), BROKEN.values(), ids=BROKEN)
def test_rewrites_that_change_the_program_are_refused(text: str, change: Callable[[ModuleOp], None], message: str):
    error = refusal(*rewritten(text, change))
    assert message in error.message
    assert error.location is not None


def test_a_temporary_is_private_to_each_point():
    other_half = "%r = dist.view %t (d0) -> (-d0 + 7) : !s -> !v\n"
    reader = launch("negate", "%r: read #A", "%w: write #A").replace("(!s, !s)", "(!v, !s)")
    error = refusal(*rewritten(other_half + FROM_X_TO_T + reader + RELEASE_T, fuse_with_temporary))
    assert "'@negate' finds other contents in store %t" in error.message
    assert "was last changed by '@negate' there, by nothing here" in error.message


def test_a_difference_names_element_point_and_both_launches():
    module, check = rewritten(COPY + launch("update", "%x: read_write #A") + ADD, lambda module: None)
    negate, update, add = launches(module)
    add.detach()
    module.body.block.insert_op_before(add, negate)
    error = refusal(module, check)
    assert error.location == location_of(add)
    assert "element [0], read at point [0], was last changed by '@negate' there, by nothing here" in error.message
    assert error.notes == (f"there, '@negate', is launched at {location_of(negate)}",)
    assert update.parent is module.body.block


def test_a_store_that_the_program_keeps_may_not_be_released():
    module, check = rewritten(FROM_X_TO_T, lambda module: None)
    store = launches(module)[0].arguments[1]
    module.body.block.add_op(ReleaseOp(store))
    assert "store %t is released" in refusal(module, check).message


OPAQUE = "dist.launch @opaque<[1]>({}: read #N, %w: write #N) : (!s, !s)\n"


def test_opaque_tasks_keep_their_order():
    # Nobody sees what the first one writes, but it may print.
    module, check = rewritten(OPAQUE.format("%x") + OPAQUE.format("%y"), erase_first)
    assert "opaque tasks" in refusal(module, check).message


# Renaming: fresh stores, carried contents, swapped stores

RENAMED = """
%f = dist.store : !s
%u = dist.store "u" : !dist.store<4xf64>
%inner = dist.view %z (d0) -> (d0 + 2) : !s -> !half
%fresh = dist.view %f (d0) -> (d0 + 2) : !s -> !half
%low = dist.view %z (d0) -> (d0) : !s -> !dist.view<2xf64>
%high = dist.view %z (d0) -> (d0 + 6) : !s -> !dist.view<2xf64>
%flow = dist.view %f (d0) -> (d0) : !s -> !dist.view<2xf64>
%fhigh = dist.view %f (d0) -> (d0 + 6) : !s -> !dist.view<2xf64>
"""
STENCIL = "dist.launch @negate<[4]>(%third: read #H, %u: write #H) : (!half, !dist.store<4xf64>)\n"
BACK = "dist.launch @copy<[4]>(%u: read #H, {}: write #H) : (!dist.store<4xf64>, !half)\n"
CARRY = "dist.launch @copy<[4]>(%{0}: read #H, %f{0}: write #H) : (!dist.view<2xf64>, !dist.view<2xf64>)\n"
SWAP = "dist.swap %z, %f : !s\ndist.release %f : !s\n"


def renamed(*steps: str) -> tuple[ModuleOp, LegalityCheck]:
    original = read(RENAMED + STENCIL + BACK.format("%inner"))
    return read(RENAMED + "".join(steps)), LegalityCheck(original)


def test_renamed_carried_and_swapped_is_legal():
    module, check = renamed(fused(STENCIL, BACK.format("%fresh"), CARRY.format("low"), CARRY.format("high")), SWAP)
    check.check(module)


def test_a_missing_carry_is_refused():
    module, check = renamed(fused(STENCIL, BACK.format("%fresh"), CARRY.format("low")), SWAP)
    error = refusal(module, check)
    assert 'store "z" ends with other contents' in error.message
    assert "element [6] was last changed by nothing there, by nothing here" in error.message


def test_a_missing_swap_is_refused():
    module, check = renamed(fused(STENCIL, BACK.format("%fresh"), CARRY.format("low"), CARRY.format("high")))
    assert "element [2] was last changed by '@copy' there, by nothing here" in refusal(module, check).message


def test_writing_what_is_still_read_is_refused():
    module = read(RENAMED + fused(STENCIL, BACK.format("%inner")))
    assert '"z"' in refusal(module, LegalityCheck(module)).message


# Replicated stores: a task of one point becomes one of each point

PROMOTED = launch("square", "%n: read #N", "%m: write #N")
SCALE_BY_M = launch("scale", "%m: read #N", "%y: read_write #A")


def promote(module: ModuleOp) -> None:
    square, scale = launches(module)
    every = LaunchOp(
        square.task,
        scale.extents,
        square.arguments,
        [p.data for p in square.privileges],
        [NoneAttr(), ReplicatedAttr()],
    )
    module.body.block.insert_op_before(every, square)
    square.detach()
    square.erase()
    fuse_all(module)


def test_a_promoted_scalar_task_is_legal():
    module, check = rewritten(PROMOTED.replace("[4]", "[1]") + SCALE_BY_M, promote)
    check.check(module)


def test_replicating_what_was_read_before_is_refused():
    module = read(fused(SCALE_BY_M, PROMOTED.replace("write #N", "write #dist.replicated")))
    assert '"m"' in refusal(module, LegalityCheck(module)).message


# The rest


@pytest.mark.parametrize("order", ["ascending", "descending", 1, 2])
def test_terms_of_a_legal_program_do_not_depend_on_the_order(order: object):
    text = fused(COPY, ACC, ADD, SUM)
    plain = terms(read(text.replace("dist.fused_task<[4]> {", "").replace("}\n", "")))
    found = terms(read(text), order)  # pyright: ignore[reportArgumentType]
    assert [a.tolist() for a in found.values()] == [a.tolist() for a in plain.values()]


def test_terms_of_an_illegal_program_do():
    def w(order: object) -> list[int]:
        module = read(fused(COPY, ADD_REVERSED))
        return next(words.tolist() for store, words in terms(module, order).items() if store.name_hint == "w")  # pyright: ignore[reportArgumentType]

    assert w("ascending") != w("descending")


def test_all_elements_have_terms_of_their_own():
    words = [word for array in terms(read(COPY + ADD + SUM)).values() for word in array.tolist()]
    assert len(set(words)) == len(words) - 7  # %t is undefined as a whole


def test_terms_do_not_depend_on_pythons_hashes():
    code = (
        "import sys; sys.path.insert(0, 'tests'); from unit.test_checking import *; "
        "print([a.tolist() for a in terms(read(COPY + ADD + SUM)).values()])"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PATH": ""},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1


@pytest.mark.parametrize("limit", ["MOST_TERMS", "MOST_PIECES", "MOST_WORK"])
def test_too_large_a_program_is_not_checked(limit: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(program, limit, 7)
    with pytest.raises(LimitError, match="too many to check legality"):
        LegalityCheck(read(COPY))


def test_what_is_not_used_may_be_of_any_size():
    module = read('%huge = dist.store "huge" : !dist.store<4611686018427387000xi8>\n' + COPY)
    LegalityCheck(module).check(module)
    with pytest.raises(LimitError, match="too many to check legality"):
        terms(module)


def test_many_points_of_nothing_are_too_many():
    module = parse("func.func @nothing() {\n  func.return\n}\ndist.launch @nothing<[4611686018427387]>() : ()\n", "")
    with pytest.raises(LimitError, match="4611686018427387 pieces"):
        LegalityCheck(module)
