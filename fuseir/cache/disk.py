"""The cache: entries by key in a folder, with a bound on their size.

It only ever saves time. Whatever goes wrong with it is a miss, or something not kept, and never an error: the caller makes
again what it did not get.
"""

from __future__ import annotations

import logging
import os
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import TypeVar

from fuseir.cache.entry import Entry, decode, encode
from fuseir.cache.folder import MOST_BYTES, FileInfo, Folder, UnsafeFolderError, supported
from fuseir.errors import FallbackWarning, InputFileError
from fuseir.options import Options

_log = logging.getLogger("fuseir.cache")

_Read = TypeVar("_Read")

_LEFT_OVER = 3600.0
"""Seconds after which a file that is still being written has been given up by whoever wrote it."""


@dataclass(frozen=True)
class CacheInfo:
    """What the cache holds, and what this process did with it.

    Entries are plans, kernels, functions that kernels share, and what is known of tasks.
    """

    directory: Path | None
    """Where it is; None if it is not in use, for the ``reason`` given."""
    reason: str | None
    """Why nothing is read or written; None if all is well."""
    entries: int
    """Entries there are now, whoever wrote them."""
    plans: int
    """How many of them are plans."""
    kernels: int
    """How many of them are kernels."""
    bytes: int
    """What they take."""
    limit: int
    """What they may take before the longest unused are removed."""
    hits: int
    """Entries that were found."""
    misses: int
    """Entries that were not found, the rejected ones included."""
    rejected: int
    """Entries that were there and could not be used: damaged, or no file of ours."""
    stores: int
    """Entries written."""
    failures: int
    """Entries that could not be written. After the first, this process writes no more."""
    evictions: int
    """Entries removed to keep within the limit."""

    def __str__(self) -> str:
        lines = [(field.name, getattr(self, field.name)) for field in fields(self)]
        return "\n".join(f"{name:10} {'-' if value is None else value!s:>12}" for name, value in lines)


class DiskCache:
    """Entries by key. Safe for any number of processes on one folder, and for threads, whose counts may be a little off.

    There is no lock, which a fork could leave locked for ever. Without a folder nothing is found and nothing kept.
    """

    def __init__(self, directory: Path | None, limit: int, reason: str | None = None, *, probe: bool = False) -> None:
        self.probe = probe
        """Whether its users should try in a child process what they find here before they rely on it."""
        self._folder = None if directory is None else Folder(directory)
        self._limit = limit
        self._reason = reason
        self._writes = True
        self._warned = False
        self._seen: set[str] = set()
        self._unchecked = -1  # bytes that may be written before sizes are looked at again: at the first write at once
        self._hits = self._misses = self._rejected = self._stores = self._failures = self._evictions = 0

    @property
    def active(self) -> bool:
        """Whether looking anything up makes sense."""
        return self._folder is not None

    @property
    def directory(self) -> Path | None:
        """Where entries are; None if there are none."""
        folder = self._folder
        return None if folder is None else folder.path

    def get(self, key: str, read: Callable[[Entry], _Read | None]) -> _Read | None:
        """What ``read`` makes of the entry of a key; None if there is none, or it is damaged, or ``read`` returns None."""
        folder = self._folder  # another thread may give it up meanwhile
        if folder is None:
            return None
        found, fault = None, "damaged"
        try:
            entry = decode(key, folder.read(key, time.time()))
            found = None if entry is None else read(entry)
        except FileNotFoundError:
            fault = None
        except UnsafeFolderError as error:
            self._give_up(str(error))
            return None
        except (OSError, MemoryError) as error:
            fault = str(error)
        if found is not None:
            self._hits += 1
            self._seen.add(key)
            return found
        self._misses += 1
        self._seen.discard(key)
        if fault is not None:
            self._rejected += 1
            _log.debug("entry %s is not used and will be replaced: %s", key, fault)
        return None

    def put(self, key: str, entry: Entry) -> None:
        """Keeps an entry, if that is possible; the first time it is not is warned about (FallbackWarning)."""
        folder = self._folder
        if folder is None or not self._writes:
            return
        data = encode(key, entry)
        if len(data) > min(self._limit, MOST_BYTES):
            return
        try:
            folder.write(key, data)
            self._stores += 1
            self._seen.add(key)
            self._unchecked -= len(data)
            if self._unchecked < 0:
                # Often enough that several processes together do not go far beyond the limit.
                self._unchecked = self._limit // 16
                self._tidy(folder)
        except UnsafeFolderError as error:
            self._failures += 1
            self._give_up(str(error))
        except OSError as error:
            what = error.strerror or str(error)
            self._failures += 1
            self._writes, self._reason = False, f"it cannot be written: {what}"
            self._warn(f"plans and compiled kernels are not kept in {folder.path}: {what}")

    def seen(self, key: str) -> bool:
        """Whether this process found or wrote an entry for a key; it may be gone by now."""
        return key in self._seen

    def info(self) -> CacheInfo:
        """What the cache holds and did. Looks at the folder."""
        files = [file for file in self._listed() if not file.temporary]
        return CacheInfo(
            directory=self.directory,
            reason=self._reason,
            entries=len(files),
            plans=sum(file.name.startswith("plan-") for file in files),
            kernels=sum(file.name.startswith("kernel-") for file in files),
            bytes=sum(file.bytes for file in files),
            limit=self._limit,
            hits=self._hits,
            misses=self._misses,
            rejected=self._rejected,
            stores=self._stores,
            failures=self._failures,
            evictions=self._evictions,
        )

    def clear(self) -> int:
        """Removes all entries, and returns how many. Raises InputFileError if they cannot be removed."""
        folder, files = self._folder, self._listed()
        self._seen.clear()
        if folder is not None and files:
            try:
                folder.remove([file.name for file in files])
            except OSError as error:
                raise InputFileError(f"cannot remove entries from {folder.path}: {error.strerror or error}") from None
        return sum(not file.temporary for file in files)

    def disable(self, reason: str) -> None:
        """Uses the folder no more in this process, with a FallbackWarning."""
        if self._folder is not None:
            self._give_up(reason)

    def _listed(self) -> list[FileInfo]:
        folder = self._folder
        try:
            return [] if folder is None else folder.files()
        except OSError:
            return []

    def _tidy(self, folder: Folder) -> None:
        """Removes what has not been used for longest, if there is too much, and what writers that died left."""
        now = time.time()
        files = folder.files()
        folder.remove([file.name for file in files if file.temporary and now - file.used > _LEFT_OVER])
        entries = sorted((file for file in files if not file.temporary), key=lambda file: file.used)
        total = sum(file.bytes for file in entries)
        if total <= self._limit - self._limit // 16:
            return
        evicted: list[str] = []
        for file in entries:
            if total <= self._limit - self._limit // 4:
                break
            total -= file.bytes
            evicted.append(file.name)
        folder.remove(evicted)
        self._evictions += len(evicted)

    def _give_up(self, reason: str) -> None:
        self._folder, self._reason = None, reason
        self._warn(f"plans and compiled kernels are neither kept on disk nor looked for there: {reason}")

    def _warn(self, message: str) -> None:
        warned, self._warned = self._warned, True
        if not warned:
            warnings.warn(message, FallbackWarning, stacklevel=2)


def cache_of(options: Options) -> DiskCache:
    """The cache that the options ask for: one object for each folder and limit in a process."""
    if not options.cache:
        return _cache(None, options.cache_bytes, "it is turned off")
    if not supported():
        return _cache(None, options.cache_bytes, "this system cannot tell whose files are safe to run")
    try:
        directory = _default_directory() if options.cache_dir is None else Path(options.cache_dir).expanduser()
    except RuntimeError:
        return _cache(None, options.cache_bytes, "there is no home directory")
    # Absolute, so that it stays where it is when the program goes elsewhere; links in its name are left as they are.
    return _cache(Path(os.path.abspath(directory)), options.cache_bytes, None, options.cache_probe)


@cache
def _cache(directory: Path | None, limit: int, reason: str | None, probe: bool = False) -> DiskCache:
    return DiskCache(directory, limit, reason, probe=probe)


def _default_directory() -> Path:
    given = os.environ.get("XDG_CACHE_HOME", "")
    # As the XDG specification says, a relative path counts for nothing.
    base = Path(given) if os.path.isabs(given) else Path.home() / ".cache"
    return base / "fuseir"
