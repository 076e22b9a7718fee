"""Is a module right? ``verify_module`` answers with one located error or none.

Three checks: what xDSL's operations and types demand of themselves; that every use of a value is dominated by its
definition (xDSL does not look: it accepts uses before definitions, cycles and values that escape their region); and what
the ``dist`` dialect demands of a program as a whole.

Not checked here: anything about kernels beyond their operations' own rules; launches check their kernels' contract.
"""

from __future__ import annotations

import re

from xdsl.dialects.builtin import ArrayAttr, FileLineColLoc, FusedLoc, LocationAttr, ModuleOp, NameLoc, StringAttr
from xdsl.ir import Operation
from xdsl.utils.exceptions import VerifyException

from fuseir.dialects.dominance import DominanceError, check_dominance
from fuseir.dialects.parsing import one_line
from fuseir.errors import LimitError, SourceLocation, VerifyError

_XDSL_PREFIX = "Operation does not verify: "


def verify_module(module: ModuleOp, text: str | None = None) -> None:
    """Raise VerifyError, located where the module was parsed from a file, unless the module is right.

    ``text`` is the file's text, if at hand: the error then shows the line.
    """
    try:
        module.verify()
    except (MemoryError, LimitError):
        raise
    except Exception as error:
        op, reason = _blame(module, error)
        raise located_error(op, reason, text) from error
    try:
        check_dominance(module)
    except DominanceError as error:
        raise located_error(error.op, error.message, text) from None
    _verify_program(module, text)


def _verify_program(module: ModuleOp, text: str | None) -> None:
    """The rules of `dist` that no single operation can check."""
    if not any(op.name.startswith("dist.") for op in module.body.ops):
        return
    # Programs without `dist` operations (kernels on their own) need not pay for loading the dialect.
    from fuseir.dialects.dist.program import ProgramError, verify_program  # noqa: PLC0415

    try:
        verify_program(module)
    except ProgramError as error:
        raise located_error(error.operation, _reason(error), text) from None


def located_error(op: Operation, reason: str, text: str | None = None) -> VerifyError:
    """A VerifyError about ``op``, with the op's place in its file."""
    message = reason if reason.startswith(f"'{op.name}'") else f"'{op.name}' {reason}"
    return VerifyError(message, location=location_of(op, text))


def location_of(op: Operation, text: str | None = None) -> SourceLocation | None:
    """Where ``op``, or failing that the nearest operation around it, stands in a file."""
    current: Operation | None = op
    while current is not None:
        if (place := _file_location(current.location)) is not None:
            line, column = place.line.data, place.column.data
            return SourceLocation(place.filename.data, line, column, _line(text, line))
        current = current.parent_op()
    return None


def _file_location(location: LocationAttr) -> FileLineColLoc | None:
    """The first place in a file that a location names; operations made by fusing others name several."""
    pending = [location]
    while pending:
        candidate = pending.pop()
        if isinstance(candidate, FileLineColLoc):
            return candidate
        if isinstance(candidate, FusedLoc) and isinstance(candidate.locations, ArrayAttr):
            pending.extend(part for part in reversed(candidate.locations.data) if isinstance(part, LocationAttr))
        elif isinstance(candidate, NameLoc) and isinstance(candidate.location, LocationAttr):
            pending.append(candidate.location)
    return None


def _line(text: str | None, line: int) -> str | None:
    if text is None:
        return None
    lines = text.split("\n")
    return lines[line - 1].rstrip("\r") if 0 < line <= len(lines) else None


def _blame(module: ModuleOp, error: Exception) -> tuple[Operation, str]:
    """The operation that an exception from verification is about, and the reason in one line.

    xDSL's exceptions do not say which operation raised them, so the operations are asked one by one, innermost first.
    This happens on failure only.
    """
    for op in module.walk(region_first=True):
        try:
            op.verify(verify_nested_ops=False)
        except (MemoryError, LimitError):
            raise
        except Exception as own:
            return _redefinition(op, _reason(own)) or op, _reason(own)
    # No operation is wrong by itself: a block is (it lacks a terminator, say). The smallest operation around it is to blame.
    for op in module.walk(region_first=True):
        try:
            op.verify()
        except (MemoryError, LimitError):
            raise
        except Exception as own:
            return op, _reason(own)
    return module, _reason(error)


def _redefinition(table: Operation, reason: str) -> Operation | None:
    """If the reason is that ``table`` holds a symbol twice, the second definition."""
    match = re.fullmatch(r'Redefinition of symbol "(.*)"', reason)
    if match is None:
        return None
    symbols = [op for region in table.regions for block in region.blocks for op in block.ops]
    named = [op for op in symbols if op.get_attr_or_prop("sym_name") == StringAttr(match[1])]
    return named[1] if len(named) > 1 else None


def _reason(error: Exception) -> str:
    if not isinstance(error, VerifyException) and isinstance(error.__context__, VerifyException):
        # xDSL prints the wrong operation into the error, and may fail at that: the first exception is the one to tell.
        error = error.__context__
    if isinstance(error, RecursionError):
        return "is nested too deeply"
    reason = one_line(error).removeprefix(_XDSL_PREFIX).strip()
    if isinstance(error, VerifyException):
        return reason
    # Verifiers that index or unpack before they check raise anything; for the input this means the same.
    return f"does not verify ({type(error).__name__}{': ' if reason else ''}{reason})"
