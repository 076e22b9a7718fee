"""The table of NumPy's functions in docs/numpy.md, made from fuseir.numpy's own tables.

python tests/helpers/numpy_functions.py        # writes it
"""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import fuseir.numpy

PAGE = Path(__file__).parents[2] / "docs" / "numpy.md"
_BLOCK = re.compile(r"(<!-- functions -->\n).*?(<!-- end of functions -->)", re.DOTALL)


def table() -> str:
    """One block of names for each namespace and kind."""
    lines: list[str] = []
    for module, kinds in fuseir.numpy.functions().items():
        for kind, names in kinds.items():
            if names:
                lines += [
                    f"**{module}, {kind}** ({len(names)})",
                    "",
                    "```text",
                    *textwrap.wrap(" ".join(names), 140),
                    "```",
                    "",
                ]
    return "\n".join(lines)


def page() -> str:
    """The page with the table as it should be."""
    return _BLOCK.sub(lambda found: found[1] + table() + found[2], PAGE.read_text(encoding="utf-8"))


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
