"""`FUSEIR_REMARKS`: what the passes say about each window that is planned, printed as it happens."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from fuseir.options import Options
from fuseir.runtime.write_failures import WriteFailures

if TYPE_CHECKING:
    from fuseir.passes.remarks import Remark


class RemarkLog:
    """Writes remarks of the kinds that ``Options.remarks`` names to standard error, or to the end of ``Options.remarks_file``."""

    def __init__(self, options: Options) -> None:
        self._kinds = frozenset(options.remark_kinds)
        self._file = options.remarks_file
        self._failures = WriteFailures("remarks_file, FUSEIR_REMARKS_FILE")

    def write(self, remarks: Iterable[Remark]) -> None:
        """Write the remarks about one window. A file that cannot be written to is warned about, once."""
        if not self._kinds:
            return
        lines = [remark.text() for remark in remarks if remark.kind.value in self._kinds]
        if not lines:
            return
        text = "\n".join(lines) + "\n"
        if self._file is None:
            sys.stderr.write(text)
            return
        try:
            with open(self._file, "a", encoding="utf-8") as file:
                file.write(text)
        except OSError as error:
            self._failures.note("remarks", Path(self._file), error)
