"""Files that a session writes for the user on the side: where they cannot be written, that is said once and nothing else suffers."""

from __future__ import annotations

import warnings
from pathlib import Path

from fuseir.errors import FallbackWarning


class WriteFailures:
    """Warns about the first failure to write what an option asked for; ``option`` names it as users know it."""

    def __init__(self, option: str) -> None:
        self._option = option
        self._said = False

    def note(self, what: str, path: Path, error: OSError) -> None:
        """Warn that ``what`` could not be written to the path, unless a failure was warned about before."""
        if not self._said:
            message = f"cannot write {what} to {path} ({self._option}): {error.strerror}"
            warnings.warn(message, FallbackWarning, stacklevel=3)
        self._said = True
