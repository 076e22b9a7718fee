"""`reuse-inputs`: a result goes to the memory of an input that nobody needs any more.

Before::

    dist.launch @scale<[4]>(%x: read #t, %z: write #t) : …      // @scale(%x, %z: tensor<?xf64>, tensor<?xf64>)
    dist.release %x : …

After::

    dist.launch @scale<[4]>(%x: read_write #t) : …              // @scale(%x: tensor<?xf64>)
    dist.swap %x, %z : …
    dist.release %x : …

Such a launch goes through less memory: what is written is in the cache already, and what a store had before is not fetched in vain.

**Legality.** The input is released behind the launch, which is the last one to use it, and is no output of the program: it has no
name, or is an input only (``INPUT_ONLY``). No opaque task has it, as Python code may keep views of what it was given, and no swap
moves it. Both stores have one type, and are arguments of the launch once each, as a whole and through one partition, so each point
writes what it alone reads. The result covers all of its store. What a kernel does to a ``read_write`` argument is the contract's
business (docs/kernels.md).

**Profit.** Both stores are of ``smallest-bytes`` at least, and lowering the kernel needs no more scratch tiles and copies than before
(``analysis/kernel_memory.py``): where another element of the input is read after one was written, the old contents would have to be kept.

Precondition: a verified module behind `compose-kernels`: no fused tasks, no views that meet. Linear in launches and arguments; lowers
each kernel concerned in mind, twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Sequence
from dataclasses import dataclass
from itertools import count
from math import prod

from xdsl.dialects import func
from xdsl.dialects.builtin import FunctionType, ModuleOp, StringAttr
from xdsl.ir import SSAValue

from fuseir.dialects.dist.access import Access
from fuseir.dialects.dist.launch import LaunchOp
from fuseir.dialects.dist.ops import INPUT_ONLY, ReleaseOp, StoreOp, SwapOp, shaped
from fuseir.dialects.dist.privilege import READ, READ_WRITE, WRITE, Privilege
from fuseir.dialects.kernel import PRIVILEGES_ATTRIBUTE, is_kernel, privileges_attribute, result_parameters
from fuseir.dtypes import DTYPES
from fuseir.passes.analysis.labels import store_label
from fuseir.passes.lower_kernels import memory_plan
from fuseir.passes.remarks import RemarkingPass, RemarkKind, Remarks

SMALLEST_BYTES = 1 << 16
"""Of what is smaller, memory that was used lately is in the cache anyway."""


def releasable(module: ModuleOp) -> set[SSAValue]:
    """The stores of a module that may lose their memory to a result: released, and no outputs."""
    released = {op.store for op in module.ops if isinstance(op, ReleaseOp)}
    return {op.result for op in module.ops if isinstance(op, StoreOp) and op.result in released and not _is_output(op)}


def may_reuse(accesses: Sequence[Access], stores: Container[SSAValue]) -> bool:
    """Whether a launch with these accesses might get a result in the memory of an input, one of ``stores``.

    Only an upper bound: it knows neither what else the program does with the input, nor what the kernel does.
    """
    results = {access.root.type for access in accesses if access.privilege == WRITE and access.value is access.root}
    return any(
        access.privilege == READ
        and access.value is access.root
        and access.root in stores
        and access.root.type in results
        and _bytes(access.root) >= SMALLEST_BYTES
        for access in accesses
    )


def _is_output(op: StoreOp) -> bool:
    return op.store_name is not None and INPUT_ONLY not in op.attributes


@dataclass
class _Uses:
    """What happens to a store: the number of the last launch that has it, whether it is released, and whether it has to keep its memory."""

    last: int = -1
    released: bool = False
    barred: bool = False


# Legality


def _uses_of_stores(module: ModuleOp, launches: list[LaunchOp], kernels: _Kernels) -> dict[SSAValue, _Uses]:
    uses: dict[SSAValue, _Uses] = {}
    for op in module.ops:
        if isinstance(op, StoreOp):
            uses[op.result] = _Uses(barred=_is_output(op))
        elif isinstance(op, ReleaseOp):
            uses[op.store].released = True
        elif isinstance(op, SwapOp):
            uses[op.first].barred = uses[op.second].barred = True
    for number, launch in enumerate(launches):
        for access in launch.accesses:
            uses[access.root].last = number
            uses[access.root].barred |= launch.task_name not in kernels.by_name
    return uses


def _pairs(
    accesses: tuple[Access, ...], launch: LaunchOp, number: int, uses: dict[SSAValue, _Uses]
) -> list[tuple[int, int]]:
    """Arguments of a launch by number: inputs that nobody needs behind it, with results that may have their memory."""
    roots = [access.root for access in accesses]
    whole = [k for k, each in enumerate(accesses) if each.value is each.root and roots.count(each.root) == 1]
    dying = [
        k
        for k in whole
        if accesses[k].privilege == READ and (use := uses[roots[k]]).last == number and use.released and not use.barred
    ]
    return [
        (k, result)
        for result in whole
        if accesses[result].privilege == WRITE and accesses[result].covers_root(launch.extents)
        for k in dying
        if roots[k].type == roots[result].type
        and accesses[k].partition == accesses[result].partition
        and not accesses[k].partition.partition.replicated
    ]


# Profit


def _bytes(store: SSAValue) -> int:
    store_type = shaped(store)
    return prod(store_type.extents) * DTYPES[str(store_type.element_type)].itemsize


def _costs_no_more(
    before: func.FuncOp, after: func.FuncOp, privileges: tuple[list[Privilege], list[Privilege]]
) -> bool:
    """Whether lowering needs no more memory and copies than before."""
    old, new = (memory_plan(kernel, each) for kernel, each in zip((before, after), privileges, strict=True))
    return len(new.slots) <= len(old.slots) and len(new.copies) <= len(old.copies)


# Rewriting


def _in_place(
    kernel: func.FuncOp, privileges: list[Privilege], source: int, target: int
) -> tuple[func.FuncOp, list[Privilege]]:
    """A kernel that returns the result for parameter ``target`` as the new contents of ``source``, and lacks the former."""
    made = kernel.clone()
    block = made.body.block
    end = block.last_op
    assert isinstance(end, func.ReturnOp)
    values = dict(zip(result_parameters(privileges), end.arguments, strict=True))
    values[source] = values.pop(target)
    # Its shape was all that the kernel had of it.
    block.args[target].replace_all_uses_with(block.args[source])
    block.erase_arg(block.args[target])
    block.erase_op(end)
    returned = [values[k] for k in sorted(values)]
    block.add_op(func.ReturnOp(*returned))
    made.function_type = FunctionType.from_lists([each.type for each in block.args], [each.type for each in returned])
    remaining = [READ_WRITE if k == source else each for k, each in enumerate(privileges) if k != target]
    made.attributes[PRIVILEGES_ATTRIBUTE] = privileges_attribute(remaining)
    return made, remaining


@dataclass(frozen=True)
class ReuseInputsPass(RemarkingPass):
    """Let results take the memory of inputs that nobody needs any more."""

    name = "reuse-inputs"

    smallest_bytes: int = SMALLEST_BYTES
    """Of what is smaller, memory that was used lately is in the cache anyway."""

    def run(self, module: ModuleOp, remarks: Remarks) -> None:
        """Rewrite each launch as often as there are inputs and results that fit."""
        kernels = _Kernels(module)
        launches = [op for op in module.ops if isinstance(op, LaunchOp)]
        uses = _uses_of_stores(module, launches, kernels)
        for number, launch in enumerate(launches):
            current: LaunchOp | None = launch if launch.task_name in kernels.by_name else None
            while current is not None:
                current = self._rewrite(current, number, uses, kernels, remarks)

    def _rewrite(
        self, launch: LaunchOp, number: int, uses: dict[SSAValue, _Uses], kernels: _Kernels, remarks: Remarks
    ) -> LaunchOp | None:
        """The launch that one result of this one takes an input's memory in; None if there is none."""
        kernel, accesses = kernels.by_name[launch.task_name], launch.accesses
        privileges = [access.privilege for access in accesses]
        for source, target in _pairs(accesses, launch, number, uses):
            store, result = accesses[source].root, accesses[target].root
            if _bytes(store) < self.smallest_bytes:
                continue
            made, remaining = _in_place(kernel, privileges, source, target)
            if not _costs_no_more(kernel, made, (privileges, remaining)):
                continue
            label = store_label(store)
            message = f"store {store_label(result)} takes the memory of {label}, which nobody needs any more"
            remarks.add(RemarkKind.PASSED, "FIR-N141", self.name, message, launch, store=label)
            kept = [k for k in range(len(accesses)) if k != target]
            smaller = LaunchOp(
                kernels.replace(launch.task_name, made),
                launch.extents,
                [accesses[k].value for k in kept],
                remaining,
                [accesses[k].partition for k in kept],
                list(launch.scalars),
            )
            smaller.location = launch.location
            smaller.attributes |= launch.attributes
            block = launch.parent
            assert block is not None  # it was found in the module
            block.insert_op_before(smaller, launch)
            block.insert_op_before(SwapOp(store, result), launch)
            block.erase_op(launch)
            return smaller
        return None


class _Kernels:
    """The kernels of a module, and how many launches each has."""

    def __init__(self, module: ModuleOp) -> None:
        functions = [op for op in module.ops if isinstance(op, func.FuncOp)]
        self.by_name = {function.sym_name.data: function for function in functions if is_kernel(function)}
        self._symbols = {function.sym_name.data for function in functions}
        self._launches = Counter(op.task_name for op in module.ops if isinstance(op, LaunchOp))

    def replace(self, name: str, kernel: func.FuncOp) -> str:
        """Gives one launch of a kernel another one instead: its name. The old one goes if nothing launches it any more."""
        old = self.by_name[name]
        block = old.parent
        assert block is not None  # it was found in the module
        block.insert_op_after(kernel, old)
        self._launches[name] -= 1
        if self._launches[name] == 0:
            block.erase_op(old)
        else:
            numbers = count()
            while (fresh := f"{name}_in_place_{next(numbers)}") in self._symbols:
                pass
            self._symbols.add(fresh)
            name = fresh
        kernel.sym_name = StringAttr(name)
        self.by_name[name] = kernel
        self._launches[name] += 1
        return name
