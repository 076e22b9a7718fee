"""What machine code depends on: the keys under which the disk cache keeps it.

Beside a kernel's lowered text, and what every entry depends on, that is the processor, and LLVM. Equal keys mean equal LLVM text,
and equal object code.
"""

from __future__ import annotations

from functools import cache

import llvmlite
import llvmlite.binding as llvm

from fuseir.cache.environment import Keys, package_fields
from fuseir.codegen.llvm.target import Target
from fuseir.codegen.llvm.text import SupportFunction


class CacheKeys(Keys):
    """Makes keys for one environment."""

    def kernel(self, digest: str) -> str:
        """The key of a kernel by the digest of its text."""
        return self.key("kernel", digest)

    def support(self, function: SupportFunction) -> str:
        """The key of a support function."""
        return self.key("support", "\n".join((function.symbol, function.text, *function.declarations)))

    def probe(self) -> str:
        """The key of the note that code of this environment was loaded by a child process and did not end it."""
        return self.key("probe", "")


def environment_fields(target: Target) -> dict[str, str] | None:
    """Everything but a kernel's text that its code depends on; None if our own sources cannot be read."""
    package = package_fields()
    if package is None:
        return None
    return {
        **package,
        "llvmlite": llvmlite.__version__,
        "llvm": ".".join(map(str, llvm.llvm_version_info)),
        "triple": llvm.get_process_triple(),
        "cpu": target.cpu,
        "features": target.features,
        "vector_bytes": str(target.vector_bytes),
        "masked_bytes": str(sorted(target.masked_bytes)),
        "vector_math": str(target.mvec_variant),
        "missing_math": str(sorted(target.missing_math)),
    }


@cache
def keys_of(target: Target) -> CacheKeys | None:
    """The keys for a target in this process; None if there can be none."""
    fields = environment_fields(target)
    return None if fields is None else CacheKeys.of(fields)
