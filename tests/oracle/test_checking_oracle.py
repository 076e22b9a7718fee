"""The legality checker against enumeration: it refuses exactly the pairs of launches that Def. 3 does not allow to be fused."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from launches_as_ir import partition, view
from point_oracle import Argument, Task, fusible
from random_launches import random_window
from xdsl.dialects.builtin import ModuleOp, f64
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Block, Region, SSAValue

from fuseir.checking import LegalityCheck
from fuseir.dialects.dist.attributes import StoreType
from fuseir.dialects.dist.launch import FusedTaskOp, LaunchOp
from fuseir.dialects.dist.ops import StoreOp, ViewOp
from fuseir.dialects.dist.privilege import Privilege
from fuseir.errors import LegalityError

PAIRS = 8_000
BATCHES = 4


def fused(first: Task, second: Task) -> ModuleOp:
    """A module with one fused task of two launches."""
    module = ModuleOp([FuncOp(name, ((), ()), Region(Block([ReturnOp()]))) for name in ("first", "second")])
    stores: dict[int, SSAValue] = {}

    def value(argument: Argument) -> SSAValue:
        if argument.store not in stores:
            op = StoreOp(StoreType(argument.store_shape, f64), f"s{argument.store}")
            module.body.block.add_op(op)
            stores[argument.store] = op.result
        store = stores[argument.store]
        if argument.view is None:
            return store
        op = ViewOp(store, view(argument), f64)
        module.body.block.add_op(op)
        return op.result

    def launch(name: str, task: Task) -> LaunchOp:
        return LaunchOp(
            name,
            task.domain,
            [value(argument) for argument in task.arguments],
            [Privilege.parse(argument.privilege) for argument in task.arguments],
            [partition(argument.tiling, len(task.domain)) for argument in task.arguments],
        )

    members = [launch("first", first), launch("second", second)]
    module.body.block.add_op(FusedTaskOp(first.domain, members))
    return module


def refusal(module: ModuleOp) -> str | None:
    try:
        LegalityCheck(module).check(module)
    except LegalityError as error:
        return error.message
    return None


@pytest.mark.parametrize("batch", range(BATCHES))
def test_exactly_what_is_fusible_is_accepted(batch: int):
    rng = random.Random(batch)
    verdicts: list[bool] = []
    while len(verdicts) < PAIRS // BATCHES:
        for first, second in pairwise(random_window(rng)):
            if first.domain == second.domain:
                expected = fusible(first, second)
                message = refusal(fused(first, second))
                assert (message is None) is expected, (first, second)
                # It also finds which dependence it is.
                assert message is None or message.startswith("a dependence joins two points"), (message, first, second)
                verdicts.append(expected)
    assert 0.1 < verdicts.count(False) / len(verdicts) < 0.9, "the random launches say little"
