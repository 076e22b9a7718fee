"""What can be wrong with a task before its types are known: names, privileges, arities, and who assigns what."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches

from fuseir.errors import FuseirError, VerifyError
from fuseir.lang.functions import (
    ARITY,
    CASTS,
    CONSTANTS,
    FIXED_CONSTANTS,
    FOLD_SIGNS,
    OPERATORS,
    POSITIONS,
    PRIVILEGES,
    REDUCTIONS,
    canonical,
    function_names,
    is_reduction,
)
from fuseir.lang.syntax import Node, Parameter, Position, Statement, TaskSyntax


def check_tasks(tasks: list[TaskSyntax]) -> None:
    """Refuse duplicate task names, then whatever is wrong in each. Raises VerifyError."""
    seen: dict[str, TaskSyntax] = {}
    for task in tasks:
        if task.name in seen:
            first = seen[task.name].position.line
            message = f"there is a task `{task.name}` already, on line {first}"
            raise task.source.error(VerifyError, task.position, message)
        seen[task.name] = task
        check_signature(task)
        _BodyChecker(task).check()


def check_signature(task: TaskSyntax) -> None:
    """Refuse parameters that make no sense. Raises VerifyError."""
    names: set[str] = set()
    for parameter in task.parameters:
        problem = _parameter_problem(parameter, names)
        if problem:
            message, position, notes = problem
            raise task.source.error(VerifyError, position, message, notes)
        names.add(parameter.name)
    if not any(p.privilege in ("write", "read_write", "reduce") for p in task.parameters):
        message = f"task `{task.name}` writes nothing: no argument is write, read_write or reduce"
        raise task.source.error(VerifyError, task.position, message)


def _parameter_problem(parameter: Parameter, names: set[str]) -> tuple[str, Position, tuple[str, ...]] | None:
    name, privilege, operator = parameter.name, parameter.privilege, parameter.operator
    if name in names:
        return f"there is a parameter `{name}` already", parameter.position, ()
    if name in FIXED_CONSTANTS:
        return f"`{name}` is a constant and cannot be a parameter", parameter.position, ()
    at = parameter.privilege_position
    if privilege not in (*PRIVILEGES, "scalar"):
        note = f"a parameter is one of {', '.join(PRIVILEGES[:3])}, reduce<operator> and scalar"
        hint = suggestion(privilege, (*PRIVILEGES, "scalar"))
        return f"`{privilege}` is not a privilege{hint}", at, (note,)
    if privilege == "reduce" and operator is None:
        return "a reduction needs an operator: reduce<add>", at, (f"operators: {', '.join(OPERATORS)}",)
    if privilege == "reduce" and operator not in OPERATORS:
        return f"`{operator}` is not a reduction operator", at, (f"operators: {', '.join(OPERATORS)}",)
    if privilege != "reduce" and operator is not None:
        return f"`{privilege}` takes no operator", at, ()
    return None


def suggestion(word: str, known: Collection[str]) -> str:
    """`` (did you mean …?)`` where a known word is close."""
    # Long names are not typing errors of short ones, and comparing them takes quadratic time.
    close = get_close_matches(word, known, 1) if len(word) <= 40 else []
    return f" (did you mean `{close[0]}`?)" if close else ""


class _BodyChecker:
    """Walks the statements of one task in order, knowing what has been defined and assigned."""

    def __init__(self, task: TaskSyntax) -> None:
        self.task = task
        self.parameters = {parameter.name: parameter for parameter in task.parameters}
        self.lets: set[str] = set()
        self.assigned: set[str] = set()
        self.folded: set[str] = set()

    def check(self) -> None:
        for statement in self.task.statements:
            for index in range(statement.first, statement.value + 1):
                self._node(self.task.nodes[index], whole=index == statement.value)
            self._statement(statement)
        for parameter in self.task.parameters:
            if parameter.privilege in PRIVILEGES[1:] and parameter.name not in self.assigned | self.folded:
                article = f"`{parameter.name}` is {_described(parameter)}, but the task never assigns it"
                note = (
                    ("an argument that is only read is declared `read`",) if parameter.privilege == "read_write" else ()
                )
                raise self._error(parameter.position, article, *note)

    def _error(self, position: Position, message: str, *notes: str) -> FuseirError:
        return self.task.source.error(VerifyError, position, message, notes)

    # Expressions

    def _node(self, node: Node, whole: bool) -> None:
        if node.kind == "name":
            self._name(node)
        elif node.kind == "call":
            self._call(node, whole)

    def _name(self, node: Node) -> None:
        name = node.name
        parameter = self.parameters.get(name)
        if parameter is None:
            if name in self.lets or name in CONSTANTS:
                return
            if name in function_names():
                raise self._error(node.position, f"`{name}` is a function: call it, as in `{name}(x)`")
            hint = suggestion(name, [*self.parameters, *self.lets])
            raise self._error(node.position, f"unknown name `{name}`{hint}")
        self._readable(parameter, node.position)

    def _readable(self, parameter: Parameter, position: Position) -> None:
        name = parameter.name
        if name in self.folded:
            raise self._error(position, f"`{name}` is the result of a reduction, which the task itself cannot read")
        if parameter.privilege == "reduce":
            raise self._error(position, f"`{name}` is {_described(parameter)}: it can be folded into but not read")
        if parameter.privilege == "write" and name not in self.assigned:
            message = f"`{name}` is a write argument: it cannot be read before the task assigns it"
            raise self._error(position, message, "an argument whose old contents are needed is declared `read_write`")

    def _call(self, node: Node, whole: bool) -> None:
        if is_reduction(node.name):
            self._reduction(node, whole)
            return
        if node.axes is not None:
            raise self._error(node.position, f"`{node.name}` is not a reduction and takes no `axis`")
        arity = 1 if node.name in CASTS else ARITY.get(canonical(node.name))
        if arity is None:
            if node.name in self.parameters or node.name in self.lets:
                raise self._error(node.position, f"`{node.name}` is a value and cannot be called")
            hint = suggestion(node.name, function_names())
            raise self._error(node.position, f"unknown function `{node.name}`{hint}")
        if len(node.operands) != arity:
            raise self._error(node.position, _arity_message(node, arity))

    def _reduction(self, node: Node, whole: bool) -> None:
        name = node.name
        if len(node.operands) != 1:
            note = f"the larger of two values is `{name}imum(a, b)`" if name == "max" else ""
            note = f"the smaller of two values is `{name}imum(a, b)`" if name == "min" else note
            raise self._error(node.position, _arity_message(node, 1), *([note] if note else []))
        if not whole:
            kind = "write" if name in POSITIONS else "reduce"
            note = f"write it as a statement of its own: `s = {name}(…)`, `s` being a {kind} argument"
            raise self._error(node.position, f"the reduction `{name}` cannot be part of an expression", note)
        axes = node.axes or ()
        if len(set(axes)) != len(axes):
            raise self._error(node.position, "an axis is named twice")

    # Statements

    def _statement(self, statement: Statement) -> None:
        value = self.task.nodes[statement.value]
        reduction = value.name if value.kind == "call" and is_reduction(value.name) else None
        if statement.sign == "let":
            self._let(statement, reduction)
            return
        name = statement.target
        parameter = self.parameters.get(name)
        if parameter is None:
            raise self._error(statement.position, *self._not_assignable(name))
        if parameter.privilege == "read":
            message = f"`{name}` is a read argument and cannot be assigned"
            raise self._error(statement.position, message, "declare it `write`, or `read_write` if it is read as well")
        if parameter.privilege == "scalar":
            raise self._error(statement.position, f"`{name}` is a scalar and cannot be assigned")
        if name in self.folded:
            raise self._error(statement.position, f"`{name}` is reduced into already; a task does so once")
        if parameter.privilege == "reduce" or reduction:
            self._fold(statement, parameter, reduction)
            return
        if statement.sign != "=":
            self._readable(parameter, statement.position)
        self.assigned.add(name)

    def _not_assignable(self, name: str) -> tuple[str, ...]:
        if name in self.lets:
            return (f"`{name}` is a local name and keeps its value; give the new value another name",)
        hint = suggestion(name, self.parameters)
        return f"`{name}` is not an argument of the task{hint}", f"a local name is made by `let {name} = …`"

    def _let(self, statement: Statement, reduction: str | None) -> None:
        name = statement.target
        if reduction:
            position = self.task.nodes[statement.value].position
            note = "the result of a reduction is known only after the task: give it an argument of its own"
            raise self._error(position, f"the reduction `{reduction}` cannot be a local value", note)
        if name in self.parameters:
            raise self._error(statement.position, f"`{name}` is a parameter of the task already")
        if name in self.lets:
            raise self._error(statement.position, f"there is a local name `{name}` already")
        if name in FIXED_CONSTANTS:
            raise self._error(statement.position, f"`{name}` is a constant and cannot be a local name")
        self.lets.add(name)

    def _fold(self, statement: Statement, parameter: Parameter, reduction: str | None) -> None:
        name, sign = statement.target, statement.sign
        described = f"`{name}` is {_described(parameter)}"
        form = _fold_form(name, parameter.operator or "add")
        if reduction is None:
            if sign not in FOLD_SIGNS:
                raise self._error(statement.sign_position, f"{described}: it is folded into, by {form}")
            reduction = FOLD_SIGNS[sign]
        elif sign != "=":
            position = statement.sign_position
            raise self._error(position, f"`{sign}` and `{reduction}` both reduce: write `{name} = {reduction}(…)`")
        if reduction in POSITIONS and parameter.privilege == "reduce":
            message = f"{described}: where a value is goes into a write argument"
            raise self._error(statement.position, message)
        if parameter.privilege == "reduce" and REDUCTIONS[reduction] != parameter.operator:
            wrong = sign if sign != "=" else reduction
            raise self._error(statement.sign_position, f"{described}, which `{wrong}` is not: write {form}")
        if parameter.privilege == "read_write":
            message = f"{described}: a reduction goes into a reduce or a write argument"
            raise self._error(statement.position, message)
        if name in self.assigned:
            raise self._error(statement.position, f"`{name}` is assigned already and cannot be reduced into")
        self.folded.add(name)


def _described(parameter: Parameter) -> str:
    """``a write argument``, ``reduce<add>``."""
    return f"reduce<{parameter.operator}>" if parameter.operator else f"a {parameter.privilege} argument"


def _fold_form(name: str, operator: str) -> str:
    """How to fold with ``operator``, for messages."""
    calls = [f"`{name} = {function}(…)`" for function, folds in REDUCTIONS.items() if folds == operator]
    signs = [f"`{name} {sign} …`" for sign, function in FOLD_SIGNS.items() if REDUCTIONS[function] == operator]
    return " or ".join([*signs, *calls])


def _arity_message(node: Node, arity: int) -> str:
    plural = "" if arity == 1 else "s"
    return f"`{node.name}` takes {arity} argument{plural}, not {len(node.operands)}"
