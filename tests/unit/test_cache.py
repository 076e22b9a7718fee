"""The files of the disk cache: what is damaged is not there, what cannot be kept is not kept, and nobody is told but once.

``FUSEIR_CACHE_KILLS`` sets how often writers are killed; 300 takes two minutes.
"""

from __future__ import annotations

import errno
import hashlib
import os
import random
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import pytest

import fuseir
from fuseir.cache import DiskCache, Entry, cache_of
from fuseir.cache import folder as folder_module
from fuseir.cache.entry import decode, encode
from fuseir.errors import FallbackWarning, UsageError
from fuseir.options import options_from

MUTANTS = 50_000
KILLS = int(os.environ.get("FUSEIR_CACHE_KILLS", "6"))
LIMIT = 1 << 28


def key_of(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


def entry_of(number: int, size: int = 300) -> Entry:
    """The one right entry of a key."""
    return Entry({"number": number, "names": ["a", "b"]}, random.Random(number).randbytes(size))


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def disk(directory: Path) -> DiskCache:
    return DiskCache(directory, LIMIT)


def found(disk: DiskCache, number: int) -> Entry | None:
    return disk.get(key_of(number), lambda entry: entry)


def file_of(directory: Path, number: int) -> Path:
    return directory / f"{key_of(number)}.entry"


# Entries


def test_an_entry_is_found_again(disk: DiskCache, directory: Path) -> None:
    assert found(disk, 1) is None
    assert not directory.exists()  # looking makes nothing
    disk.put(key_of(1), entry_of(1))
    assert found(disk, 1) == entry_of(1)
    assert found(DiskCache(directory, LIMIT), 1) == entry_of(1)
    assert found(disk, 2) is None
    info = disk.info()
    assert (info.hits, info.misses, info.rejected, info.stores, info.entries) == (1, 2, 0, 1, 1)
    assert info.bytes == file_of(directory, 1).stat().st_size
    assert file_of(directory, 1).stat().st_mode & 0o777 == 0o600
    assert directory.stat().st_mode & 0o777 == 0o700


def test_no_damaged_entry_is_accepted() -> None:
    """Every cut, and bits flipped, bytes added, removed and moved anywhere: C1."""
    generator = random.Random(20)
    made = 0
    wholes = [encode(key_of(n), entry_of(n, size)) for n, size in enumerate((0, 300, 4000))]
    for n, whole in enumerate(wholes):
        assert decode(key_of(n), whole) == entry_of(n, (0, 300, 4000)[n])
        for end in range(len(whole)):
            assert decode(key_of(n), whole[:end]) is None
            made += 1
    while made < MUTANTS:
        n = made % 3
        mutant = bytearray(wholes[n])
        at = generator.randrange(len(mutant))
        match made // 3 % 5:
            case 0:
                mutant[at] ^= 1 << generator.randrange(8)
            case 1:
                mutant += generator.randbytes(generator.randrange(1, 9))
            case 2:
                del mutant[at]
            case 3:
                mutant[at : at + 8] = generator.randbytes(8)
            case _:
                mutant[:at] = wholes[(n + 1) % 3][:at]  # the start of another
        if mutant != wholes[n]:
            assert decode(key_of(n), bytes(mutant)) is None
        made += 1


def test_no_header_is_accepted_but_the_keys_own() -> None:
    """Also where the checksum is right: what another key's entry, or another writer, may have left."""

    def with_rest(rest: bytes) -> bytes:
        mark = encode(key_of(1), entry_of(1))[:16]
        return mark + hashlib.sha256(mark + rest).digest() + rest

    def with_header(header: bytes) -> bytes:
        return with_rest(len(header).to_bytes(4, "little") + header)

    assert decode(key_of(1), encode(key_of(2), entry_of(1))) is None
    key = b'"key":"' + key_of(1).encode() + b'"'
    assert decode(key_of(1), with_header(b"{" + key + b"}")) == Entry({}, b"")
    for header in (b"", b"{}", b"[]", b"1", b"null", b"{" + key, b"[" * 100_000, b"\xff", b'{"key":1}', b'{"key":NaN}'):
        assert decode(key_of(1), with_header(header)) is None
    for length in (0, 1, 2**31, 2**32 - 1):
        assert decode(key_of(1), with_rest(length.to_bytes(4, "little") + b"{" + key + b"} ")) is None
    assert decode(key_of(1), with_rest(b"\1")) is None


def test_a_damaged_file_is_a_miss_and_is_replaced(disk: DiskCache, directory: Path) -> None:
    disk.put(key_of(1), entry_of(1))
    path = file_of(directory, 1)
    whole = path.read_bytes()
    for damaged in (b"", whole[:-1], whole + b"\0", whole[:100] + b"?" + whole[101:], os.urandom(500)):
        path.write_bytes(damaged)
        assert found(disk, 1) is None
        disk.put(key_of(1), entry_of(1))
        assert found(disk, 1) == entry_of(1)
    assert disk.info().rejected == 5


def test_a_reader_may_decline(disk: DiskCache) -> None:
    disk.put(key_of(1), entry_of(1))
    assert disk.get(key_of(1), lambda _: None) is None
    assert (disk.info().hits, disk.info().rejected) == (0, 1)


# What is in the way


@pytest.mark.parametrize("kind", ["link", "hard link", "fifo", "directory"])
def test_only_regular_files_with_one_name_are_read(disk: DiskCache, directory: Path, tmp_path: Path, kind: str) -> None:
    """C3: even if what they lead to is a good entry; and we never wait for a FIFO."""
    disk.put(key_of(1), entry_of(1))
    path = file_of(directory, 1)
    elsewhere = tmp_path / "elsewhere"
    path.rename(elsewhere)
    match kind:
        case "link":
            path.symlink_to(elsewhere)
        case "hard link":
            path.hardlink_to(elsewhere)
        case "fifo":
            os.mkfifo(path)
        case _:
            path.mkdir()
    assert found(disk, 1) is None
    if kind == "directory":
        with pytest.warns(FallbackWarning):
            disk.put(key_of(1), entry_of(1))
    else:
        disk.put(key_of(1), entry_of(1))
        assert found(disk, 1) == entry_of(1)
        assert elsewhere.read_bytes() == path.read_bytes()  # and not written through a link


@pytest.mark.parametrize("kind", ["777", "755", "link", "file", "foreign"])
def test_a_folder_that_others_could_write_to_is_not_used(directory: Path, tmp_path: Path, kind: str) -> None:
    """C2: neither read nor written, with one warning."""
    DiskCache(directory, LIMIT).put(key_of(1), entry_of(1))
    path = directory
    match kind:
        case "link":
            path = tmp_path / "link"
            path.symlink_to(directory, target_is_directory=True)
        case "file":
            path = tmp_path / "file"
            path.write_text("")
        case "foreign":
            if os.geteuid():
                pytest.skip("only root can give folders away")
            os.chown(directory, 12345, -1)
        case mode:
            directory.chmod(int(mode, 8))
    before = sorted(directory.iterdir())
    disk = DiskCache(path, LIMIT)
    with pytest.warns(FallbackWarning):
        assert found(disk, 1) is None
    # Warned about once: any more would be an error here.
    disk.put(key_of(2), entry_of(2))
    assert found(disk, 1) is None
    assert sorted(directory.iterdir()) == before
    info = disk.info()
    assert info.directory is None
    assert str(path) in str(info.reason)
    with pytest.warns(FallbackWarning):
        DiskCache(path, LIMIT).put(key_of(2), entry_of(2))
    assert sorted(directory.iterdir()) == before


def test_a_folder_that_goes_away_comes_back(disk: DiskCache, directory: Path) -> None:
    for _ in range(2):
        disk.put(key_of(1), entry_of(1))
        assert found(disk, 1) == entry_of(1)
        file_of(directory, 1).unlink()
        directory.rmdir()
        assert found(disk, 1) is None
        assert disk.info().entries == 0


class FailingSystem:
    """The ``os`` module, whose n-th call fails."""

    def __init__(self, number: int, failure: BaseException) -> None:
        self.left, self.failure = number, failure

    def __getattr__(self, name: str) -> Any:
        value = getattr(os, name)
        if not callable(value):
            return value

        def call(*arguments: Any, **keywords: Any) -> Any:
            self.left -= 1
            if self.left == 0 and name != "close":  # which closes all the same
                raise self.failure
            return value(*arguments, **keywords)

        return call


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EBUSY, errno.EROFS, errno.EACCES, errno.ESTALE, None])
def test_any_system_call_may_fail(directory: Path, monkeypatch: pytest.MonkeyPatch, code: int | None) -> None:
    """C5: no exception but an interrupt (None), one warning at most, no damaged entry, no file left open, and the next is kept."""
    failure = KeyboardInterrupt() if code is None else OSError(code, os.strerror(code))
    open_before = len(os.listdir("/proc/self/fd")) if os.path.exists("/proc/self/fd") else 0
    DiskCache(directory, LIMIT).put(key_of(0), entry_of(0))
    for number in range(1, 100):
        disk = DiskCache(directory, LIMIT)
        system = FailingSystem(number, failure)
        with warnings.catch_warnings(record=True) as warned, monkeypatch.context() as patch:
            warnings.simplefilter("always")
            patch.setattr(folder_module, "os", system)
            try:
                for k in range(3):
                    disk.put(key_of(k), entry_of(k))
                    assert found(disk, k) in (None, entry_of(k))
                    disk.info()
            except KeyboardInterrupt:
                assert code is None
        assert len(warned) <= 1
        for path in directory.glob("*.entry"):
            assert decode(path.stem, path.read_bytes()) is not None
        again = DiskCache(directory, LIMIT)
        again.put(key_of(number), entry_of(number))
        assert found(again, number) == entry_of(number)
        if system.left > 0:
            break
    else:
        raise AssertionError("never ran without a failure")
    assert number > 20
    if open_before:
        assert len(os.listdir("/proc/self/fd")) == open_before


def test_after_a_failure_entries_are_read_but_no_more_are_written(
    disk: DiskCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk.put(key_of(1), entry_of(1))
    with monkeypatch.context() as patch:
        patch.setattr(folder_module, "os", FailingSystem(3, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))))
        with pytest.warns(FallbackWarning, match="No space left"):
            disk.put(key_of(2), entry_of(2))
    disk.put(key_of(3), entry_of(3))
    assert found(disk, 1) == entry_of(1)
    assert found(disk, 3) is None
    info = disk.info()
    assert (info.stores, info.failures) == (1, 1)
    assert "No space left" in str(info.reason)


# Size


def test_what_was_not_used_for_longest_goes(directory: Path) -> None:
    disk = DiskCache(directory, 20_000)
    for number in range(200):
        disk.put(key_of(number), entry_of(number))
        hours_ago = time.time() - 3600 * (500 - number)
        os.utime(file_of(directory, number), (hours_ago, hours_ago))
        if number >= 10:
            assert found(disk, 5) is not None  # used, whatever comes
        assert disk.info().bytes <= 20_000
    kept = {number for number in range(200) if file_of(directory, number).exists()}
    assert 25 < len(kept) < 60
    assert kept == {5, *range(201 - len(kept), 200)}
    assert disk.info().evictions == 200 - len(kept)


def test_what_is_larger_than_the_limit_is_not_kept(directory: Path) -> None:
    disk = DiskCache(directory, 1000)
    disk.put(key_of(1), entry_of(1, 2000))
    assert not directory.exists()


def test_what_killed_writers_left_goes_after_an_hour(directory: Path) -> None:
    DiskCache(directory, LIMIT).put(key_of(1), entry_of(1))
    old, new, other = directory / ".new-1-a", directory / ".new-2-b", directory / "notes.txt"
    for path in (old, new, other):
        path.write_text("")
    os.utime(old, (time.time() - 4000,) * 2)
    DiskCache(directory, LIMIT).put(key_of(2), entry_of(2))
    assert (old.exists(), new.exists()) == (False, True)
    assert DiskCache(directory, LIMIT).clear() == 2
    assert list(directory.iterdir()) == [other]  # not ours


# Processes

WRITER = """
import sys
sys.path[:0] = {path!r}
from pathlib import Path
from test_cache import DiskCache, entry_of, found, key_of
disk = DiskCache(Path(sys.argv[1]), 1 << 28)
first, count, size = map(int, sys.argv[2:])
print(flush=True)
n = first
while count:
    number = n % 200
    disk.put(key_of(number), entry_of(number, size))
    assert found(disk, number) == entry_of(number, size)
    n, count = n + 7, count - 1
info = disk.info()
assert (info.rejected, info.failures) == (0, 0), info
"""


def writer(directory: Path, first: int, count: int, size: int) -> subprocess.Popen[bytes]:
    program = WRITER.format(path=[str(Path(__file__).parent), *sys.path])
    command = [sys.executable, "-c", program, str(directory), str(first), str(count), str(size)]
    return subprocess.Popen(command, stdout=subprocess.PIPE)


def test_processes_on_one_folder(directory: Path) -> None:
    """C4: eight of them, the same 200 keys, written and read back whatever the others do."""
    writers = [writer(directory, first, 200, 300) for first in range(8)]
    for process in writers:
        process.communicate(timeout=120)
        assert process.returncode == 0
    assert len(list(directory.iterdir())) == 200
    disk = DiskCache(directory, LIMIT)
    assert all(found(disk, number) == entry_of(number) for number in range(200))


def test_killed_writers_leave_no_damaged_entry(directory: Path) -> None:
    """C6."""
    generator = random.Random(6)
    for number in range(KILLS):
        writers = [writer(directory, first, -1, 50_000) for first in (number, number + 3)]
        for process in writers:
            assert process.stdout is not None
            process.stdout.readline()  # it is about to write
        time.sleep(generator.uniform(0.0, 0.05))
        for process in writers:
            process.kill()
            process.communicate()
        for path in directory.glob("*.entry"):
            assert decode(path.stem, path.read_bytes()) is not None
    assert list(directory.glob("*.entry"))


def test_a_file_size_limit_is_no_error(directory: Path) -> None:
    program = (
        "import resource, sys; from pathlib import Path; from fuseir.cache import DiskCache, Entry\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"
        "disk = DiskCache(Path(sys.argv[1]), 1 << 28)\n"
        "disk.put('a' * 64, Entry({}, bytes(5000))); print(disk.info().reason)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(directory)], capture_output=True, text=True, check=True, timeout=60
    )
    assert "File too large" in done.stdout
    assert done.stderr.count("FallbackWarning") == 1
    assert list(directory.iterdir()) == []


# Options


def test_where_the_cache_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    on = options_from({}, {})
    assert cache_of(on).directory == tmp_path / ".cache" / "fuseir"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert cache_of(on).directory == tmp_path / ".cache" / "fuseir"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_of(on).directory == tmp_path / "xdg" / "fuseir"
    monkeypatch.chdir(tmp_path)
    assert cache_of(options_from({}, {"FUSEIR_CACHE_DIR": "here"})).directory == tmp_path / "here"
    assert cache_of(options_from({"cache_dir": "~/there"}, {})).directory == tmp_path / "there"
    off = cache_of(options_from({}, {"FUSEIR_CACHE": "0"}))
    assert (off.directory, off.info().reason, off.clear()) == (None, "it is turned off", 0)
    assert not list(tmp_path.iterdir())
    assert cache_of(on) is cache_of(options_from({"threads": 7}, {}))


def test_options_of_the_cache_that_make_no_sense() -> None:
    for variable, value in (("FUSEIR_CACHE", "maybe"), ("FUSEIR_CACHE_BYTES", "lots"), ("FUSEIR_CACHE_BYTES", "0")):
        with pytest.raises(UsageError):
            options_from({}, {variable: value})
    for options in ({"cache": 1}, {"cache_dir": 3}, {"cache_bytes": 0.5}, {"cache_probe": "yes"}):
        with pytest.raises(UsageError):
            options_from(options, {})


def test_tests_leave_the_users_cache_alone() -> None:
    info = fuseir.Session().cache_info()
    assert (info.directory, info.reason) == (None, "it is turned off")
