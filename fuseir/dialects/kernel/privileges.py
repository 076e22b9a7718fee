"""What each tensor parameter of a kernel is for: read from the function's attribute, or inferred.

``compose-kernels`` leaves ``dist.privileges = ["read", "write", "reduce<add>"]`` on the functions it makes, one string for
each tensor parameter. A function without it is understood if each result leads back, through ``outs``, to a parameter.
"""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects import func, tensor
from xdsl.dialects.builtin import ArrayAttr, StringAttr, TensorType
from xdsl.dialects.linalg import ops as linalg
from xdsl.ir import BlockArgument, Operation, OpResult, SSAValue
from xdsl.utils.exceptions import VerifyException

from fuseir.dialects.dist.privilege import NO_ACCESS, READ, READ_WRITE, WRITE, Privilege

PRIVILEGES_ATTRIBUTE = "dist.privileges"


def is_kernel(function: func.FuncOp) -> bool:
    """Whether ``function`` has a body in tensor form: a single block that takes a tensor."""
    blocks = function.body.blocks
    return len(blocks) == 1 and any(isinstance(argument.type, TensorType) for argument in blocks[0].args)


def privileges_attribute(privileges: Sequence[Privilege]) -> ArrayAttr[StringAttr]:
    """What ``dist.privileges`` holds for these privileges."""
    return ArrayAttr([StringAttr(str(privilege)) for privilege in privileges])


def destination_root(value: SSAValue) -> SSAValue:
    """Where ``value`` is to be put: the parameter or ``tensor.empty`` at the end of its chain of ``outs``."""
    seen: set[SSAValue] = set()
    while isinstance(value, OpResult) and value not in seen:
        # A chain in one block is as long as the block, and hostile IR may make it a ring.
        seen.add(value)
        op = value.op
        if isinstance(op, linalg.GenericOp | linalg.FillOp) and value.index < len(op.outputs):
            value = op.outputs[value.index]
        else:
            break
    return value


def kernel_privileges(function: func.FuncOp) -> tuple[Privilege, ...]:
    """The privilege of each tensor parameter of the kernel ``function``.

    Raises VerifyException if the attribute is wrong, or missing where it cannot be inferred. Inferred privileges do not tell
    ``reduce`` from ``read_write``: both honour the contents on entry.
    """
    name = function.sym_name.data
    parameters = _tensor_parameters(function)
    attribute = function.attributes.get(PRIVILEGES_ATTRIBUTE)
    if attribute is None:
        return _infer(function, parameters)
    if not isinstance(attribute, ArrayAttr) or not all(isinstance(item, StringAttr) for item in attribute.data):
        raise VerifyException(f"kernel '@{name}': '{PRIVILEGES_ATTRIBUTE}' must be an array of strings")
    try:
        privileges = tuple(Privilege.parse(item.data) for item in attribute.data if isinstance(item, StringAttr))
    except ValueError as error:
        raise VerifyException(f"kernel '@{name}': '{PRIVILEGES_ATTRIBUTE}': {error}") from None
    results = len(function.function_type.outputs)
    if len(privileges) != len(parameters) or sum(p.returned for p in privileges) != results:
        raise VerifyException(
            f"kernel '@{name}': '{PRIVILEGES_ATTRIBUTE}' is for {len(privileges)} tensors and "
            f"{sum(p.returned for p in privileges)} results, the kernel has {len(parameters)} and {results}"
        )
    return privileges


def result_parameters(privileges: Sequence[Privilege]) -> tuple[int, ...]:
    """For each result of a kernel, the parameter whose new contents it is."""
    return tuple(k for k, privilege in enumerate(privileges) if privilege.returned)


def _tensor_parameters(function: func.FuncOp) -> list[BlockArgument]:
    return [argument for argument in function.body.blocks[0].args if isinstance(argument.type, TensorType)]


def _infer(function: func.FuncOp, parameters: list[BlockArgument]) -> tuple[Privilege, ...]:
    terminator = function.body.blocks[0].last_op
    returned = terminator.operands if isinstance(terminator, func.ReturnOp) else ()
    numbers: dict[SSAValue, int] = {parameter: k for k, parameter in enumerate(parameters)}
    homes = [numbers.get(destination_root(value), -1) for value in returned]
    for result, (home, previous) in enumerate(zip(homes, [-1, *homes], strict=False)):
        if home <= previous:
            raise VerifyException(
                f"kernel '@{function.sym_name.data}': which parameter result {result} belongs to cannot be inferred; "
                f"say so with the attribute '{PRIVILEGES_ATTRIBUTE}'"
            )
    privileges: list[Privilege] = []
    for k, parameter in enumerate(parameters):
        read = any(reads_contents(use.operation, use.index) for use in parameter.uses)
        if k in homes:
            privileges.append(READ_WRITE if read else WRITE)
        else:
            privileges.append(READ if read else NO_ACCESS)
    return tuple(privileges)


def reads_contents(op: Operation, operand: int) -> bool:
    """Whether ``op`` looks at the contents of its tensor operand, and not at its shape alone."""
    if isinstance(op, linalg.GenericOp):
        return op.body.blocks[0].args[operand].first_use is not None
    return not isinstance(op, tensor.DimOp | linalg.FillOp)
