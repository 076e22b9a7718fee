"""Memory that fuseir.numpy shares with NumPy: what each side sees, and for how long."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Generator
from typing import Any

import numpy as np
import pytest

import fuseir
import fuseir.numpy as fnp
from fuseir.errors import UsageError
from fuseir.numpy.array import ndarray

pytestmark = pytest.mark.filterwarnings("ignore::fuseir.errors.FallbackWarning")


@pytest.fixture(autouse=True)
def session() -> Generator[fuseir.Session]:
    with fuseir.Session(threads=2) as session:
        yield session


def waiting(session: fuseir.Session) -> int:
    return len(session._window.launches)  # pyright: ignore[reportPrivateUsage]


SIZES = (12, 60_000)  # the memory of the latter is the pool's, and is reused


class OnlyInterface:
    def __init__(self, interface: dict[str, Any]) -> None:
        self.__array_interface__ = interface


SEEN: dict[str, Callable[[Any], np.ndarray[Any, Any]]] = {
    "asarray": np.asarray,
    "asarray without copy": lambda x: np.asarray(x, copy=False),
    "__array__": lambda x: x.__array__(),
    "interface": lambda x: np.asarray(OnlyInterface(x.__array_interface__)),
    "dlpack": np.from_dlpack,
    "buffer": lambda x: np.asarray(x.data),
}


def views(x: Any) -> dict[str, Any]:
    return {
        "all": x,
        "slice": x[2:-1],
        "backwards": x[::-3],
        "with dimensions": x[None, 1:, None],
        "repeated": np.broadcast_to(x, (2, *x.shape)),
        "an element": x[3:4].squeeze(),
        "nothing": x[:0],
        "reshaped": x.reshape(3, -1),
        "of a reshaped one": x.reshape(3, -1).T[1:],
        "of other types": x.view(np.int32),
    }


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("way", SEEN)
def test_numpys_array_on_ours_shows_what_is_written_later(way: str, size: int) -> None:
    x, expected = fnp.arange(float(size)), np.arange(float(size))
    pairs = {name: (SEEN[way](view), views(expected)[name]) for name, view in views(x).items()}
    for shown, want in pairs.values():
        assert type(shown) is np.ndarray
        assert (shown.shape, shown.dtype) == (want.shape, want.dtype)
        assert not shown.flags.writeable
    for each in (x, expected):
        each[1:] += each[:-1].copy()
        each[::2] = 7.0
    for name, (shown, want) in pairs.items():
        assert np.array_equal(shown, want), name


WRITES = """
    x += 1.0
    x[1:] = x[:-1] + 1.0
    x[x > 2.0] = -1.0
    x[[0, 3]] = [5.0, 6.0]
    x[:] = np.arange(float(size)) * 3.0 # may take over the memory that this is computed in
    np.sqrt(x, out=x)
    x.reshape(2, -1)[1] = 4.0
    x.fill(2.0)
    x.flat[1::2] = 3.0
    np.copyto(x, np.linspace(0.0, 1.0, size))
"""


@pytest.mark.parametrize("size", SIZES)
def test_all_ways_to_write_are_seen_at_once(session: fuseir.Session, size: int) -> None:
    x, expected = fnp.ones(size), np.ones(size)
    shown = np.asarray(x)
    for line in WRITES.strip().splitlines():
        exec(line.strip(), {"np": fnp, "x": x, "size": size})
        exec(line.strip(), {"np": np, "x": expected, "size": size})
        assert np.array_equal(shown, expected), line
        assert waiting(session) == 0


def test_what_frozen_functions_write_is_seen() -> None:
    double = fuseir.freeze(doubled)
    for _ in range(3):
        x = fnp.ones(10)
        double(x)
        shown = np.asarray(x)
        double(x)
        assert np.array_equal(shown, np.full(10, 4.0))


def doubled(x: ndarray) -> Any:
    return fnp.multiply(x, 2.0, out=x)


@pytest.mark.parametrize("size", SIZES)
def test_memory_that_is_seen_is_not_used_again(session: fuseir.Session, size: int) -> None:
    x = fnp.full(size, 3.0)
    shown = np.from_dlpack(x)[::2]
    y = x + 1.0  # the last to use x, of the same size
    del x
    gc.collect()
    for k in range(5):
        y = y * 2.0 + float(k)
        session.flush()
    assert np.array_equal(shown, np.full(size // 2, 3.0))


def test_writes_wait_again_when_nobody_looks(session: fuseir.Session) -> None:
    x = fnp.ones(100)
    shown = [np.asarray(x), np.asarray(x[1:]), np.from_dlpack(x)]
    assert len(x.root.watchers) == 1
    x += 1.0
    assert waiting(session) == 0
    y = x + 1.0  # what reads it only, waits
    assert waiting(session) == 1
    del shown
    gc.collect()
    x += 1.0
    x += 1.0
    assert waiting(session) == 3
    assert x.root.watchers == ()
    assert np.array_equal(y, np.full(100, 3.0))


def test_what_fails_leaves_the_memory_where_it_is_seen(session: fuseir.Session) -> None:
    x = fnp.ones(10)
    shown = np.asarray(x)

    def fail(out: Any) -> None:
        raise RuntimeError("on purpose")

    with pytest.raises(RuntimeError, match="on purpose"):
        session.launch(fuseir.opaque_task(fail, ["write"]), x)
    x[...] = 2.0
    assert np.array_equal(shown, np.full(10, 2.0))


def test_a_frozen_function_is_not_recorded_on_memory_that_is_seen() -> None:
    double = fuseir.freeze(doubled)
    x = fnp.ones(5)
    shown = np.asarray(x)
    with pytest.raises(UsageError, match="frozen"):
        double(x)
    x += 1.0
    assert np.array_equal(shown, np.asarray(x))


def test_dlpack_says_read_only_or_copies() -> None:
    x = fnp.arange(4.0)
    assert x.__dlpack_device__() == (1, 0)
    copied = np.from_dlpack(x, copy=True)

    class Old:
        """Passes on what a consumer gets that knows DLPack before 1.0 only."""

        __dlpack_device__ = x.__dlpack_device__

        def __init__(self, **keywords: Any) -> None:
            self.keywords = keywords

        def __dlpack__(self, **keywords: Any) -> Any:
            return x.__dlpack__(**self.keywords)

    old, shared = np.from_dlpack(Old()), np.from_dlpack(Old(copy=False))
    x += 1.0
    for each in (copied, old):
        assert each.tolist() == [0.0, 1.0, 2.0, 3.0]
    assert shared.tolist() == [1.0, 2.0, 3.0, 4.0]
    with pytest.raises(BufferError):
        x.__dlpack__(max_version=(1, 0), dl_device=(2, 0))


# NumPy's memory


def taken(theirs: Any) -> ndarray:
    return fnp.asarray(theirs, copy=False)


@pytest.mark.parametrize("take", [taken, fnp.from_dlpack])
@pytest.mark.parametrize("size", SIZES)
def test_ours_on_numpys_array_share_elements(
    take: Callable[[Any], ndarray], size: int, session: fuseir.Session
) -> None:
    theirs = np.arange(float(size))
    x = take(theirs)
    x *= 2.0
    assert np.array_equal(theirs, np.arange(float(size)) * 2.0)
    x[...] = fnp.arange(float(size)) + 5.0
    assert np.array_equal(theirs, np.arange(float(size)) + 5.0)
    theirs[0] = -1.0
    assert float(x[0]) == -1.0
    y = x + 1.0  # the last to use x
    del x
    y.sum()
    session.flush()
    assert theirs[1] == 6.0


def test_one_memory_is_one_array() -> None:
    theirs = np.arange(10.0)
    x, y = fnp.asarray(theirs, copy=False), fnp.from_dlpack(theirs)
    assert y.root is x.root
    y[1:] = x[:-1]
    assert theirs.tolist() == [0.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]
    with pytest.raises(ValueError, match="overlap"):
        fnp.asarray(theirs[2:5], copy=False)
    copied = fnp.from_dlpack(theirs[2:5])
    copied += 100.0
    assert theirs[2] == 1.0
    del x, y
    again = fnp.asarray(theirs[2:5], copy=False)
    again[:] = 9.0
    assert theirs[2] == 9.0


def test_what_waits_for_memory_that_is_taken_again_runs_first() -> None:
    theirs = np.arange(8.0)
    x = fnp.asarray(theirs, copy=False)
    before = x * 2.0
    del x
    others = [fnp.asarray(np.ones(8), copy=False) for _ in range(3)]
    shifted = fnp.asarray(theirs[1:], copy=False)
    shifted += 100.0
    assert np.array_equal(before, np.arange(8.0) * 2.0)
    assert len(others) == 3


@pytest.mark.parametrize(
    "theirs",
    [
        [1.0, 2.0],
        np.arange(6.0)[::2],
        np.arange(6.0).reshape(2, 3).T,
        np.broadcast_to(np.ones(3), (2, 3)),
        np.frombuffer(b"\0" * 17, np.float64, 1, 8),
        np.zeros(17, np.uint8)[1:].view(np.float64),
    ],
)
def test_memory_that_stores_cannot_have_is_refused(theirs: Any) -> None:
    with pytest.raises(ValueError, match="Unable to avoid copy"):
        fnp.asarray(theirs, copy=False)
    found = fnp.asarray(theirs)
    assert np.array_equal(found, theirs)


def test_arrays_of_other_functions_stay_their_owners() -> None:
    theirs = np.ones(4)
    x = fnp.real(theirs)
    x[:] = 5.0
    fuseir.flush()
    assert theirs.tolist() == [1.0] * 4
    out = np.zeros(4)
    assert np.spacing(fnp.ones(4), out=out) is out


def test_threads_compute_side_by_side(session: fuseir.Session) -> None:
    wrong: list[Any] = []
    barrier = threading.Barrier(4)

    def work(k: int) -> None:
        x = fnp.full(2000, float(k))
        shown = np.asarray(x)
        barrier.wait()
        for n in range(20):
            x += 1.0
            y = (x * 2.0).sum()
            if float(y) != 4000.0 * (k + n + 1) or shown[-1] != k + n + 1:
                wrong.append((k, n, float(y), shown[-1]))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
