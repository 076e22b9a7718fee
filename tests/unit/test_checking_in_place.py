"""The check of reuse-inputs: what it does passes, and what it must not do does not."""

from __future__ import annotations

import pytest
from xdsl.dialects.builtin import ModuleOp

import fuseir
from fuseir.checking import LegalityCheck
from fuseir.dialects.dist.launch import LaunchOp
from fuseir.dialects.parsing import parse_module
from fuseir.errors import FallbackWarning, LegalityError
from fuseir.passes import reuse_inputs
from fuseir.passes.remarks import Remarks
from fuseir.universe import make_context

KERNEL = """
#id = affine_map<(d0) -> (d0)>
!s = !dist.store<8xf64>
func.func @negate(%x: tensor<?xf64>, %z: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf64>) outs(%z : tensor<?xf64>) {
  ^bb0(%e: f64, %unused: f64):
    %n = arith.negf %e : f64
    linalg.yield %n : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
%x = dist.store "x" {dist.input_only} : !s
%y = dist.store "y" : !s
%z = dist.store "z" : !s
"""
TILES = "#dist.tiling<[2]>"
BACKWARDS = "#dist.tiling<[2], (d0) -> (d0 * -1 + 3)>"


def negate(source: str, target: str, pieces: str = TILES) -> str:
    return f"dist.launch @negate<[4]>(%{source}: read {pieces}, %{target}: write {TILES}) : (!s, !s)\n"


SOUND = negate("x", "z") + negate("z", "y") + "dist.release %x : !s"
UNSOUND = {
    "it is read later": negate("x", "z") + negate("x", "y") + "dist.release %x : !s",
    "other points read it": negate("x", "z", BACKWARDS) + "dist.release %x : !s",
    "it is an output": negate("y", "z"),
    "it is not released": "%u = dist.store : !s\n" + negate("x", "u") + negate("u", "z") + "dist.release %x : !s",
}


def rewritten(module: ModuleOp) -> int:
    """Runs the pass; the number of swaps that it made."""
    reuse_inputs.ReuseInputsPass(smallest_bytes=0).run(module, Remarks())
    return sum(op.name == "dist.swap" for op in module.ops)


def believing(monkeypatch: pytest.MonkeyPatch, position: int) -> None:
    """Has the pass believe that of launch number ``position``, and of no other, the input dies and the result fits."""

    def pairs(accesses: object, launch: LaunchOp, number: int, uses: object) -> list[tuple[int, int]]:
        return [(0, 1)] if number == position and len(launch.arguments) == 2 else []

    monkeypatch.setattr(reuse_inputs, "_pairs", pairs)


def test_what_the_pass_does_is_right() -> None:
    module = parse_module(make_context(), KERNEL + SOUND)
    check = LegalityCheck(module)
    assert rewritten(module) == 1
    check.check(module, "reuse-inputs")


@pytest.mark.parametrize("why", UNSOUND)
def test_what_it_must_not_do_is_seen(why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = parse_module(make_context(), KERNEL + UNSOUND[why])
    check = LegalityCheck(module)
    believing(monkeypatch, 1 if why == "it is not released" else 0)
    assert rewritten(module) == 1
    with pytest.raises(LegalityError):
        check.check(module, "reuse-inputs")


def test_other_launches_are_refused() -> None:
    module = parse_module(make_context(), KERNEL + SOUND)
    check = LegalityCheck(module)
    for op in module.ops:
        if isinstance(op, LaunchOp):
            op.detach()
            op.erase()
            break
    with pytest.raises(LegalityError, match="is not the launch that was here"):
        check.check(module, "reuse-inputs")


def test_windows_are_checked_behind_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A session that takes what it must not runs the window unfused, with a warning."""
    session = fuseir.Session(check=True)
    scale = fuseir.task("task scale(x: read, z: write) { z = 2.0 * x }")
    x, z = session.full(1 << 14, 1.0), session.store(1 << 14)
    session.launch(scale, x, z)
    believing(monkeypatch, 0)
    with pytest.warns(FallbackWarning, match="LegalityError"):
        session.flush()
    assert x.numpy()[0] == 1.0
    assert z.numpy()[0] == 2.0
