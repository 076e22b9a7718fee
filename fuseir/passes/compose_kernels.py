"""`compose-kernels`: one kernel for each fused task, or a few.

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
partition) that the members use; what one member returns for it is what the next one that reads it gets, as a value. No other parameter
holds any of those elements. Parameters:

* read and written by members: `read_write`, or `write` if the first access is a write (Diffuse §1.7.1's define-before-use; D37);
* temporaries: `no_access`. Their shape may still be needed; one that nothing uses is dropped;
* `reduce` arguments that nobody else meets are never merged: each is a parameter of its own, since each reduction's partials are
  combined on their own, in order, exactly as without fusion;
* `reduce` arguments whose pieces other members read, write, or reduce with another operator are promoted. Only one point folds into
  such a piece, so what it folds is all there is: the member folds into a tensor full of the operator's identity, and `old ⊕ fold`,
  element by element, is the new value of the piece, which is read and written. Bit for bit what the executors do with partials.

Where a member reads pieces that are broadcasts of pieces which members change (a row's maximum, along the row), at each point of that
point's own, it gets the broadcast of the value at hand; it keeps a `no_access` parameter of its own for the shape. Which pieces those are
is told by the algebra of views and partitions (``Access.broadcast_from``); transposes are among them.

Pieces that repeat elements along their last dimensions, and are only read, are broadcasts too: of a parameter without these dimensions. A
loop along one of them then has a value that stays, where memory would not move from neighbour to neighbour. ``repeats`` turns that off.

Where pieces of one store overlap at a point otherwise, memory says what a value cannot: the fused task is cut there
(``analysis/runs.py``). Each run of members becomes one launch, in order. A temporary on both sides of a cut gets memory after all.

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
Source: Diffuse §4.2.2, §6.3, §6.4, Theorem 1; checks D21, D37-D39, D51, D62.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from xdsl.dialects import func
from xdsl.dialects.builtin import DYNAMIC_INDEX, ModuleOp, TensorType, UnknownLoc
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from fuseir.dialects.dist.launch import FusedTaskOp, LaunchOp
from fuseir.dialects.dist.privilege import Privilege
from fuseir.dialects.kernel import PRIVILEGES_ATTRIBUTE, folds_into, privileges_attribute, result_parameters
from fuseir.dialects.verification import location_of
from fuseir.errors import LegalityError
from fuseir.passes.analysis.assembled_stores import may_be_split
from fuseir.passes.analysis.composition import Recipe, Step, plan_composition
from fuseir.passes.analysis.dependence import Comparisons, FusionState, IndexTask, Rules
from fuseir.passes.analysis.dependence import Kernels as TaskKinds
from fuseir.passes.analysis.labels import access_label, pieces_label, store_label
from fuseir.passes.analysis.promotion import broadcast_like, combined, filled_with_identity
from fuseir.passes.analysis.runs import PieceRelations, Run, cut_into_runs
from fuseir.passes.analysis.unused_arguments import erase_unused
from fuseir.passes.fuse_tasks import Views, explain, fused_location
from fuseir.passes.known_kernels import KernelMemory
from fuseir.passes.remarks import RemarkingPass, RemarkKind, Remarks
from fuseir.passes.reuse_inputs import may_reuse, releasable

Kernels = dict[str, func.FuncOp]


# Legality


def why_illegal(members: Sequence[LaunchOp], kernels: TaskKinds, comparisons: Comparisons) -> str | None:
    """Why the members cannot run back to back at each point; None if they can."""
    state = FusionState(Rules(), comparisons)
    for member in members:
        if (refusal := state.try_add(IndexTask.of(member, kernels, comparisons))) is not None:
            return f"{explain(refusal)}; {refusal.suggestion}"
    return None


# Composing


class ComposedKernel(NamedTuple):
    """A kernel made from a recipe, and which of the recipe's parameters and scalars it takes: the others turned out unused.

    ``dropped`` parameters of a kernel that is remembered turned out so later, in ``fuse-kernels``.
    """

    symbol: str
    parameters: tuple[int, ...]
    scalars: tuple[int, ...]
    dropped: tuple[int, ...] = ()


def compose(recipe: Recipe, name: str, kernels: Kernels) -> tuple[func.FuncOp, ComposedKernel]:
    """The kernel that runs the recipe's steps one after another on values."""
    tensors = len(recipe.privileges)
    block = Block(arg_types=_parameter_types(recipe, kernels))
    arguments = block.args
    current: list[SSAValue] = list(arguments[:tensors])
    for step in recipe.steps:
        _inline(step, recipe.privileges, kernels[step.task], current, block)
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
        for argument, parameter, dims in step.broadcasts:
            repeated = inputs[argument]
            assert isinstance(repeated, TensorType)
            tensors.setdefault(parameter, TensorType(repeated.element_type, [DYNAMIC_INDEX] * len(dims)))
        scalars.update(zip(step.scalars, inputs[len(step.parameters) :], strict=True))
    return [types[k] for types in (tensors, scalars) for k in sorted(types)]


def _inline(
    step: Step, merged: Sequence[Privilege], kernel: func.FuncOp, current: list[SSAValue], block: Block
) -> None:
    """Append a kernel's body to ``block``; ``current`` holds the value of each tensor parameter, and is brought up to date.

    ``merged`` are the privileges of the parameters.
    """
    tensors = len(current)
    body = kernel.body.block
    values: dict[SSAValue, SSAValue] = {}
    combiners: dict[int, Operation] = {}
    broadcasts = {broadcast.argument: broadcast for broadcast in step.broadcasts}
    for k, (argument, privilege, number) in enumerate(zip(body.args, step.privileges, step.parameters, strict=False)):
        _keep_name(block.args[number], argument)
        if privilege.reduces and not merged[number].reduces:
            combiners[k] = next(folds_into(kernel, argument))  # the contract wants one
            values[argument] = filled_with_identity(combiners[k], block.args[number], block)
        elif k in broadcasts:
            source = current[broadcasts[k].parameter]
            values[argument] = broadcast_like(block.args[number], source, broadcasts[k].dims, block)
        else:
            values[argument] = current[number] if privilege.reads else block.args[number]
    for argument, number in zip(body.args[len(step.parameters) :], step.scalars, strict=True):
        values[argument] = block.args[tensors + number]
        _keep_name(block.args[tensors + number], argument)
    for op in body.ops:
        if not isinstance(op, func.ReturnOp):
            block.add_op(op.clone(values))
            continue
        for k, result in zip(result_parameters(step.privileges), op.arguments, strict=True):
            number, value = step.parameters[k], values[result]
            if k in combiners:
                value = combined(combiners[k], current[number], value, block.args[number], block)
            current[number] = value


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

    def __init__(self, module: ModuleOp, memory: KernelMemory | None, *, repeats: bool) -> None:
        self.memory = memory
        self.views = Views()
        self._repeats = repeats
        self.kernels: Kernels = {
            op.sym_name.data: op for op in module.ops if isinstance(op, func.FuncOp) and not op.is_declaration
        }
        self.relations = PieceRelations()
        self._functions = dict(self.kernels)
        self.launched_before: set[str] = set()
        self._block = module.body.block
        self._symbols = {op.sym_name.data for op in module.ops if isinstance(op, func.FuncOp)}
        self._made: dict[Recipe, ComposedKernel] = {}
        self._kept: dict[str, tuple[Privilege, ...]] = {}
        self._next_number = 0
        self._releasable = releasable(module)
        self._may_be_split = may_be_split(module) if memory is not None and memory.splits else set[SSAValue]()
        # Kernels that were remembered and not made.
        self._found: set[str] = set()
        self.dropped: list[SSAValue] = []
        """What launches of remembered kernels are not given."""

    def kernel(self, recipe: Recipe, *, remembered: bool) -> ComposedKernel:
        """The kernel for a recipe, made if there is none yet; ``remembered`` says whether one will do that has no function here."""
        made = self._made.get(recipe)
        if made is None or (made.symbol in self._found and not remembered):
            made = self._remembered(recipe) if remembered else None
            if made is None:
                made = self._keep(recipe) if self._can_keep(recipe) else self._compose(recipe)
                if self.memory is not None:
                    self.memory.note(made.symbol, recipe, self.kernels, (made.parameters, made.scalars))
            self._made[recipe] = made
        return made

    def _remembered(self, recipe: Recipe) -> ComposedKernel | None:
        found = None if self.memory is None else self.memory.find(recipe, self._functions)
        if found is None:
            return None
        symbol, known = found
        self._found.add(symbol)
        return ComposedKernel(symbol, known.parameters, known.scalars, known.dropped)

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
        self._functions[name] = function
        return composed

    def launch(self, members: Sequence[LaunchOp], temporaries: Sequence[SSAValue]) -> LaunchOp | None:
        """The launch of a kernel that does what the members do one after another; None if there is nothing to launch."""
        composition = plan_composition(members, temporaries, self.relations, repeats=self._repeats)
        self.launched_before.update(member.task_name for member in members)
        if not any(privilege.returned for privilege in composition.recipe.privileges):
            return None
        # What may come to work in place is looked at by reuse-inputs, and what copies are put together by split-launches: neither is
        # remembered, as both depend on stores.
        privileges = composition.recipe.privileges
        joined = [access.under(each) for access, each in zip(composition.accesses, privileges, strict=True)]
        seen = any(access.root in self._may_be_split and access.root not in temporaries for access in joined)
        remembered = not seen and not may_reuse(joined, self._releasable)
        kernel = self.kernel(composition.recipe, remembered=remembered)
        accesses = [composition.accesses[k] for k in kernel.parameters]
        launch = LaunchOp(
            kernel.symbol,
            members[0].extents,
            [self.views.of(access) for access in accesses],
            [composition.recipe.privileges[k] for k in kernel.parameters],
            [access.partition for access in accesses],
            [composition.scalars[k] for k in kernel.scalars],
        )
        launch.location = fused_location(members)
        self.dropped += [composition.accesses[k].value for k in kernel.dropped]
        function = self._functions.get(kernel.symbol)
        if function is not None and isinstance(function.location, UnknownLoc):
            # Kernels made in Python are written nowhere: what is said about them is about the launches they were made for.
            function.location = launch.location
        return launch

    def erase_unlaunched(self, launched: Container[str]) -> None:
        """Erase the kernels that were launched and no longer are."""
        for name in sorted(self.launched_before):
            if name not in launched:
                self._block.erase_op(self.kernels[name])


# Runs


Homes = dict[SSAValue, dict[int, LaunchOp]]
"""For each temporary of a fused task, the numbers of the runs that make or look at its contents, each with the first such member."""


def homes_of(temporaries: Sequence[SSAValue], runs: Sequence[Run]) -> Homes:
    """Where temporaries are used. One that has a single home needs no memory."""
    homes: Homes = {root: {} for root in temporaries}
    for number, run in enumerate(runs):
        for member in run.members:
            for access in member.accesses:
                if access.root in homes and (access.privilege.reads or access.privilege.returned):
                    homes[access.root].setdefault(number, member)
    return homes


@dataclass(frozen=True)
class ComposeKernelsPass(RemarkingPass):
    """Make one launch of one kernel of each fused task, or of each run of its members that can share a kernel."""

    name = "compose-kernels"

    repeats: bool = False
    """Let kernels take views that repeat elements along their last dimensions as they are, not broadcast what they repeat."""

    def run(self, module: ModuleOp, remarks: Remarks, memory: KernelMemory | None = None) -> None:
        """Rewrite all fused tasks and all launches of kernels. Raises LegalityError if a fused task breaks a constraint.

        With ``memory``, kernels that are remembered are not made.
        """
        composer = _Composer(module, memory, repeats=self.repeats)
        tasks = TaskKinds.of(list(composer.kernels.values()))
        launched: set[str] = set()
        for op in list(module.ops):
            if isinstance(op, FusedTaskOp):
                members, temporaries = op.members, op.temporaries
                if (reason := why_illegal(members, tasks, composer.relations.comparisons)) is not None:
                    raise LegalityError(f"fused task breaks a constraint: {reason}", location=location_of(op))
            elif isinstance(op, LaunchOp) and op.task_name in composer.kernels:
                members, temporaries = (op,), ()
            else:
                continue
            runs = cut_into_runs(members, composer.relations)
            homes = homes_of(temporaries, runs)
            hidden: list[list[SSAValue]] = [[] for _ in runs]
            for root, home in homes.items():
                if len(home) == 1:
                    hidden[next(iter(home))].append(root)
            self._remark_on_cuts(runs, homes, remarks)
            for run, of_run in zip(runs, hidden, strict=True):
                launch = composer.launch(run.members, of_run)
                self._remark_on_run(run, launch, module, remarks)
                if launch is not None:
                    launch.location = op.location if len(runs) == 1 else launch.location
                    launched.add(launch.task_name)
                    module.body.block.insert_ops_before([*composer.views.take_new(), launch], op)
            op.detach()
            op.erase()
        composer.erase_unlaunched(launched)
        erase_unused(composer.dropped)

    def _remark_on_cuts(self, runs: Sequence[Run], homes: Homes, remarks: Remarks) -> None:
        for cut in (run.cut for run in runs):
            if cut is None:
                continue
            earlier, later = cut.earlier_access, cut.later_access
            label = store_label(later.root)
            message = (
                f"a fused task became several launches: '@{cut.later.task_name}' is in another kernel than "
                f"'@{cut.earlier.task_name}', as store {label} is {access_label(earlier)}, then {access_label(later)}"
            )
            remarks.add(
                RemarkKind.MISSED,
                "FIR-N122",
                self.name,
                message,
                cut.later,
                tasks=[(member.task_name, member) for member in (cut.earlier, cut.later)],
                store=label,
                partitions=[pieces_label(earlier), pieces_label(later)],
                suggestion="use one view and one partition for both, or views that do not meet",
            )
        for root, home in homes.items():
            if len(home) > 1:
                label = store_label(root)
                first, second, *_ = home.values()
                users = f"'@{first.task_name}' and '@{second.task_name}'"
                remarks.add(
                    RemarkKind.MISSED,
                    "FIR-N123",
                    self.name,
                    f"store {label} needs memory after all: {users} use it in different kernels",
                    first,
                    tasks=[(first.task_name, first), (second.task_name, second)],
                    store=label,
                    suggestion="see why they are in different kernels",
                )

    def _remark_on_run(self, run: Run, launch: LaunchOp | None, module: ModuleOp, remarks: Remarks) -> None:
        names = ", ".join(f"'@{member.task_name}'" for member in run.members)
        if launch is None:
            remarks.add(RemarkKind.PASSED, "FIR-N121", self.name, f"erased {names}: nothing is changed", module)
        elif len(run.members) > 1:
            message = f"composed {names} into '@{launch.task_name}'"
            tasks = [(member.task_name, member) for member in run.members]
            remarks.add(RemarkKind.PASSED, "FIR-N120", self.name, message, launch, tasks=tasks)
