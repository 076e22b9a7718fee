"""Reading inputs and writing outputs of the command-line tools."""

from __future__ import annotations

import os
import re
import stat
import sys
import tempfile
from pathlib import Path

from fuseir.dialects.text_guard import MAX_INPUT_BYTES
from fuseir.errors import InputFileError, LimitError, UsageError

STDIN_NAME = "<stdin>"
# As in mlir-opt, except that the marker may be indented and followed by anything (xdsl-opt splits anywhere).
_SPLIT_MARKER = re.compile(r"^[ \t]*// -----.*$", re.MULTILINE)


def read_input(path: str | None) -> tuple[bytes, str]:
    """The bytes of a file (of standard input for None or ``-``) and the name to call it by in messages."""
    name = STDIN_NAME if path in (None, "-") else str(path)
    try:
        if name == STDIN_NAME:
            data = sys.stdin.buffer.read(MAX_INPUT_BYTES + 1)
        else:
            with open(name, "rb") as file:
                # No more than the limit is read, whatever size the file (or device) says it has.
                data = file.read(MAX_INPUT_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise InputFileError(f"cannot read '{name}': {reason}") from error
    if len(data) > MAX_INPUT_BYTES:
        raise LimitError(f"{name}: input of more than {MAX_INPUT_BYTES} bytes")
    return data, name


def split_chunks(text: str) -> list[str]:
    """The parts of a file between ``// -----`` lines.

    Each is preceded by as many empty lines as keep its line numbers those of the file.
    """
    chunks: list[str] = []
    start = 0
    for marker in [*_SPLIT_MARKER.finditer(text), None]:
        end = marker.start() if marker else len(text)
        chunks.append("\n" * text.count("\n", 0, start) + text[start:end])
        start = marker.end() if marker else end
    return chunks


def check_output_path(output: str, input_path: str | None) -> None:
    """Refuse an output that is the input by another name.

    ``-o`` with the input's own name replaces the input, as the user wrote; through a link it would be an accident.
    """
    if input_path in (None, "-") or output == input_path:
        return
    try:
        same = os.path.samefile(output, input_path)
    except OSError:
        return
    if same:
        raise UsageError(f"the output '{output}' is the input '{input_path}' by another name")


def write_output(output: str, text: str) -> None:
    """Write a whole file or leave everything as it was.

    The text goes to a temporary file beside the target, which is then renamed. Symbolic links are followed; devices and
    pipes, which cannot be renamed over, are written to directly.
    """
    target = Path(os.path.realpath(output))
    data = text.encode("utf-8", "backslashreplace")
    try:
        existing = target.stat().st_mode if target.exists() else None
        if existing is not None and not stat.S_ISREG(existing):
            target.write_bytes(data)
        else:
            _replace(target, data, existing)
    except OSError as error:
        raise InputFileError(f"cannot write '{output}': {error.strerror}") from error


def _replace(target: Path, data: bytes, mode: int | None) -> None:
    descriptor, temporary = tempfile.mkstemp(prefix=f".{target.name[:100]}.", suffix=".tmp", dir=target.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        os.chmod(temporary, stat.S_IMODE(mode) if mode is not None else 0o666 & ~_umask())
        os.replace(temporary, target)
    except BaseException:
        os.unlink(temporary)
        raise


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
