"""Runs a NumPy program as it is, with ``fuseir.numpy`` in NumPy's place.

Only the script and modules of its own folder see it: their imports are made by a function of ours, which Python looks up among a module's
builtins. Libraries (SciPy, matplotlib) import the real NumPy, and get arrays of ours by the protocols.
"""

from __future__ import annotations

import builtins
import sys
from collections.abc import Mapping, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

import fuseir.numpy
from fuseir.errors import InputFileError


def run(script: str, arguments: Sequence[str]) -> None:
    """Runs a script as ``python script.py argument …`` does. Raises InputFileError, and what the script raises."""
    path = Path(script)
    try:
        source = path.read_bytes()
    except OSError as error:
        raise InputFileError(f"cannot read {script}: {error.strerror}") from None
    main = ModuleType("__main__")
    main.__dict__.update(__file__=str(path), __builtins__=_BUILTINS)
    folder = str(path.resolve().parent)
    sys.argv = [script, *arguments]
    sys.modules["__main__"] = main
    sys.path[0] = folder
    sys.meta_path.insert(0, _OwnModules(folder))
    exec(compile(source, str(path), "exec"), main.__dict__)


def _import(
    name: str,
    globals: Mapping[str, Any] | None = None,
    locals: Mapping[str, Any] | None = None,
    fromlist: Sequence[str] | None = (),
    level: int = 0,
) -> Any:
    """``__import__`` for programs that get ``fuseir.numpy`` for NumPy."""
    top, _, rest = name.partition(".")
    if level or top != "numpy":
        return builtins.__import__(name, globals, locals, fromlist or (), level)
    builtins.__import__(name)  # raises ImportError for modules that NumPy does not have
    found: Any = fuseir.numpy
    if fromlist:
        for part in rest.split(".") if rest else ():
            found = getattr(found, part)
    return found


_BUILTINS = {**vars(builtins), "__import__": _import}


class _Loader(SourceFileLoader):
    def exec_module(self, module: ModuleType) -> None:
        module.__dict__["__builtins__"] = _BUILTINS
        super().exec_module(module)


class _OwnModules(MetaPathFinder):
    """Finds modules and packages in the script's folder; not libraries that happen to be installed below it."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._packages: set[str] = set()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        top = fullname.partition(".")[0]
        if path is not None and top not in self._packages:
            return None
        found = PathFinder.find_spec(fullname, [self._folder] if path is None else path, target)
        if found is not None and type(found.loader) is SourceFileLoader:
            self._packages.add(top)
            found.loader = _Loader(found.loader.name, found.loader.path)
        return found
