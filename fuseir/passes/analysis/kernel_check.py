"""The kernel contract, asked by passes of kernels that no launch may have vouched for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation
from xdsl.utils.exceptions import VerifyException

from fuseir.dialects.dist.launch import LaunchOp
from fuseir.dialects.dist.privilege import Privilege
from fuseir.dialects.kernel import kernel_privileges, verify_kernel
from fuseir.dialects.verification import located_error

Vouched = Mapping[str, tuple[Privilege, ...]]
"""Kernels by symbol, with the privileges that a launch of them has."""


def vouched_for(module: ModuleOp) -> Vouched:
    """The kernels that are launched."""
    return {
        op.task_name: tuple([privilege.data for privilege in op.privileges.data])
        for op in module.ops
        if isinstance(op, LaunchOp)
    }


def check_kernel(function: func.FuncOp, vouched: Vouched) -> tuple[Privilege, ...]:
    """The privileges of the kernel's tensors. Raises VerifyError if it breaks the kernel contract.

    The module it belongs to has been verified, as every module is that passes see, or was made by a pass: with each launch its kernel was
    checked, for the launch's privileges.
    """
    try:
        privileges = kernel_privileges(function)
        if vouched.get(function.sym_name.data) == privileges:
            return privileges
        scalars = function.function_type.inputs.data[len(privileges) :]
        arguments = [(str(p.kind), p.operator and str(p.operator)) for p in privileges]
        verify_kernel(function, arguments, scalars, operations_verified=True)
    except VerifyException as error:
        operation = cast("Operation", getattr(error, "operation", function))
        raise located_error(operation, str(error)) from None
    return privileges
