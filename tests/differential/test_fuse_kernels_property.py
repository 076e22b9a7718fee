"""Fusing and lowering change no bit: random kernels, interpreted before and after."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.random_kernels import RandomKernel, random_kernel
from helpers.tensor_kernel_interpreter import run_lowered_form, run_tensor_form
from xdsl.dialects import func
from xdsl.dialects.linalg import ops as linalg
from xdsl.parser import Parser

from fuseir.dialects.dominance import check_dominance
from fuseir.dialects.kernel import kernel_privileges, verify_kernel
from fuseir.passes.fuse_kernels import FuseKernelsPass
from fuseir.passes.lower_kernels import LowerKernelsPass
from fuseir.universe import make_context

KERNELS = 300
CONTEXT = make_context()


def bits(array) -> bytes:
    """The array's bits, all NaN being one."""
    array = np.array(array)
    return np.where(np.isnan(array), np.nan, array).tobytes()


def arguments(kernel: RandomKernel, seed: int) -> list:
    rng = np.random.default_rng(seed)
    extents = {"N": rng.choice([0, 1, 2, 3, 5]), "M": rng.choice([1, 2, 3, 4]), "K": rng.choice([1, 2, 3])}
    if max(map(len, kernel.shapes)) == 1 and "NN" not in kernel.shapes:
        extents["N"] = rng.choice([33, 70, 1030])
    tiles = []
    for shape, privilege in zip(kernel.shapes, kernel.privileges, strict=True):
        size = [extents[letter] for letter in shape]
        if privilege.startswith("read"):
            tiles.append(rng.choice([-0.0, 0.0, 1.0, 1e-3, 3.7, np.nan, np.inf], size) + rng.normal(size=size))
        else:
            tiles.append(np.full(size, -0.0 if privilege.startswith("reduce") else np.nan))
    return [*tiles, np.float64(1.25)]


def lowered(module, kernel: RandomKernel, inputs: list) -> list:
    LowerKernelsPass().apply(CONTEXT, module)
    module.verify()
    check_dominance(module)
    memory = [np.array(value) for value in inputs]
    for tile, privilege in zip(memory, kernel.privileges, strict=False):
        if privilege.startswith("reduce"):
            # A partial is never loaded before it is stored to.
            tile[...] = np.nan
    run_lowered_form(module.body.block.first_op, memory)
    for before, after, privilege in zip(inputs, memory, kernel.privileges, strict=False):
        if privilege == "read":
            assert bits(before) == bits(after)
    return [memory[k] for k, p in enumerate(kernel.privileges) if p != "read"]


def generics(module) -> int:
    return sum(isinstance(op, linalg.GenericOp) for op in module.walk())


@pytest.mark.parametrize("batch", range(10))
def test_fusing_and_lowering_change_no_bit(batch: int) -> None:
    for seed in range(batch * KERNELS // 10, (batch + 1) * KERNELS // 10):
        kernel = random_kernel(seed)
        module = Parser(CONTEXT, kernel.text).parse_module()
        module.verify()
        function = module.body.block.first_op
        assert isinstance(function, func.FuncOp)
        inputs = arguments(kernel, seed)
        expected = [bits(result) for result in run_tensor_form(function, inputs)]

        unfused = [bits(tile) for tile in lowered(module.clone(), kernel, inputs)]
        assert unfused == expected, f"lowered, seed {seed}"

        fused = module.clone()
        # Every fourth kernel in nests that may hold very little.
        fuse = FuseKernelsPass(max_results=32 if seed % 4 else 1)
        fuse.apply(CONTEXT, fused)
        fused.verify()
        check_dominance(fused)
        function = fused.body.block.first_op
        privileges = [(str(p.kind), p.operator and str(p.operator)) for p in kernel_privileges(function)]
        verify_kernel(function, privileges, [function.function_type.inputs.data[-1]])
        assert [bits(result) for result in run_tensor_form(function, inputs)] == expected, f"fused, seed {seed}"
        assert [bits(tile) for tile in lowered(fused.clone(), kernel, inputs)] == expected, (
            f"fused, lowered, seed {seed}"
        )

        again = fused.clone()
        fuse.apply(CONTEXT, again)
        assert generics(again) == generics(fused), f"not idempotent, seed {seed}"
