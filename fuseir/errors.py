"""Every error FuseIR shows its users.

One base class. Each class carries a stable ``code`` that documentation and tools refer to; an error that belongs to a
place in a file has a ``location``, and one that belongs to a captured task has the user's own source line there.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SourceLocation:
    """A place in a file or a program: 1-based line and column, and the text of that line if known."""

    file: str
    line: int
    column: int
    text: str | None = None

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"

    def excerpt(self) -> list[str]:
        """The line and, under it, a caret at the column; nothing if the line is not known."""
        if self.text is None:
            return []
        text = self.text[:200]
        # Tabs stay tabs under the caret line, so that the caret lands where the terminal shows the column.
        padding = "".join("\t" if c == "\t" else " " for c in text[: self.column - 1])
        return [f"  {text}", f"  {padding}^"]


class FuseirError(Exception):
    """Base of all errors raised on purpose by FuseIR.

    Attributes: ``message`` (one line), ``location`` (where, if known), ``notes`` (further lines).
    """

    code = "FIR-E000"

    def __init__(self, message: str, *, location: SourceLocation | None = None, notes: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.location = location
        self.notes = notes

    def diagnostic(self) -> str:
        """As compilers print it: ``file:line:col: error: message``, the line, and a caret under the column."""
        head = f"{self.location}: error: {self.message}" if self.location else f"error: {self.message}"
        lines = [f"{head} [{self.code}]"]
        lines += self.location.excerpt() if self.location else []
        lines += [f"note: {note}" for note in self.notes]
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.diagnostic() if self.location else "\n".join([self.message, *self.notes])


class ParseError(FuseirError):
    """Text (IR or task language) that does not follow the grammar."""

    code = "FIR-E001"


class VerifyError(FuseirError):
    """A program that parses but can never be right."""

    code = "FIR-E002"


class LimitError(FuseirError):
    """Input beyond a stated limit of size, nesting or time."""

    code = "FIR-E003"


class UsageError(FuseirError):
    """Options or arguments that make no sense."""

    code = "FIR-E004"


class UnsupportedError(FuseirError):
    """A thing FuseIR does not do, refused where it was asked for."""

    code = "FIR-E005"


class ShapeError(FuseirError, ValueError):
    """Shapes that do not fit together."""

    code = "FIR-E006"


class DTypeError(FuseirError, TypeError):
    """Element types that are unsupported or do not fit together."""

    code = "FIR-E007"


class CompileError(FuseirError):
    """A kernel that a code generator could not compile."""

    code = "FIR-E008"


class StorePoisonedError(FuseirError):
    """A store whose contents were lost because the task that was to produce them failed."""

    code = "FIR-E009"


class BackendUnavailableError(FuseirError):
    """An executor that cannot run on this machine."""

    code = "FIR-E010"


class InputFileError(FuseirError, OSError):
    """An input or output file that cannot be used as asked."""

    code = "FIR-E011"


class LegalityError(FuseirError):
    """A transformation that would break a dependence."""

    code = "FIR-E012"


class OutOfMemoryError(FuseirError, MemoryError):
    """Memory that a task or a store needed and the system did not grant."""

    code = "FIR-E013"


class UnknownWindowError(FuseirError):
    """A window that was never planned, where nothing may be compiled (``assert_no_compile``)."""

    code = "FIR-E015"  # E014 is fuseir-run's, for backends that differ


class SyncError(FuseirError):
    """A value that is read where none may be (the option ``sync``)."""

    code = "FIR-E016"


class FallbackError(UnsupportedError):
    """A function that NumPy would run where it may not (the option ``fallback``)."""

    code = "FIR-E017"


class DeviceLostError(FuseirError):
    """A GPU that does nothing more for this process, after an error that CUDA does not recover from."""

    code = "FIR-E018"


class FreezeWarning(UserWarning):
    """A frozen function that is captured anew again and again."""


class FallbackWarning(UserWarning):
    """Something runs a slower way than asked, with the same results; warned about once a session."""
