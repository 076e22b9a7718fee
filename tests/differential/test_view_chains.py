"""Views of views of an array, beside NumPy's: whichever of them is written to, all of them show what NumPy's show.

python tests/differential/test_view_chains.py 10000        # so many families of views
"""

from __future__ import annotations

import random
import sys
from typing import Any

import numpy as np
import pytest

import fuseir
import fuseir.numpy as fnp

FAMILIES = 24
SETTINGS: dict[str, dict[str, Any]] = {
    "fused": {},
    "small windows": {"window": 3, "max_window": 4, "procs": 3, "threads": 2},
}
DTYPES = ("float64", "float32", "int64", "int16", "uint8")
CASTS = {1: ("uint8", "int8"), 2: ("int16", "uint16"), 4: ("int32", "uint32"), 8: ("int64", "uint64")}


def bounds(rng: random.Random) -> slice:
    return slice(rng.choice((None, 1, -2)), rng.choice((None, -1, 3)), rng.choice((None, 2, -1, -2)))


def index(rng: random.Random, shape: tuple[int, ...]) -> tuple[Any, ...]:
    entries: list[Any] = []
    for extent in shape[: rng.randint(0, len(shape))]:
        choice = rng.random()
        if choice < 0.2 and extent:
            entries.append(rng.randrange(-extent, extent))
        elif choice < 0.3:
            entries += [None, bounds(rng)]
        else:
            entries.append(bounds(rng))
    return (*entries, ...)  # with an ellipsis, elements are views, too


def shape_of(rng: random.Random, size: int) -> tuple[int, ...]:
    """A shape of so many elements."""
    extents: list[int] = []
    for factor in (2, 3, 2, 2, 5):
        if size and size % factor == 0 and rng.random() < 0.7:
            extents.append(factor)
            size //= factor
    extents.insert(rng.randint(0, len(extents)), size)
    return tuple(extents)


def step(rng: random.Random, array: np.ndarray[Any, Any]) -> str:
    """An expression for a view of an array ``a``."""
    rank = array.ndim
    axis = rng.randrange(rank) if rank else 0
    choices = [
        f"a[{index(rng, array.shape)!r}]".replace("Ellipsis", "..."),
        "a.T",
        "a.ravel()",
        "a.view()",
        "a.real",
        "a.squeeze()",
        "np.flip(a)",
        f"a.reshape({shape_of(rng, array.size)})",
        f"np.expand_dims(a, {rng.randint(0, rank)})",
        f"np.broadcast_to(a, (2, *{array.shape}))",
        f"a.view(np.{rng.choice(CASTS[array.itemsize])})",
    ]
    if rank:
        other = rng.randrange(rank)
        choices += [f"a.swapaxes({axis}, {other})", f"np.moveaxis(a, {axis}, {other})", f"np.flip(a, {axis})"]
        choices.append(f"a.transpose({rng.sample(range(rank), rank)})")
        choices.append(f"a.view(np.{rng.choice(('uint8', 'int16', 'int32'))})")
    return rng.choice(choices)


def write(rng: random.Random, array: np.ndarray[Any, Any]) -> str:
    """A statement that changes an array ``a``."""
    value = rng.randint(0, 9)
    place = repr(index(rng, array.shape)).replace("Ellipsis", "...")
    return rng.choice(
        (
            f"a += np.asarray({value}, dtype=a.dtype)",
            f"a[{place}] = {value}",
            f"a[...] = np.arange({array.size}).reshape(a.shape) % 100",
            f"a[a > {value}] = {value}",
            f"a.fill({value})",
            "a[::-1] = a" if array.ndim else "a[...] = a",
            f"np.add(a, np.asarray({value}, dtype=a.dtype), out=a)",
        )
    )


def difference(seed: int) -> str | None:
    """Where a family of views differs from NumPy's, and how it came to that; None if it does not."""
    rng = random.Random(seed)
    shape = tuple(rng.choice((1, 2, 3, 4, 6, 7)) for _ in range(rng.choice((1, 2, 2, 3))))
    start = np.arange(np.prod(shape)).astype(rng.choice(DTYPES)).reshape(shape)
    theirs, ours = [start], [fnp.array(start)]
    lines = [f"a0 = np.arange({start.size}).astype('{start.dtype}').reshape({shape})"]
    for _ in range(rng.randint(6, 14)):
        k = rng.randrange(len(theirs))
        writes = rng.random() < 0.5 and theirs[k].flags.writeable
        line = write(rng, theirs[k]) if writes else step(rng, theirs[k])
        try:
            if writes:
                exec(line, {"np": np, "a": theirs[k]})
            else:
                theirs.append(eval(line, {"np": np, "a": theirs[k]}))
        except ValueError:
            continue  # a reshape that NumPy cannot do, or a view of elements that do not lie side by side
        if writes:
            lines.append(line.replace("a[", f"a{k}[").replace("a.", f"a{k}.") + f"  # a is a{k}")
            exec(line, {"np": fnp, "a": ours[k]})
        else:
            lines.append(f"a{len(ours)} = {line}  # a is a{k}")
            ours.append(eval(line, {"np": fnp, "a": ours[k]}))
        if not theirs[-1].size or (not writes and not np.shares_memory(theirs[-1], start)):
            # Copies are no part of the family.
            del theirs[len(ours) - 1 :], ours[len(theirs) :]
    for number, (found, want) in enumerate(zip(ours, theirs, strict=True)):
        got = found.numpy()
        if got.dtype != want.dtype or got.shape != want.shape or got.tobytes() != want.tobytes():
            return f"a{number} is {got!r} instead of {want!r}\n" + "\n".join(lines)
    return None


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_views_show_what_numpys_show(setting: str) -> None:
    with fuseir.Session(**SETTINGS[setting]):
        for seed in range(FAMILIES)[list(SETTINGS).index(setting) :: len(SETTINGS)]:
            found = difference(seed)
            assert found is None, f"family {seed}: {found}"


def main(count: int) -> int:
    """Compares families of views, prints those that differ, and returns 1 if there are any."""
    wrong = 0
    for seed in range(count):
        try:
            found = difference(seed)
        except Exception as error:
            found = f"{type(error).__name__}: {error}"
        if found is not None:
            wrong += 1
            print(f"family {seed}: {found}\n")
    print(f"{wrong} of {count} families differ")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
