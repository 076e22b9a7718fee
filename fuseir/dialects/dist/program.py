"""Rules that span a whole program: names, lifetimes, definedness."""

from __future__ import annotations

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue
from xdsl.utils.exceptions import VerifyException

from fuseir.dialects.dist.launch import FusedTaskOp, LaunchOp
from fuseir.dialects.dist.ops import ReleaseOp, ScalarOp, StoreOp, ViewOp


class ProgramError(VerifyException):
    """A rule of the program broken at ``operation``."""

    def __init__(self, operation: Operation, message: str) -> None:
        super().__init__(message)
        self.operation = operation


def verify_program(module: ModuleOp) -> None:
    """Checks what single operations cannot see. Linear in the program; use before definition is the SSA check's affair.

    Store and scalar names are unique; a store is released at most once and not used afterwards; an unnamed store is not read or
    reduced into before something was written to it. Raises ProgramError.
    """
    _verify_names(module)
    released: set[SSAValue] = set()
    defined = {op.result for op in module.ops if isinstance(op, StoreOp) and op.store_name is not None}
    for op in module.ops:
        if isinstance(op, ViewOp):
            _verify_alive(op, op.store, released)
        elif isinstance(op, ReleaseOp):
            _verify_alive(op, op.store, released)
            released.add(op.store)
        elif isinstance(op, FusedTaskOp):
            for member in op.members:
                _verify_launch(member, released, defined)
        elif isinstance(op, LaunchOp):
            _verify_launch(op, released, defined)


def _verify_names(module: ModuleOp) -> None:
    names: set[str] = set()
    for op in module.ops:
        attribute = op.store_name if isinstance(op, StoreOp) else op.scalar_name if isinstance(op, ScalarOp) else None
        if attribute is None:
            continue
        if attribute.data in names:
            raise ProgramError(op, f'the name "{attribute.data}" is taken by an earlier store or scalar')
        names.add(attribute.data)


def _verify_alive(op: Operation, store: SSAValue, released: set[SSAValue]) -> None:
    if store in released:
        raise ProgramError(op, "the store was released before")


def _verify_launch(launch: LaunchOp, released: set[SSAValue], defined: set[SSAValue]) -> None:
    accesses = launch.accesses
    for access in accesses:
        _verify_alive(launch, access.root, released)
    for k, access in enumerate(accesses):
        if (access.privilege.reads or access.privilege.reduces) and access.root not in defined:
            raise ProgramError(
                launch, f"argument {k}: '{access.privilege}' of an unnamed store that nothing was written to"
            )
    defined.update(access.root for access in accesses if access.privilege.writes)
