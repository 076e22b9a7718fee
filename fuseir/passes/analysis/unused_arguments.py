"""Arguments that kernels no longer look at, and stores that nothing looks at once they are gone."""

from __future__ import annotations

from collections.abc import Iterable

from xdsl.dialects import func
from xdsl.dialects.builtin import FunctionType, ModuleOp
from xdsl.ir import SSAValue

from fuseir.dialects.dist.launch import LaunchOp
from fuseir.dialects.dist.ops import ReleaseOp, StoreOp, ViewOp
from fuseir.dialects.dist.privilege import PrivilegeKind
from fuseir.dialects.kernel import PRIVILEGES_ATTRIBUTE, is_kernel, privileges_attribute


def drop_unused_arguments(module: ModuleOp) -> None:
    """Drops `no_access` arguments of launched kernels whose shape nobody asks for, and what is left of eliminated temporaries.

    Linear in the module. Functions that nothing launches keep their signature.
    """
    launches: dict[str, list[LaunchOp]] = {}
    for op in module.ops:
        if isinstance(op, LaunchOp):
            launches.setdefault(op.task_name, []).append(op)
    kernels = {op.sym_name.data: op for op in module.ops if isinstance(op, func.FuncOp) and is_kernel(op)}
    dropped: list[SSAValue] = []
    for name, users in launches.items():
        if name in kernels:
            dropped += _drop(kernels[name], users)
    erase_unused(dropped)


def erase_unused(dropped: Iterable[SSAValue]) -> None:
    """Erases what is left of eliminated temporaries that launches are no longer given."""
    for value in dict.fromkeys(dropped):
        _erase_if_unused(value)


def _drop(kernel: func.FuncOp, launches: list[LaunchOp]) -> list[SSAValue]:
    """Drops a kernel's unused arguments from it and from its launches. Returns the values the launches passed."""
    parameters = kernel.body.block.args
    unused = {
        k
        for k, privilege in enumerate(launches[0].privileges.data)
        if parameters[k].first_use is None
        and all(launch.privileges.data[k].data.kind is PrivilegeKind.NO_ACCESS for launch in launches)
        and privilege.data.kind is PrivilegeKind.NO_ACCESS
    }
    if not unused:
        return []
    for k in sorted(unused, reverse=True):
        kernel.body.block.erase_arg(parameters[k])
    kernel.function_type = FunctionType.from_lists(
        [argument.type for argument in kernel.body.block.args], list(kernel.function_type.outputs.data)
    )
    dropped: list[SSAValue] = []
    for launch in launches:
        kept = [k for k in range(len(launch.arguments)) if k not in unused]
        privileges = [launch.privileges.data[k].data for k in kept]
        kernel.attributes[PRIVILEGES_ATTRIBUTE] = privileges_attribute(privileges)
        dropped += [launch.arguments[k] for k in sorted(unused)]
        smaller = LaunchOp(
            launch.task,
            launch.extents,
            [launch.arguments[k] for k in kept],
            privileges,
            [launch.partitions.data[k] for k in kept],
            list(launch.scalars),
        )
        smaller.location = launch.location
        smaller.attributes |= launch.attributes
        block = launch.parent
        assert block is not None  # it was found in the module
        block.insert_op_before(smaller, launch)
        block.erase_op(launch)
    return dropped


def _erase_if_unused(value: SSAValue) -> None:
    """Erases an unnamed store, or a view, that at most a release is left of; a view's store too, then."""
    owner = value.owner
    if not isinstance(owner, ViewOp | StoreOp) or (isinstance(owner, StoreOp) and owner.store_name is not None):
        return
    users = [use.operation for use in value.uses]
    if not all(isinstance(user, ReleaseOp) for user in users):
        return
    for user in users:
        user.detach()
        user.erase()
    store = owner.store if isinstance(owner, ViewOp) else None
    owner.detach()
    owner.erase()
    if store is not None:
        _erase_if_unused(store)
