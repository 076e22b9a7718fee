"""`compose-kernels`: one kernel for each fused task.

Before::

    func.func @mul(%x: tensor<?xf64>, %z: tensor<?xf64>) -> tensor<?xf64> { %p = linalg.generic … return %p }
    func.func @add(%y: tensor<?xf64>, %z: tensor<?xf64>, %w: tensor<?xf64>) -> tensor<?xf64> { … }

    dist.fused_task<[4]> temporaries(%z : …) {
      dist.launch @mul<[4]>(%x: read #t, %z: write #t) : …
      dist.launch @add<[4]>(%y: read #t, %z: read #t, %w: write #t) : …
    }

After::

    func.func private @fused_0(%x: tensor<?xf64>, %z: …, %y: …, %w: …) -> tensor<?xf64>
        attributes {dist.privileges = ["read", "no_access", "read", "write"]} {
      %p = linalg.generic … ins(%x) outs(%z) …       // the body of @mul
      %s = linalg.generic … ins(%y, %p) outs(%w) …   // the body of @add, reading @mul's result as a value
      return %s
    }
    dist.launch @fused_0<[4]>(%x: read #t, %z: no_access #t, %y: read #t, %w: write #t) : …

The bodies of the members are put one after another. The kernel has one parameter for each distinct piece (store, view, pieces by
partition) that the members use; what one member returns for it is what the next one that reads it gets, as a value. The legality
of the group is the alias analysis: no other member can touch those elements. Parameters:

* read and written by members: `read_write`, or `write` if the first access is a write (Diffuse §1.7.1's define-before-use; D37);
* temporaries: `no_access`. Their shape may still be needed; one that nothing uses is dropped;
* `reduce` arguments are never merged: each is a parameter of its own, since each reduction's partials are combined on their own, in
  order, exactly as without fusion.

Where a member may look at the shape of a piece only, it is given the parameter, not the value an earlier member made of it: results that
are overwritten are not kept alive. Operations without uses are erased; kernels have no side effects.

A plain launch is a group of one: it keeps its kernel if nothing changes, and gets one of its own if it names the same pieces twice (as in
in-place updates: read and write of one piece become `read_write`). Fused tasks that are composed alike share one kernel. Kernels that are
no longer launched are erased, launches that change nothing as well.

Postcondition: the module holds launches, releases, fences and definitions, and no fused tasks. Where a kernel's launch writes one of its
arguments, no other argument shares an element with it, at the same point or at another. Every launched kernel says in the attribute
`dist.privileges` what its tensor parameters are for.

Precondition: a verified module. Fused tasks may come from a file: one that breaks a fusion constraint raises LegalityError.
Complexity: linear in the size of the composed kernels and in the number of arguments of all members.
Source: Diffuse §4.2.2, §6.3, Theorem 1; checks D37-D39, D51.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Attribute, Block, Region, SSAValue

from fuseir.dialects.dist.launch import FusedTaskOp, LaunchOp
from fuseir.dialects.dist.privilege import Privilege
from fuseir.dialects.kernel import PRIVILEGES_ATTRIBUTE, privileges_attribute
from fuseir.dialects.verification import location_of
from fuseir.errors import LegalityError
from fuseir.passes.analysis.composition import Recipe, Step, plan_composition
from fuseir.passes.analysis.dependence import FusionState
from fuseir.passes.fuse_tasks import explain, fused_location
from fuseir.passes.remarks import RemarkingPass, RemarkKind, Remarks

Kernels = dict[str, func.FuncOp]


# Legality


def why_illegal(members: Sequence[LaunchOp], kernels: Kernels) -> str | None:
    """Why the members cannot run back to back at each point; None if they can."""
    state = FusionState(kernels)
    for member in members:
        if (refusal := state.try_add(member)) is not None:
            return f"{explain(refusal)}; {refusal.suggestion}"
    return None


# Composing


class ComposedKernel(NamedTuple):
    """A kernel made from a recipe, and which of the recipe's parameters and scalars it takes: the others turned out unused."""

    symbol: str
    parameters: tuple[int, ...]
    scalars: tuple[int, ...]


def compose(recipe: Recipe, name: str, kernels: Kernels) -> tuple[func.FuncOp, ComposedKernel]:
    """The kernel that runs the recipe's steps one after another on values."""
    tensors = len(recipe.privileges)
    block = Block(arg_types=_parameter_types(recipe, kernels))
    arguments = block.args
    current: list[SSAValue] = list(arguments[:tensors])
    for step in recipe.steps:
        _inline(step, kernels[step.task].body.block, current, block)
    returned = [k for k, privilege in enumerate(recipe.privileges) if privilege.returned]
    results = [current[k] for k in returned]
    block.add_op(func.ReturnOp(*results))
    _erase_unused(block)

    # What is written stays a parameter even where the kernel needs nothing of it, not its shape either: it is returned.
    kept = [k for k, argument in enumerate(arguments) if argument.first_use is not None or k in returned]
    for argument in [a for k, a in enumerate(arguments) if k not in set(kept)]:
        block.erase_arg(argument)
    parameters = tuple(k for k in kept if k < tensors)
    function = func.FuncOp(
        name, (block.arg_types, [value.type for value in results]), Region(block), visibility="private"
    )
    function.attributes[PRIVILEGES_ATTRIBUTE] = privileges_attribute([recipe.privileges[k] for k in parameters])
    function.location = fused_location([kernels[step.task] for step in recipe.steps])
    return function, ComposedKernel(name, parameters, tuple(k - tensors for k in kept if k >= tensors))


def _parameter_types(recipe: Recipe, kernels: Kernels) -> list[Attribute]:
    tensors: dict[int, Attribute] = {}
    scalars: dict[int, Attribute] = {}
    for step in recipe.steps:
        inputs = kernels[step.task].function_type.inputs.data
        tensors.update(zip(step.parameters, inputs, strict=False))
        scalars.update(zip(step.scalars, inputs[len(step.parameters) :], strict=True))
    return [types[k] for types in (tensors, scalars) for k in sorted(types)]


def _inline(step: Step, body: Block, current: list[SSAValue], block: Block) -> None:
    """Append a kernel's body to ``block``; ``current`` holds the value of each tensor parameter, and is brought up to date."""
    tensors = len(current)
    values: dict[SSAValue, SSAValue] = {}
    for argument, privilege, number in zip(body.args, step.privileges, step.parameters, strict=False):
        values[argument] = current[number] if privilege.reads else block.args[number]
        _keep_name(block.args[number], argument)
    for argument, number in zip(body.args[len(step.parameters) :], step.scalars, strict=True):
        values[argument] = block.args[tensors + number]
        _keep_name(block.args[tensors + number], argument)
    for op in body.ops:
        if not isinstance(op, func.ReturnOp):
            block.add_op(op.clone(values))
            continue
        returned = [n for n, privilege in zip(step.parameters, step.privileges, strict=True) if privilege.returned]
        for number, value in zip(returned, op.arguments, strict=True):
            current[number] = values[value]


def _keep_name(parameter: SSAValue, original: SSAValue) -> None:
    if parameter.name_hint is None:
        parameter.name_hint = original.name_hint


def _erase_unused(block: Block) -> None:
    """Erase operations that nothing uses, last first, so that one walk suffices."""
    op = block.last_op
    while op is not None:
        before = op.prev_op
        if op.results and all(result.first_use is None for result in op.results):
            block.erase_op(op)
        op = before


class _Composer:
    """The kernels of one module while its launches are rewritten."""

    def __init__(self, module: ModuleOp) -> None:
        self.kernels: Kernels = {
            op.sym_name.data: op for op in module.ops if isinstance(op, func.FuncOp) and not op.is_declaration
        }
        self.launched_before: set[str] = set()
        self._block = module.body.block
        self._symbols = {op.sym_name.data for op in module.ops if isinstance(op, func.FuncOp)}
        self._made: dict[Recipe, ComposedKernel] = {}
        self._kept: dict[str, tuple[Privilege, ...]] = {}
        self._next_number = 0

    def kernel(self, recipe: Recipe) -> ComposedKernel:
        """The kernel for a recipe, made if there is none yet."""
        if recipe not in self._made:
            self._made[recipe] = self._keep(recipe) if self._can_keep(recipe) else self._compose(recipe)
        return self._made[recipe]

    def _can_keep(self, recipe: Recipe) -> bool:
        # One function cannot serve launches with different privileges: the code made from it depends on them.
        return recipe.changes_nothing and self._kept.get(recipe.steps[0].task) in (None, recipe.privileges)

    def _keep(self, recipe: Recipe) -> ComposedKernel:
        step = recipe.steps[0]
        self._kept[step.task] = recipe.privileges
        self.kernels[step.task].attributes[PRIVILEGES_ATTRIBUTE] = privileges_attribute(recipe.privileges)
        return ComposedKernel(step.task, step.parameters, step.scalars)

    def _compose(self, recipe: Recipe) -> ComposedKernel:
        while (name := f"fused_{self._next_number}") in self._symbols:
            self._next_number += 1
        self._symbols.add(name)
        function, composed = compose(recipe, name, self.kernels)
        # Before the program, behind the kernels that stand at the head of the module.
        place = self._block.first_op
        while isinstance(place, func.FuncOp):
            place = place.next_op
        assert place is not None  # there is a launch
        self._block.insert_op_before(function, place)
        return composed

    def rewrite(self, op: LaunchOp | FusedTaskOp, members: Sequence[LaunchOp]) -> LaunchOp | None:
        """Put the launch of a composed kernel in the place of ``op``. Returns it, or None if there is nothing to launch."""
        temporaries = op.temporaries if isinstance(op, FusedTaskOp) else ()
        composition = plan_composition(members, temporaries)
        self.launched_before.update(member.task_name for member in members)
        launch: LaunchOp | None = None
        if any(privilege.returned for privilege in composition.recipe.privileges):
            kernel = self.kernel(composition.recipe)
            accesses = [composition.accesses[k] for k in kernel.parameters]
            launch = LaunchOp(
                kernel.symbol,
                op.extents,
                [access.value for access in accesses],
                [composition.recipe.privileges[k] for k in kernel.parameters],
                [access.partition for access in accesses],
                [composition.scalars[k] for k in kernel.scalars],
            )
            launch.location = op.location
            self._block.insert_op_before(launch, op)
        op.detach()
        op.erase()
        return launch

    def erase_unlaunched(self, launched: Container[str]) -> None:
        """Erase the kernels that were launched and no longer are."""
        for name in sorted(self.launched_before):
            if name not in launched:
                self._block.erase_op(self.kernels[name])


@dataclass(frozen=True)
class ComposeKernelsPass(RemarkingPass):
    """Make one launch of one kernel of each fused task."""

    name = "compose-kernels"

    def run(self, module: ModuleOp, remarks: Remarks) -> None:
        """Rewrite all fused tasks and all launches of kernels. Raises LegalityError if a fused task breaks a constraint."""
        composer = _Composer(module)
        launched: set[str] = set()
        for op in list(module.ops):
            if isinstance(op, FusedTaskOp):
                members = op.members
                if (reason := why_illegal(members, composer.kernels)) is not None:
                    raise LegalityError(f"fused task breaks a constraint: {reason}", location=location_of(op))
            elif isinstance(op, LaunchOp) and op.task_name in composer.kernels:
                members = (op,)
            else:
                continue
            names = ", ".join(f"'@{member.task_name}'" for member in members)
            launch = composer.rewrite(op, members)
            if launch is None:
                remarks.add(RemarkKind.PASSED, "FIR-N121", self.name, f"erased {names}: nothing is changed", module)
                continue
            launched.add(launch.task_name)
            if len(members) > 1:
                message = f"composed {names} into '@{launch.task_name}'"
                tasks = [(member.task_name, member) for member in members]
                remarks.add(RemarkKind.PASSED, "FIR-N120", self.name, message, launch, tasks=tasks)
        composer.erase_unlaunched(launched)
