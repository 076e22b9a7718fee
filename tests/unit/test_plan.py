"""Plans: steps over slots, what becomes of contents that are lost, and of buffers that change places."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from fuseir.dialects.dist.ops import StoreOp
from fuseir.dialects.parsing import parse_module
from fuseir.dialects.verification import verify_module
from fuseir.runtime.arrays import Array
from fuseir.runtime.executors import cpu, kernel_steps
from fuseir.runtime.plan import Number, Plan, Release, Slot, Step, Swap
from fuseir.universe import make_context


@dataclass(frozen=True)
class Write:
    """Fills a slot from another one, or fails."""

    target: int
    value: Callable[[Array | None], Any]
    source: int | None = None
    launch_number: int | None = None

    @property
    def needs(self) -> Mapping[int, frozenset[int]]:
        return {self.target: frozenset() if self.source is None else frozenset({self.source})}

    @property
    def reads(self) -> frozenset[int]:
        return frozenset() if self.source is None else frozenset({self.source})

    def run(self, slots: list[Array | None], scalars: Sequence[Number]) -> None:
        target = slots[self.target]
        assert target is not None
        target[...] = self.value(None if self.source is None else slots[self.source])


def fail(_: Array | None) -> Array:
    raise KeyError("no such thing")


def plan(slots: int, *steps: Step | Release | Swap) -> Plan:
    return Plan((Slot(None, (2,), np.dtype(np.float64)),) * slots, steps, 0, 0, ())


def test_a_swap_moves_buffers_and_copies_nothing() -> None:
    x, y = np.full(2, 1.0), np.full(2, 2.0)
    slots: list[Array | None] = [x, y]
    assert plan(2, Swap(0, 1)).run(slots, []).lost == {}
    assert slots[0] is y
    assert slots[1] is x


def test_a_swap_with_a_store_that_never_had_a_buffer_leaves_none() -> None:
    x = np.full(2, 1.0)
    slots: list[Array | None] = [x, None]
    plan(2, Swap(0, 1)).run(slots, [])
    assert slots[0] is None
    assert slots[1] is x


def test_what_is_written_afterwards_goes_to_the_other_buffer() -> None:
    x = np.full(2, 1.0)
    slots: list[Array | None] = [x, None]
    plan(2, Swap(0, 1), Write(0, lambda _: 5.0)).run(slots, [])
    assert slots[0] is not None
    assert slots[0].tolist() == [5.0, 5.0]
    assert slots[1] is x
    assert x.tolist() == [1.0, 1.0]


def test_what_was_lost_is_lost_wherever_it_goes() -> None:
    slots: list[Array | None] = [np.zeros(2), np.zeros(2), np.zeros(2)]
    steps = [Write(0, fail), Swap(0, 1), Write(2, lambda a: a, source=0), Release(1)]
    outcome = plan(3, *steps).run(slots, [])
    assert set(outcome.lost) == {1}
    assert isinstance(outcome.failure, KeyError)
    before = {0: ValueError("first"), 1: ValueError("second")}
    outcome = plan(3, Swap(0, 1), Write(2, lambda a: a, source=1)).run(slots, [], lost_before=before)
    assert outcome.lost == {0: before[1], 1: before[0], 2: before[0]}


def test_stores_that_the_passes_made_are_not_the_callers() -> None:
    """A fresh version is written and swapped in; if that fails, the store that it was for is lost, and no slot but the caller's."""
    slots: list[Array | None] = [np.zeros(2)]
    outcome = plan(2, Write(1, lambda _: 3.0), Swap(0, 1), Release(1)).run(slots, [])
    assert len(slots) == 1
    assert slots[0] is not None
    assert slots[0].tolist() == [3.0, 3.0]
    outcome = plan(2, Write(1, fail), Swap(0, 1), Release(1)).run(slots, [])
    assert len(slots) == 1
    assert set(outcome.lost) == {0}
    outcome = plan(2, Write(1, fail)).run(slots, [])
    assert outcome.lost == {}


# Points that all write the same

DOUBLINGS = 8
IN_STEPS = f"""
#id = affine_map<(d0) -> (d0)>
func.func @f(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {{
  %r0 = linalg.generic {{indexing_maps = [#id, #id], iterator_types = ["parallel"]}} ins(%x : tensor<?xf64>) outs(%y : tensor<?xf64>) {{
  ^bb0(%a: f64, %b: f64):
    linalg.yield %a : f64
  }} -> tensor<?xf64>
  {
    "".join(
        f'''
  %r{k} = linalg.generic {{indexing_maps = [#id], iterator_types = ["parallel"]}} outs(%r{k - 1} : tensor<?xf64>) {{
  ^bb0(%b: f64):
    %n = arith.addf %b, %b : f64
    linalg.yield %n : f64
  }} -> tensor<?xf64>'''
        for k in range(1, DOUBLINGS + 1)
    )
}
  func.return %r{DOUBLINGS} : tensor<?xf64>
}}
%x = dist.store "x" : !dist.store<400000xf64>
%y = dist.store "y" : !dist.store<2x400000xf64>
%row = dist.view %y (d0) -> (1, d0) : !dist.store<2x400000xf64> -> !dist.view<400000xf64>
dist.launch @f<[8]>(%x: read #dist.none, %row: write #dist.replicated) : (!dist.store<400000xf64>, !dist.view<400000xf64>)
"""


@pytest.mark.parametrize("most_bytes", [0, kernel_steps._MOST_COPIED_BYTES], ids=["one-after-another", "copies"])  # pyright: ignore[reportPrivateUsage]
@pytest.mark.parametrize("fuse", [False, True], ids=["unfused", "fused"])
def test_points_that_write_the_same_do_not_see_each_other_at_work(
    fuse: bool, most_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel doubles its result in place, again and again."""
    monkeypatch.setattr(kernel_steps, "_MOST_COPIED_BYTES", most_bytes)
    x = np.arange(400000.0)
    for _ in range(3):
        module = parse_module(make_context(), IN_STEPS, "steps")
        verify_module(module, IN_STEPS)
        assert sum(isinstance(op, StoreOp) for op in module.ops) == 2
        y = cpu.run_module(module, {"x": x, "y": np.ones((2, 400000))}, threads=4, fuse=fuse)["y"]
        assert np.array_equal(y, [np.ones(400000), x * 2.0**DOUBLINGS])
