"""What a lowered kernel is known by: its text."""

from __future__ import annotations

from xdsl.dialects import func


def kernel_text(kernel: func.FuncOp) -> str:
    """A lowered kernel as text, under a name that all share: equal texts mean equal code."""
    return str(kernel).replace(f"@{kernel.sym_name.data}(", "@kernel(", 1)
