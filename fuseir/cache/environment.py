"""What every entry depends on, whatever it is: FuseIR's own sources, and the packages that they build on.

A key is the SHA-256 of an environment and of what the entry was made from. Equal keys mean equal contents.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Self

import numpy as np

import fuseir

_PACKAGE = Path(__file__).parents[1]

_SUFFIXES = (".py", ".lark")
"""What of the package decides what it does."""


@dataclass(frozen=True)
class Keys:
    """Makes keys for one environment."""

    environment: str

    @classmethod
    def of(cls, fields: Mapping[str, str]) -> Self:
        """The keys of an environment that these fields describe; they are named, so that tests can change each."""
        return cls(hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest())

    def key(self, kind: str, text: str) -> str:
        """The key of what is made from a text, among entries of one kind: a word, which the key starts with."""
        digest = digest_of_text(f"{self.environment}\n{kind}\n{text}")
        return f"{kind}-{digest}"


def digest_of_text(text: str) -> str:
    """The SHA-256 of a text."""
    # A name may hold what is no text (a lone surrogate); a digest it has all the same.
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@cache
def package_keys() -> Keys | None:
    """The keys of what does not depend on the processor; None if there can be none in this process."""
    fields = package_fields()
    return None if fields is None else Keys.of(fields)


@cache
def package_fields() -> dict[str, str] | None:
    """The fields of every environment; None if our own sources cannot be read.

    The sources stand for FuseIR's version, its passes, the binary interface, and LLVM's passes and options.
    """
    sources = digest_of_sources(_PACKAGE)
    if sources is None:
        return None
    return {
        "sources": sources,
        "python": sys.version,
        "numpy": np.__version__,
        "xdsl": _installed_version("xdsl"),
    }


def _installed_version(package: str) -> str:
    """A package's version as its installation is called: the package is not loaded, and importlib.metadata takes 20 ms to be."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        return ""
    with os.scandir(Path(spec.origin).parents[1]) as found:
        names = [entry.name for entry in found if entry.name.startswith(f"{package}-")]
    return " ".join(sorted(name for name in names if name.endswith(".dist-info")))


def digest_of_sources(package: Path) -> str | None:
    """A digest of names and contents of source files; None if they cannot be read, or are not those that this process runs."""
    digest = hashlib.sha256()
    try:
        for path in _files_under(os.fspath(package)):
            with open(path, "rb", buffering=0) as file:
                status = os.fstat(file.fileno())
                if max(status.st_mtime, status.st_ctime) > fuseir.IMPORTED:
                    return None  # an upgrade under a running process, whose code is still the old one
                contents = file.read()
            digest.update(f"{os.path.relpath(path, package)}\0{len(contents)}\0".encode())
            digest.update(contents)
    except OSError:
        return None
    return digest.hexdigest()


def _files_under(folder: str) -> Iterator[str]:
    with os.scandir(folder) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield from _files_under(entry.path)
        elif entry.name.endswith(_SUFFIXES):
            yield entry.path
