"""Does a rewritten program do what the program as written does? Answered by running both, point by point, on terms.

An independent check of what the passes decide symbolically: it shares no code with them, nor with the algebra of partitions and views
that they ask. See docs/checking.md.
"""

from __future__ import annotations

from fuseir.checking.legality import CHECKED_PASSES, LegalityCheck
from fuseir.checking.machine import Order, terms

__all__ = ["CHECKED_PASSES", "LegalityCheck", "Order", "terms"]
