"""Object code in the disk cache: what is found there, what is kept, and whether it can be loaded at all."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from fuseir.cache import DiskCache, Entry
from fuseir.codegen.llvm.cache_keys import CacheKeys, keys_of
from fuseir.codegen.llvm.object_code import ObjectCode, object_of
from fuseir.codegen.llvm.target import Target
from fuseir.codegen.llvm.text import SupportFunction

_PROBE_SECONDS = 60.0


class CodeCache:
    """Object code of kernels and support functions for one target."""

    def __init__(self, disk: DiskCache, keys: CacheKeys) -> None:
        self._disk = disk
        self._keys = keys

    @staticmethod
    def of(disk: DiskCache | None, target: Target) -> CodeCache | None:
        """The code in a cache; None if nothing is to be looked up or kept."""
        keys = None if disk is None or not disk.active else keys_of(target)
        return None if disk is None or keys is None else CodeCache(disk, keys)

    def kernel(self, digest: str) -> tuple[ObjectCode, dict[str, str]] | None:
        """The code of a kernel by the digest of its lowered text, and the keys of the support functions that it calls."""
        key = self._keys.kernel(digest)
        found = self._disk.get(key, object_of)
        if found is None or (self._disk.probe and not self._can_load(key)):
            return None
        return found

    def keep_kernel(self, digest: str, code: ObjectCode, support: Iterable[SupportFunction]) -> None:
        """Keep the code of a kernel."""
        keys = {function.symbol: self._keys.support(function) for function in support}
        self._disk.put(self._keys.kernel(digest), code.entry(keys))

    def support(self, symbol: str, key: str) -> ObjectCode | None:
        """The code of a support function."""

        def read(entry: Entry) -> ObjectCode | None:
            found = object_of(entry)
            return None if found is None or found[0].symbol != symbol or found[1] else found[0]

        return self._disk.get(key, read)

    def support_key(self, function: SupportFunction) -> str:
        """The key of a support function."""
        return self._keys.support(function)

    def keep_support(self, function: SupportFunction, code: ObjectCode) -> None:
        """Keep the code of a support function, unless it is known to be there."""
        key = self._keys.support(function)
        if not self._disk.seen(key):
            self._disk.put(key, code.entry({}))

    def _can_load(self, key: str) -> bool:
        """Whether code of this environment can be loaded: a child process tries one kernel, once. If not, the cache is given up."""
        note = self._keys.probe()
        if self._disk.get(note, lambda entry: entry.header.get("loaded")) is True:
            return True
        # The child must find what we found, wherever that came from.
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        command = [sys.executable, "-c", f"import {__name__} as c, sys; c.probe(*sys.argv[1:])"]
        try:
            done = subprocess.run(
                [*command, str(self._disk.directory), key],
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_PROBE_SECONDS,
                check=False,
            )
            loaded = done.returncode == 0
        except (OSError, subprocess.TimeoutExpired):
            loaded = False
        if loaded:
            self._disk.put(note, Entry({"loaded": True}, b""))
        else:
            self._disk.disable("a process that tried to load a kernel from it did not end well (FUSEIR_CACHE_PROBE)")
        return loaded


def probe(directory: str, key: str) -> None:
    """Load a kernel from a cache, in a process that is to die if that cannot be done. Raises LookupError if it is not there."""
    # Only here: these modules use this one.
    from fuseir.codegen.llvm.machine import load_objects  # noqa: PLC0415
    from fuseir.codegen.llvm.support import support_library  # noqa: PLC0415
    from fuseir.codegen.llvm.target import host_target  # noqa: PLC0415

    target = host_target()
    disk = DiskCache(Path(directory), limit=1)
    cache = CodeCache.of(disk, target)
    found = None if cache is None else disk.get(key, object_of)
    if cache is None or found is None or not support_library(target).provide_cached(found[1], cache):
        raise LookupError(key)
    load_objects([found[0]], target)
