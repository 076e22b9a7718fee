"""What a launch asks of the task it names: a signature that fits, a kernel that keeps its contract, extents that agree.

These rules look at two places at once, the launch and the function, so the program's verifier calls them (``program.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from xdsl.dialects import func
from xdsl.dialects.builtin import DYNAMIC_INDEX, IntegerType, Signedness, TensorType
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.utils.exceptions import VerifyException

from fuseir.dialects import kernel
from fuseir.dialects.dist.attributes import is_element_type, kernel_element_type
from fuseir.dialects.dist.launch import FusedTaskOp, LaunchOp
from fuseir.dialects.dist.ops import shaped
from fuseir.dialects.dist.partition import extent_fixed, extents_agree, intervals_fixed
from fuseir.dialects.dist.privilege import Operator, Privilege

ExtentClasses = tuple[tuple[tuple[int, int], ...], ...]
"""Sets of (argument, dimension) whose tiles have equal extents, members and sets in order."""


class KernelFacts:
    """What verification learns about kernels, kept while nothing changes: a program launches few kernels many times."""

    def __init__(self) -> None:
        self._extent_classes: dict[tuple[func.FuncOp, tuple[Privilege, ...], tuple[Attribute, ...]], ExtentClasses] = {}

    def verified(
        self, function: func.FuncOp, privileges: tuple[Privilege, ...], scalar_types: tuple[Attribute, ...]
    ) -> ExtentClasses:
        """The extent classes of a kernel. Raises VerifyException unless it keeps the contract under these privileges."""
        key = (function, privileges, scalar_types)
        if key not in self._extent_classes:
            arguments = [(str(p.kind), None if p.operator is None else str(p.operator)) for p in privileges]
            kernel.verify_kernel(function, arguments, scalar_types)
            classes = kernel.extent_classes(function, kernel.result_parameters(privileges))
            self._extent_classes[key] = tuple(sorted(tuple(sorted(members)) for members in classes))
        return self._extent_classes[key]


def verify_task(launch: LaunchOp, found: Operation | None, kernels: KernelFacts) -> None:
    """The rules about the task: ``found`` is what the symbol names, ``kernels`` what is known of kernels already."""
    if found is None:
        raise VerifyException(f"unknown task '@{launch.task_name}'")
    if not isinstance(found, func.FuncOp):
        raise VerifyException(f"'@{launch.task_name}' is no function")
    if kernel.is_lowered(found):
        _verify_signature(launch, found, lowered=True)
        return
    _verify_signature(launch, found)
    if found.is_declaration:
        if isinstance(launch.parent_op(), FusedTaskOp):
            raise VerifyException(f"opaque task '@{launch.task_name}' cannot be fused")
        _verify_opaque_copies(launch)
        return
    privileges = tuple(p.data for p in launch.privileges.data)
    _verify_extents(launch, kernels.verified(found, privileges, tuple(scalar.type for scalar in launch.scalars)))
    _verify_signs(launch, found)
    _verify_copies(launch, found)


def _verify_signs(launch: LaunchOp, callee: func.FuncOp) -> None:
    """Kernels are signless: a ``min`` or ``max`` must compare integers as the store means them."""
    for k, (value, privilege) in enumerate(zip(launch.arguments, launch.privileges.data, strict=True)):
        element_type = shaped(value).element_type
        if privilege.data.operator not in (Operator.MIN, Operator.MAX) or not isinstance(element_type, IntegerType):
            continue
        wanted = element_type.signedness.data is Signedness.UNSIGNED or element_type.width.data == 1
        for combiner in kernel.folds_into(callee, callee.body.block.args[k]):
            if kernel.compares_unsigned(combiner) not in (None, wanted):
                raise VerifyException(
                    f"'@{launch.task_name}' folds argument {k}, whose elements are {element_type}, with '{combiner.name}'"
                )


def _verify_signature(launch: LaunchOp, callee: func.FuncOp, *, lowered: bool = False) -> None:
    inputs, outputs = callee.function_type.inputs.data, callee.function_type.outputs.data
    tiles = [_tile_type(value) for value in launch.arguments]
    for scalar in launch.scalars:
        if not is_element_type(scalar.type) or kernel_element_type(scalar.type) != scalar.type:
            raise VerifyException(f"a scalar has type i1, i8…i64, f32 or f64, not {scalar.type}")
    expected: list[Attribute] = [*tiles, *(scalar.type for scalar in launch.scalars)]
    if lowered:
        # It was verified as a kernel on tensors; on memory there is nothing left to prove it by.
        _verify_types(f"'@{launch.task_name}' takes", "parameter", inputs, [*map(kernel.lowered_type, expected)])
        return
    _verify_types(f"'@{launch.task_name}' takes", "parameter", inputs, expected)
    returned = [tile for tile, p in zip(tiles, launch.privileges.data, strict=True) if p.data.returned]
    _verify_types(f"'@{launch.task_name}' returns", "result", outputs, returned)


def _verify_extents(launch: LaunchOp, extent_classes: ExtentClasses) -> None:
    """Tile extents that the kernel takes to be equal are equal at every point."""
    intervals = [access.partition.partition.intervals(access.shape) for access in launch.accesses]
    for first, *rest in extent_classes:
        for other in rest:
            if not extents_agree(intervals[first[0]][first[1]], intervals[other[0]][other[1]], launch.extents):
                raise VerifyException(
                    f"'@{launch.task_name}' needs dimension {first[1]} of argument {first[0]} and dimension {other[1]} "
                    f"of argument {other[0]} to have equal extents at every point"
                )


def _copies(launch: LaunchOp) -> list[int]:
    """The arguments of which each of several points writes its own copy."""
    if prod(launch.extents) <= 1:
        return []
    return [
        k
        for k, access in enumerate(launch.accesses)
        if access.privilege.writes and access.partition.partition.replicated
    ]


def _verify_opaque_copies(launch: LaunchOp) -> None:
    """Nothing tells whether a task without a body does the same at each point."""
    for k in _copies(launch):
        raise VerifyException(f"argument {k}: opaque task '@{launch.task_name}' writes through #dist.replicated")


def _verify_copies(launch: LaunchOp, callee: func.FuncOp) -> None:
    """What is written through ``#dist.replicated`` is the same at each point: it is made of nothing that differs between points."""
    copies = _copies(launch)
    if not copies:
        return
    accesses, domain = launch.accesses, launch.extents
    intervals = [access.partition.partition.intervals(access.shape) for access in accesses]
    returned = kernel.result_parameters([access.privilege for access in accesses])
    for argument, sources in zip(returned, kernel.sources_of_results(callee), strict=True):
        if argument not in copies:
            continue
        for source in sorted(sources, key=str):
            if isinstance(source, tuple):
                k, dimension = source
                same = extent_fixed(intervals[k][dimension], domain)
            else:
                # Without the right to read, a task starts from the same contents at each point: none, or an identity.
                k, reads = source, accesses[source].privilege.reads
                same = (
                    intervals_fixed(intervals[k], domain)
                    if reads
                    else all(extent_fixed(i, domain) for i in intervals[k])
                )
            if not same:
                raise VerifyException(
                    f"argument {argument} is written through #dist.replicated but depends on argument {k}, which differs "
                    "between points"
                )


def _tile_type(value: SSAValue) -> TensorType[Attribute]:
    store_type = shaped(value)
    return TensorType(kernel_element_type(store_type.element_type), [DYNAMIC_INDEX] * len(store_type.extents))


def _verify_types(head: str, noun: str, found: Sequence[Attribute], expected: Sequence[Attribute]) -> None:
    if len(found) != len(expected):
        raise VerifyException(f"{head} {len(found)} {noun}s, the launch needs {len(expected)}")
    for k, (have, want) in enumerate(zip(found, expected, strict=True)):
        if have != want:
            raise VerifyException(f"{head} {have} as {noun} {k}, the launch needs {want}")
