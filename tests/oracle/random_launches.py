"""Random launches as plain numbers: pieces of few stores, so that launches meet often."""

from __future__ import annotations

import random

from enumerate_partitions import Shape, TilingNumbers
from point_oracle import Argument, Task, ViewNumbers, well_formed

PRIVILEGES = ["read"] * 6 + ["write"] * 5 + ["read_write"] * 2 + ["reduce<add>"] * 2 + ["reduce<max>", "no_access"]
DOMAINS = [(1,), (2,), (3,), (4,), (4,), (2, 2), (3, 2)]
RANKS = [(1,), (1, 1), (2,), (2, 1), (2, 2)]

Pieces = tuple[int, Shape, ViewNumbers | None, TilingNumbers | None]
"""An argument without its privilege."""


def random_view(rng: random.Random, shape: Shape) -> ViewNumbers | None:
    """A slice with strides of either sign; now and then a permutation, or a broadcast dimension."""
    if rng.random() < 0.45:
        return None
    dims = list(range(len(shape)))
    if rng.random() < 0.3:
        rng.shuffle(dims)
    extents: list[int] = [0] * len(shape)
    results = []
    for k, extent in enumerate(shape):
        stride = rng.choice([1, 1, 1, 2])
        length = rng.randint(1, (extent - 1) // stride + 1)
        start = rng.randint(0, extent - 1 - (length - 1) * stride)
        if rng.random() < 0.25:
            start, stride = start + (length - 1) * stride, -stride
        extents[dims[k]] = length
        results.append((dims[k], stride, start))
    if rng.random() < 0.1:
        extents.append(rng.randint(1, 3))  # nothing moves with it
    return ViewNumbers(tuple(extents), tuple(results))


def random_tiling(rng: random.Random, shape: Shape, domain: Shape) -> TilingNumbers | None:
    """Tiles that fit the domain more or less, with offsets and projections."""
    if rng.random() < 0.12:
        return None
    tile, offset, projection = [], [], []
    free = list(range(len(domain)))
    for extent in shape:
        dim = free.pop(0) if free and rng.random() < 0.9 else None
        if dim is None and rng.random() < 0.1:
            dim = rng.randrange(len(domain))  # perhaps one that moves another dimension already
        tile.append(
            rng.choice([-(-extent // domain[dim]), 1, 2]) if dim is not None else rng.choice([extent, extent, 2])
        )
        offset.append(rng.choice([0, 0, 0, 0, 1, -1]))
        if dim is None:
            projection.append((None, 0, rng.choice([0, 0, 1])))
        else:
            scale = rng.choice([1, 1, 1, 1, -1, 2])
            projection.append((dim, scale, domain[dim] - 1 if scale == -1 else 0))
    return TilingNumbers(tuple(tile), tuple(offset), tuple(projection))


def random_pool(rng: random.Random, domain: Shape, most: int = 4) -> list[Pieces]:
    """Pieces of one to three stores, at most so many of each."""
    stores = [
        (k, tuple(rng.randint(1, 8 if rank == 1 else 5) for _ in range(rank)))
        for k, rank in enumerate(rng.choice(RANKS))
    ]
    pool: list[Pieces] = []
    for store, shape in stores:
        views = [random_view(rng, shape) for _ in range(rng.randint(1, 3))]
        for _ in range(rng.randint(1, most)):
            view = rng.choice(views)
            pool.append((store, shape, view, random_tiling(rng, shape if view is None else view.shape, domain)))
    return pool


def random_window(rng: random.Random, longest: int = 5) -> list[Task]:
    """Well-formed launches over one domain; now and then one over another."""
    domain = rng.choice(DOMAINS)
    pool = random_pool(rng, domain)
    window: list[Task] = []
    for _ in range(rng.randint(2, longest)):
        own_domain = domain if rng.random() < 0.97 or len(domain) > 1 else (domain[0] + 1,)
        for _ in range(8):
            arguments = (Argument(*rng.choice(pool), rng.choice(PRIVILEGES)) for _ in range(rng.randint(1, 3)))
            task = Task(own_domain, tuple(arguments))
            if well_formed(task):
                window.append(task)
                break
    return window


# Windows that look like programs: stencils, copies back, reductions, arithmetic on their results


def random_stencil(rng: random.Random) -> list[Task]:
    """Launches on a grid with a border, on work arrays as large as its middle, and on scalars."""
    if rng.random() < 0.7:
        domain, tile = (rng.choice([1, 2, 4]),), (rng.choice([2, 4]),)
        inner = (8,)
        grid = (10,)
        shifts = [(1,), (0,), (2,)]
    else:
        domain, tile, inner, grid = (2, 2), (2, 2), (4, 4), (5, 4)
        shifts = [(1, 0), (0, 0)]
    if len(domain) == 1:
        tile = (-(-inner[0] // domain[0]),)
    across = TilingNumbers(tile, (0,) * len(tile), tuple((k, 1, 0) for k in range(len(tile))))

    def shifted(shift: Shape) -> Pieces:
        return 0, grid, ViewNumbers(inner, tuple((k, 1, low) for k, low in enumerate(shift))), across

    # What the middle leaves out: the first row, through the same tiles or at one point.
    first_row = ViewNumbers((1, *inner[1:]), tuple((k, 1, 0) for k in range(len(inner))))
    ones = (1,) * len(domain)
    edge: Pieces = (0, grid, first_row, across)
    whole_edge: Pieces = (0, grid, first_row, None)
    work = [(1, inner, None, across), (2, inner, None, across)]
    scalars: list[Pieces] = [(number, (), None, None) for number in (3, 4, 5)]

    def launch(*arguments: tuple[Pieces, str], over: Shape = domain) -> Task:
        return Task(over, tuple(Argument(*pieces, privilege) for pieces, privilege in arguments))

    def one() -> Task:
        neighbour, other = shifted(rng.choice(shifts)), shifted(rng.choice(shifts))
        array, result = rng.sample(work, 2)
        a, b, c = rng.sample(scalars, 3)
        match rng.randrange(12):
            case 0 | 1:
                return launch((neighbour, "read"), (other, "read"), (array, "write"))
            case 2 | 3:
                return launch((array, "read"), (shifted(shifts[0]), "write"))
            case 4:
                return launch((array, "read"), (result, rng.choice(["write", "read_write", "reduce<add>"])))
            case 5:
                return launch((array, "read"), (a, "reduce<add>"))
            case 6:
                return launch((a, "read"), (b, "read"), (c, "write"), over=ones)
            case 7:
                return launch((a, "read"), (array, "read_write"))
            case 8:
                return launch((edge, rng.choice(["read", "read_write"])))
            case 9:
                return launch((whole_edge, "read"), ((6, first_row.shape, None, None), "write"), over=ones)
            case 10:
                return launch((whole_edge, "write"), over=ones)
            case _:
                whole = TilingNumbers((tile[0] + 1, *tile[1:]), *across[1:])
                return launch(((0, grid, None, rng.choice([across, whole])), rng.choice(["read", "read_write"])))

    return [task for task in (one() for _ in range(rng.randint(3, 8))) if well_formed(task)]
