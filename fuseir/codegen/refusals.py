"""Where in the IR something stands that code cannot be generated for."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from xdsl.ir import Operation

from fuseir.dialects.verification import location_of
from fuseir.errors import UnsupportedError


@contextmanager
def located(op: Operation) -> Generator[None, None, None]:
    """Refusals within say where ``op`` stands, unless an operation further in said so already."""
    try:
        yield
    except UnsupportedError as error:
        if error.location is None:
            error.location = location_of(op)
        raise
