"""The `dist` dialect: stores, views, partitions, privileges, launches. See README.md beside this file and docs/ir.md.

The algebra (``index_map``, ``partition``, ``view``, ``privilege``) is plain Python on integers, so that the capture path can use it
without loading xDSL; attributes and operations wrap it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xdsl.ir import Dialect

    DIST: Dialect

__all__ = ["DIST"]


def __getattr__(name: str) -> Any:
    if name == "DIST":
        from fuseir.dialects.dist.dialect import DIST  # noqa: PLC0415

        return DIST
    raise AttributeError(name)
