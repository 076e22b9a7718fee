"""Kernels with other parameters, made of kernels in tensor form."""

from __future__ import annotations

from collections.abc import Container, Sequence

from xdsl.dialects import func
from xdsl.dialects.builtin import FunctionType
from xdsl.dialects.linalg import ops as linalg

from fuseir.dialects.dist.privilege import READ, WRITE, Privilege
from fuseir.dialects.kernel import PRIVILEGES_ATTRIBUTE, privileges_attribute, result_parameters


def out_of_place(kernel: func.FuncOp, privileges: Sequence[Privilege], updated: Sequence[int]) -> func.FuncOp:
    """A kernel that returns the new contents of the parameters ``updated`` for new ones, each behind the old, which is only read."""
    made = kernel.clone()
    block = made.body.block
    nest = block.first_op
    assert isinstance(nest, linalg.GenericOp)
    becomes = list(privileges)
    for k in sorted(updated, reverse=True):
        parameter = block.args[k]
        target = block.insert_arg(parameter.type, k + 1)
        target.name_hint = parameter.name_hint
        nest.operands[len(nest.inputs) + list(nest.outputs).index(parameter)] = target
        becomes[k : k + 1] = [READ, WRITE]
    return _finished(made, becomes)


def without(kernel: func.FuncOp, privileges: Sequence[Privilege], dead: Container[int]) -> func.FuncOp:
    """A kernel without the copies that it returns for the parameters ``dead``; all others are left."""
    made = kernel.clone()
    block = made.body.block
    end = block.last_op
    assert isinstance(end, func.ReturnOp)
    values = list(zip(result_parameters(privileges), end.operands, strict=True))
    block.insert_op_before(func.ReturnOp(*(value for k, value in values if k not in dead)), end)
    block.erase_op(end)
    for k, value in values:
        if k in dead:
            assert isinstance(value.owner, linalg.GenericOp)
            block.erase_op(value.owner)
    for k in reversed(range(len(privileges))):
        if k in dead:
            block.erase_arg(block.args[k])
    return _finished(made, [privilege for k, privilege in enumerate(privileges) if k not in dead])


def _finished(kernel: func.FuncOp, privileges: Sequence[Privilege]) -> func.FuncOp:
    block = kernel.body.block
    end = block.last_op
    assert end is not None
    kernel.function_type = FunctionType.from_lists(
        [each.type for each in block.args], [each.type for each in end.operands]
    )
    kernel.attributes[PRIVILEGES_ATTRIBUTE] = privileges_attribute(privileges)
    return kernel
