"""What a device function that kernels may call consists of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Helper:
    """A helper's C++ text, and the helpers it needs."""

    text: str
    needs: tuple[str, ...] = ()


def inline_function(template: str, signature: str, body: str) -> str:
    """The text of an inline device function; of a template, if its parameters are not empty."""
    head = f"template <{template}>\n" if template else ""
    lines = "\n".join(f"    {line}" if line else "" for line in body.strip("\n").split("\n"))
    return f"{head}__device__ __forceinline__ {signature}\n{{\n{lines}\n}}\n"
