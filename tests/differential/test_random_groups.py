"""Programs whose launches overlap at one point, or reduce into what others read and write: fused = unfused = reference, bit for bit."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from random_groups import DTYPES, OPERATORS, GroupProgram, TaskForm, fold, forms, kernel, launches
from random_layouts import contents
from test_random_modules import different
from xdsl.dialects.builtin import ModuleOp

from fuseir.dialects.dist.attributes import StoreType, partition_attr
from fuseir.dialects.dist.launch import FusedTaskOp, LaunchOp
from fuseir.dialects.dist.ops import StoreOp
from fuseir.dialects.dist.partition import NonePartition, Tiling
from fuseir.dialects.dist.privilege import READ, Privilege
from fuseir.dialects.verification import verify_module
from fuseir.passes.pipelines import CPU_PIPELINE, run_pipeline
from fuseir.passes.remarks import Remarks
from fuseir.runtime.captured_module import element_attribute
from fuseir.runtime.executors.cpu import run_module
from fuseir.runtime.executors.reference import ReferenceExecutor
from fuseir.runtime.program_stores import dtype_of_store, named_stores, shape_of

SEEDS = 8 * len(DTYPES)
NATIVE_SEEDS = 2 * len(DTYPES)
CHUNKS = 4
TENSOR_FORM = CPU_PIPELINE[: CPU_PIPELINE.index("lower-kernels")]
IN_PLACE = ("fuse-tasks{rename=false reorder=false}", *TENSOR_FORM[1:])
"""Without what avoids overlapping pieces."""

Array = np.ndarray[Any, np.dtype[Any]]


def inputs_of(module: ModuleOp, seed: int) -> dict[str, Array]:
    """Random contents, special values included, of the named stores."""
    random = np.random.default_rng(seed)
    return {
        name: contents(random, shape_of(op.result), dtype_of_store(op.result))
        for name, op in named_stores(module).items()
    }


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_groups_that_overlap_at_a_point(chunk: int) -> None:
    reference = ReferenceExecutor()
    said: Counter[str] = Counter()
    promoted = 0
    for seed in range(chunk, SEEDS, CHUNKS):
        module = GroupProgram(seed).module
        verify_module(module)
        inputs = inputs_of(module, seed)
        expected = reference.run(module, inputs)
        for pipeline in (TENSOR_FORM, IN_PLACE):
            staged, remarks = module.clone(), Remarks()
            for name in pipeline:
                before = folds(staged)
                run_pipeline(staged, (name,), verify=True, remarks=remarks)
                assert not different(expected, reference.run(staged, inputs)), (
                    f"seed {seed}, after {name} of {pipeline}"
                )
                promoted += name == "compose-kernels" and folds(staged) < before
            said.update(remark.code for remark in remarks)
        if seed < NATIVE_SEEDS:
            for fuse in (True, False):
                got = run_module(module.clone(), inputs, threads=2, fuse=fuse)
                assert not different(expected, got), f"seed {seed}, fuse={fuse}"
    # The programs do make what they are for: kernels composed, fused tasks cut, reductions that became values.
    assert said["FIR-N120"] > 20
    assert said["FIR-N122"] > 20
    assert promoted > 10


def folds(module: ModuleOp) -> int:
    """How many arguments are reduced into, in fused tasks and out of them."""
    return sum(p.data.reduces for op in module.walk() if isinstance(op, LaunchOp) for p in op.privileges.data)


def chain(dtype: np.dtype[Any]) -> ModuleOp:
    """A fused task in which every operator meets writes, reads and every other operator, through one disjoint tiling."""
    tiling = partition_attr(Tiling.of([21]))
    module = ModuleOp([])
    block = module.body.block
    known = {form.name: form for form in forms(dtype)}
    store_type = StoreType((62,), element_attribute(dtype))
    stores: dict[str, StoreOp] = {}
    members: list[LaunchOp] = []

    def launch(form: TaskForm, *names: str) -> None:
        function = kernel(form, dtype, 1)
        if all(op.sym_name.data != function.sym_name.data for op in module.ops if op.name == "func.func"):
            block.insert_op_before(function.clone(), stores["x"])
        privileges: list[Privilege] = [READ] * form.inputs + [form.privilege]
        values = [stores[name].result for name in names]
        members.append(LaunchOp(function.sym_name.data, (3,), values, privileges, [tiling] * len(names)))

    operators = OPERATORS[dtype.kind]
    for name in ("x", "y", *(f"{kind}_{operator}" for operator in operators for kind in ("new", "old", "sum"))):
        stores[name] = StoreOp(store_type, name)
        block.add_op(stores[name])
    for k, operator in enumerate(operators):
        new, old, total = f"new_{operator}", f"old_{operator}", f"sum_{operator}"
        other = operators[k - 1]
        launch(known["copy"], "x", new)  # write, reduce, read
        launch(known[f"fold_{operator}"], "y", new)
        launch(known["copy"], new, total)
        launch(known[f"chain_{operator}"], "y", "x", old)  # reduce, reduce with another operator, read and write
        launch(known[f"fold_{other}"], "x", old)
        launch(known["update"], new, old)
        launch(known[f"fold_{operator}"], old, total)  # nobody else reads it, but it was written
    block.add_op(FusedTaskOp((3,), members))
    return module


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_reductions_through_one_disjoint_tiling(dtype: np.dtype[Any]) -> None:
    module = chain(dtype)
    verify_module(module)
    reference = ReferenceExecutor()
    inputs = inputs_of(module, 5)
    expected = reference.run(module, inputs)  # the members one after another, each with partials of its own
    composed = module.clone()
    run_pipeline(composed, ("compose-kernels",), verify=True)
    (launch,) = launches(composed)
    assert not folds(composed)
    assert {str(p.data) for p in launch.privileges.data} == {"read", "write", "read_write"}
    assert not different(expected, reference.run(composed, inputs))
    for fuse in (True, False):
        assert not different(expected, run_module(module.clone(), inputs, threads=2, fuse=fuse)), f"fuse={fuse}"


def test_a_fold_does_not_start_from_what_was_there() -> None:
    """Two ones folded into 2^24 make 2^24 + 2; one after the other they would be lost."""
    module = chain(np.dtype("f4"))
    inputs = {name: np.zeros(62, "f4") for name in named_stores(module)}
    inputs["x"] = inputs["y"] = np.ones(62, "f4")
    inputs["old_add"] = np.full(62, 2.0**24, "f4")
    got = run_module(module, inputs)
    # Then the members fold 1 into it with max, and add the 2 that the first chain made.
    assert set(got["old_add"].tolist()) == {2.0**24 + 4}


def test_reductions_that_nobody_else_meets_stay_reductions() -> None:
    """Each keeps its partials, as its points share what they fold into."""
    dtype = np.dtype("f8")
    module = ModuleOp([])
    stores = [StoreOp(StoreType(shape, element_attribute(dtype)), name) for name, shape in (("x", (8,)), ("n", ()))]
    form = TaskForm("total_add", 1, fold("add"), output_drops=True)
    tiling, whole = partition_attr(Tiling.of([2])), partition_attr(NonePartition())
    members = [
        LaunchOp("total_add1", (4,), [s.result for s in stores], [READ, fold("add")], [tiling, whole]) for _ in range(2)
    ]
    module.body.block.add_ops([kernel(form, dtype, 1).clone(), *stores, FusedTaskOp((4,), members)])
    verify_module(module)
    run_pipeline(module, ("compose-kernels",), verify=True)
    (launch,) = launches(module)
    assert [str(p.data) for p in launch.privileges.data] == ["read", "reduce<add>", "reduce<add>"]
