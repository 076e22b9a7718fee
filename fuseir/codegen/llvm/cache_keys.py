"""What object code depends on: the keys under which the disk cache keeps it.

A key is the SHA-256 of the kernel's lowered text and of everything else that decides what becomes of it. Equal keys mean equal
LLVM text, and equal object code.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import llvmlite
import llvmlite.binding as llvm
import xdsl

from fuseir.codegen.llvm.target import Target
from fuseir.codegen.llvm.text import SupportFunction

_PACKAGE = Path(__file__).parents[2]

_IMPORTED = time.time()

_SOURCES = ("__init__.py", "codegen", "dialects", "dtypes.py")
"""What of the package decides how a lowered kernel becomes code: the code generator, and what it asks about operations."""


@dataclass(frozen=True)
class CacheKeys:
    """Makes keys for one environment; its fields are named, so that tests can change each."""

    environment: str

    @staticmethod
    def of(fields: Mapping[str, str]) -> CacheKeys:
        """The keys of an environment that these fields describe."""
        return CacheKeys(hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest())

    def kernel(self, text: str) -> str:
        """The key of a kernel: its lowered text, with a name that all share."""
        return self._key("kernel", text)

    def support(self, function: SupportFunction) -> str:
        """The key of a support function."""
        return self._key("support", "\n".join((function.symbol, function.text, *function.declarations)))

    def probe(self) -> str:
        """The key of the note that code of this environment was loaded by a child process and did not end it."""
        return self._key("probe", "")

    def _key(self, kind: str, text: str) -> str:
        # A name may hold what is no text (a lone surrogate); a key it has all the same.
        return hashlib.sha256(f"{self.environment}\n{kind}\n{text}".encode("utf-8", "surrogatepass")).hexdigest()


def environment_fields(target: Target) -> dict[str, str] | None:
    """Everything but a kernel's text that its code depends on; None if our own sources cannot be read.

    The sources stand for FuseIR's version, the binary interface, and LLVM's passes and options.
    """
    sources = _digest_of_sources(_PACKAGE)
    if sources is None:
        return None
    return {
        "sources": sources,
        "xdsl": _installed_version("xdsl", xdsl.__file__),
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


def _installed_version(package: str, file: str) -> str:
    """A package's version as its installation is called; importlib.metadata takes 20 ms to be loaded."""
    with os.scandir(Path(file).parents[1]) as found:
        names = [entry.name for entry in found if entry.name.startswith(f"{package}-")]
    return " ".join(sorted(name for name in names if name.endswith(".dist-info")))


def _digest_of_sources(package: Path) -> str | None:
    """A digest of names and contents of source files; None if they cannot be read, or are not those that this process runs."""
    digest = hashlib.sha256()
    try:
        for path in _files(package):
            with open(path, "rb", buffering=0) as file:
                status = os.fstat(file.fileno())
                if max(status.st_mtime, status.st_ctime) > _IMPORTED:
                    return None  # an upgrade under a running process, whose code is still the old one
                contents = file.read()
            digest.update(f"{os.path.relpath(path, package)}\0{len(contents)}\0".encode())
            digest.update(contents)
    except OSError:
        return None
    return digest.hexdigest()


def _files(package: Path) -> Iterator[str]:
    for name in _SOURCES:
        path = os.path.join(package, name)
        if name.endswith(".py"):
            yield path
        else:
            yield from _files_under(path)


def _files_under(folder: str) -> Iterator[str]:
    with os.scandir(folder) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield from _files_under(entry.path)
        elif entry.name.endswith(".py"):
            yield entry.path
