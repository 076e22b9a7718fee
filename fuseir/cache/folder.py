"""A folder that nobody else can write to, and files in it that are whole or not there.

Whoever can put code into the cache can run it as us. So the folder must be a real directory of ours with mode 0700, which is
checked at each use on the open directory itself, and all that is in it is opened by name within that directory, never through
a link. Other programs of the same user are trusted.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

MOST_BYTES = 1 << 27
"""No file larger than this is read or written."""

_SUFFIX = ".entry"
_TEMPORARY = ".new-"
"""How files that are being written are called: readers never look at them."""


class UnsafeFolderError(OSError):
    """A folder that somebody else could write to, or no folder at all."""


@dataclass(frozen=True)
class FileInfo:
    """A file of the folder: its name, bytes, the time it was last used, and whether it is one that was being written."""

    name: str
    bytes: int
    used: float
    temporary: bool


class Folder:
    """A folder of files by key. All methods raise OSError, UnsafeFolderError among them, and FileNotFoundError if it does not exist."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self, key: str, now: float) -> bytes:
        """All of a file, which counts as used ``now``. Raises OSError too for what is no regular file of ours."""
        with self._opened() as folder:
            # A FIFO must not make us wait, nor a link lead elsewhere.
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            file = os.open(key + _SUFFIX, flags, dir_fd=folder)
            try:
                return _contents(file, now)
            finally:
                os.close(file)

    def write(self, key: str, data: bytes) -> None:
        """Makes these bytes the contents of a file, all at once: who reads meanwhile gets the old ones or the new ones.

        Makes the folder if there is none. Not safe from power failures, for which readers have checksums.
        """
        os.makedirs(self.path, mode=0o700, exist_ok=True)
        with self._opened() as folder:
            temporary = f"{_TEMPORARY}{os.getpid()}-{os.urandom(8).hex()}"
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            file = os.open(temporary, flags, 0o600, dir_fd=folder)
            try:
                try:
                    rest = memoryview(data)
                    while rest:
                        rest = rest[os.write(file, rest) :]
                finally:
                    os.close(file)
                os.replace(temporary, key + _SUFFIX, src_dir_fd=folder, dst_dir_fd=folder)
            except BaseException:
                with suppress(OSError):
                    os.unlink(temporary, dir_fd=folder)
                raise

    def files(self) -> list[FileInfo]:
        """The files there are, also those being written. What is not of our making is left out."""
        with self._opened() as folder:
            return list(_files(folder))

    def remove(self, names: list[str]) -> None:
        """Removes files; those that are gone already do not matter."""
        with self._opened() as folder:
            for name in names:
                with suppress(FileNotFoundError):
                    os.unlink(name, dir_fd=folder)

    @contextmanager
    def _opened(self) -> Generator[int]:
        try:
            folder = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError as error:
            if error.errno in (errno.ENOTDIR, errno.ELOOP):  # systems differ in what they say of a link
                raise UnsafeFolderError(f"{self.path} is not a directory, or a link to one") from None
            raise
        try:
            status = os.fstat(folder)
            if status.st_uid != os.geteuid():
                raise UnsafeFolderError(f"{self.path} belongs to another user")
            if status.st_mode & 0o077:
                raise UnsafeFolderError(f"{self.path} is open to other users: chmod 700 it")
            yield folder
        finally:
            os.close(folder)


def supported() -> bool:
    """Whether this system has what the folder needs; Windows has not."""
    return hasattr(os, "O_NOFOLLOW") and hasattr(os, "geteuid") and os.open in os.supports_dir_fd


_OFTEN = 3600.0
"""Seconds after which a use of a file is noted again."""


def _contents(file: int, now: float) -> bytes:
    status = os.fstat(file)
    # No links is a file that another process has just replaced: what we opened is whole.
    if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid() or status.st_nlink > 1:
        raise OSError("not a regular file of ours with one name")
    if status.st_size > MOST_BYTES:
        raise OSError("larger than any entry")
    parts: list[bytes] = []
    # One byte more than there should be, to find the end in one call more.
    while part := os.read(file, status.st_size + 1):
        parts.append(part)
        if sum(map(len, parts)) > MOST_BYTES:
            raise OSError("larger than any entry")
    if now - status.st_mtime > _OFTEN:
        with suppress(OSError):  # a read-only system: then nothing is evicted either
            os.utime(file)
    return b"".join(parts)


def _files(folder: int) -> Iterator[FileInfo]:
    with os.scandir(folder) as found:
        for each in found:
            temporary = each.name.startswith(_TEMPORARY)
            if temporary or each.name.endswith(_SUFFIX):
                with suppress(FileNotFoundError):
                    status = each.stat(follow_symlinks=False)
                    if not stat.S_ISDIR(status.st_mode):
                        yield FileInfo(each.name, status.st_size, status.st_mtime, temporary)
