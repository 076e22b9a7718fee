"""The kernel contract, asked by passes of kernels that no launch may have vouched for."""

from __future__ import annotations

from typing import cast

from xdsl.dialects import func
from xdsl.ir import Operation
from xdsl.utils.exceptions import VerifyException

from fuseir.dialects.dist.privilege import Privilege
from fuseir.dialects.kernel import kernel_privileges, verify_kernel
from fuseir.dialects.verification import located_error


def check_kernel(function: func.FuncOp) -> tuple[Privilege, ...]:
    """The privileges of the kernel's tensors. Raises VerifyError if it breaks the kernel contract.

    The module it belongs to has been verified, as every module is that passes see.
    """
    try:
        privileges = kernel_privileges(function)
        scalars = function.function_type.inputs.data[len(privileges) :]
        arguments = [(str(p.kind), p.operator and str(p.operator)) for p in privileges]
        verify_kernel(function, arguments, scalars, operations_verified=True)
    except VerifyException as error:
        operation = cast("Operation", getattr(error, "operation", function))
        raise located_error(operation, str(error)) from None
    return privileges
