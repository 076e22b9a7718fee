"""The task language: text, or a Python function, to kernels.

Lark loads on the first parse and xDSL on the first instance.
"""

from __future__ import annotations

from fuseir.errors import UsageError
from fuseir.lang.definition import Argument, ArgumentType, KernelInstance, ScalarType, TaskDefinition, TextTask
from fuseir.lang.generator import GeneratedTask, Generator, KernelParameter

__all__ = [
    "Argument",
    "ArgumentType",
    "Generator",
    "KernelInstance",
    "KernelParameter",
    "ScalarType",
    "TaskDefinition",
    "parse_tasks",
    "task",
]


def parse_tasks(text: str, filename: str = "<task>") -> list[TaskDefinition]:
    """The tasks that ``text`` defines, in order; errors call it ``filename``.

    Raises ParseError for text that is not the task language, VerifyError for tasks that make no sense whatever their types,
    LimitError for too much text.
    """
    from fuseir.lang.check import check_tasks
    from fuseir.lang.parser import parse_text

    tasks = parse_text(text, filename)
    check_tasks(tasks)
    return [TextTask(task) for task in tasks]


def task(source: str | Generator, signature: str | None = None, filename: str = "<task>") -> TaskDefinition:
    """One task, from its text, or from a generator function and the text of its signature.

    A signature is a task without its body: ``task axpy(a: scalar, x: read, y: read_write)``. Raises what `parse_tasks`
    raises, and UsageError for a text that does not define exactly one task.
    """
    if isinstance(source, str):
        if signature is not None:
            raise UsageError("a task's text has its signature already")
        tasks = parse_tasks(source, filename)
        if len(tasks) != 1:
            raise UsageError(f"{filename}: expected the text of one task, not of {len(tasks)}")
        return tasks[0]
    if signature is None:
        raise UsageError("a generator needs a signature, such as `task axpy(a: scalar, x: read, y: read_write)`")

    from fuseir.lang.check import check_signature
    from fuseir.lang.parser import parse_signature

    syntax = parse_signature(signature, filename)
    check_signature(syntax)
    return GeneratedTask(syntax, source)
