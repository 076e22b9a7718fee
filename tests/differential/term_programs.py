"""Random programs of launches as plain numbers: what the tests on terms run, as modules (term_modules.py).

A program is drawn from a *scene*: a few stores, and pieces of them over several launch domains. That a launch is well-formed (WF-1, WF-2)
is looked up in tables of the scene, which come from enumeration; one scene serves several programs.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import NamedTuple

sys.path.append(str(Path(__file__).parents[1] / "oracle"))
from enumerate_partitions import Shape, TilingNumbers
from point_oracle import Argument, Task, ViewNumbers, all_of, crosses_points, same_pieces, sub_stores, tile_shapes
from random_launches import random_pool, random_tiling

OPERATORS = ("add", "mul", "min", "max")


class Step(NamedTuple):
    """A launch of a program. ``kind`` is ``body``, ``copy`` or ``opaque``; ``variant`` tells tasks of one signature apart."""

    task: Task
    kind: str
    variant: int

    @property
    def symbol(self) -> str:
        """The task's name, from which its kernel can be made."""
        if self.kind == "copy":
            return f"copy_{len(self.task.arguments[0].shape)}"
        signature = "_".join(f"{_letters(a.privilege)}{len(a.shape)}" for a in self.task.arguments)
        return f"{self.kind}{self.variant}_{signature}"


@dataclass(frozen=True)
class Program:
    """``released[k]``: behind which step store ``k`` is released, or None."""

    shapes: tuple[Shape, ...]
    named: tuple[bool, ...]
    released: tuple[int | None, ...]
    steps: tuple[Step, ...]

    def visible(self, store: int) -> bool:
        """Whether the world outside can see the store after the program."""
        return self.named[store] or self.released[store] is None


def _letters(privilege: str) -> str:
    return {"read": "r", "write": "w", "read_write": "u", "no_access": "n"}.get(privilege) or privilege[7:-1]


# Scenes


class Pieces(NamedTuple):
    """An argument without its privilege."""

    store: int
    store_shape: Shape
    view: ViewNumbers | None
    tiling: TilingNumbers | None


@dataclass
class Scene:
    """Stores and pieces of them, by launch domain. The first pieces of ``scalars`` are those of stores of one element."""

    shapes: list[Shape]
    domain: Shape
    pieces: dict[Shape, list[Pieces]]
    scalars: list[int] = field(default_factory=list)
    center: Pieces | None = None
    """Where a stencil writes back to; ``work`` then holds the same extents in another store."""
    work: Pieces | None = None
    _writable: dict[tuple[Pieces, Shape], tuple[bool, bool]] = field(default_factory=dict)
    _clashes: dict[tuple[Pieces, Pieces, Shape], tuple[bool, bool]] = field(default_factory=dict)

    def allows(self, pieces: Pieces, privilege: str, domain: Shape) -> bool:
        """WF-1, and no change through a view that repeats elements."""
        if privilege in ("read", "no_access"):
            return True
        key = (pieces, domain)
        if key not in self._writable:
            a = Argument(*pieces, "read")
            whole = all_of(a).bit_count() == prod(a.shape)
            parts = sub_stores(a, domain)
            self._writable[key] = whole and not crosses_points(parts, parts), whole
        return self._writable[key][privilege.startswith("reduce")]

    def allows_both(self, one: tuple[Pieces, str], other: tuple[Pieces, str], domain: Shape) -> bool:
        """WF-2."""
        (a, do_a), (b, do_b) = one, other
        if a.store != b.store or "no_access" in (do_a, do_b) or (do_a == "read" and do_b == "read"):
            return True
        key = (a, b, domain)
        if key not in self._clashes:
            x, y = Argument(*a, "read"), Argument(*b, "read")
            self._clashes[key] = not all_of(x) & all_of(y), same_pieces(x, y, domain)
        apart, same = self._clashes[key]
        return apart or ({do_a, do_b} == {"read", "write"} and same)

    def step(self, domain: Shape, uses: Sequence[tuple[Pieces, str]], kind: str, variant: int) -> Step | None:
        """The launch, if it is well-formed."""
        for k, (pieces, privilege) in enumerate(uses):
            if not self.allows(pieces, privilege, domain):
                return None
            if not all(self.allows_both(earlier, uses[k], domain) for earlier in uses[:k]):
                return None
        arguments = tuple(Argument(*pieces, privilege) for pieces, privilege in uses)
        if kind == "copy" and (
            uses[0][0] == uses[1][0]  # would do nothing
            or tile_shapes(arguments[0], domain) != tile_shapes(arguments[1], domain)
        ):
            return None
        return Step(Task(domain, arguments), kind, variant)


def random_scene(rng: random.Random) -> Scene:
    """Any views and tilings, or the shifted views of a stencil, or vectors."""
    scene = rng.choice([_any_scene, _any_scene, _stencil_scene, _vector_scene])(rng)
    other = rng.choice([(1,), (2,), (3,), (2, 2)])
    if other != scene.domain:
        scene.pieces[other] = [
            Pieces(k, shape, None, random_tiling(rng, shape, other)) for k, shape in enumerate(scene.shapes)
        ]
    for _ in range(rng.choice([0, 1, 2, 3])):
        shape = rng.choice([(), (), (1,), (1, 1)])
        scene.scalars.append(len(scene.shapes))
        scene.shapes.append(shape)
    return scene


def _any_scene(rng: random.Random) -> Scene:
    domain = rng.choice([(1,), (2,), (3,), (3,), (4,), (2, 2)])
    pool = [Pieces(*pieces) for pieces in random_pool(rng, domain)]
    shapes = {pieces.store: pieces.store_shape for pieces in pool}
    return Scene([shapes[k] for k in range(len(shapes))], domain, {domain: pool})


def _stencil_scene(rng: random.Random) -> Scene:
    """A store with a border, shifted views of its inside, a store of the inside's extents, and one more."""
    if rng.random() < 0.7:
        inside, border, domain = (rng.choice([4, 8, 9]),), ((1, rng.choice([0, 1])),), rng.choice([(2,), (3,)])
    else:
        inside, border = (rng.choice([8, 9]), 2), ((1, rng.choice([0, 1])), rng.choice([(0, 0), (0, 0), (0, 1)]))
        domain = rng.choice([(2,), (3,), (2, 2)])
    shape = tuple(extent + sum(rim) for extent, rim in zip(inside, border, strict=True))
    tiling = _rows(inside, domain)
    pieces = []
    for offsets in {(low, *(b[0] for b in border[1:])) for low in range(sum(border[0]) + 1)}:
        results = tuple((k, 1, offset) for k, offset in enumerate(offsets))
        pieces.append(Pieces(0, shape, ViewNumbers(inside, results), tiling))
    center = next(p for p in pieces if p.view is not None and p.view.results[0][2] == border[0][0])
    work = Pieces(1, inside, None, tiling)
    more = Pieces(2, inside, None, tiling)
    return Scene([shape, inside, inside], domain, {domain: [*pieces, work, more]}, center=center, work=work)


def _vector_scene(rng: random.Random) -> Scene:
    """Vectors of one length, all divided in one way."""
    domain, extent = rng.choice([(2,), (3,), (4,)]), rng.randint(3, 8)
    tiling = _rows((extent,), domain)
    count = rng.randint(2, 4)
    return Scene([(extent,)] * count, domain, {domain: [Pieces(k, (extent,), None, tiling) for k in range(count)]})


def _rows(shape: Shape, domain: Shape) -> TilingNumbers:
    tile = tuple(-(-shape[k] // domain[k]) if k < len(domain) else shape[k] for k in range(len(shape)))
    projection = tuple((k, 1, 0) if k < len(domain) else (None, 0, 0) for k in range(len(shape)))
    return TilingNumbers(tile, (0,) * len(shape), projection)


# Programs

PRIVILEGES = ["read"] * 6 + ["write"] * 5 + ["read_write"] * 2 + ["reduce<add>"] * 2 + ["reduce<max>", "no_access"]


def random_program(rng: random.Random, scene: Scene) -> Program:
    """Two to seven launches, and where stores are released."""
    steps: list[Step] = []
    wanted = rng.choice([2, 3, 3, 4, 4, 5, 6])
    for _ in range(3 * wanted):
        if len(steps) >= wanted:
            break
        steps += (_stencil if scene.center is not None and rng.random() < 0.4 else _steps)(rng, scene)
    return _with_lives(rng, scene, steps)


def _steps(rng: random.Random, scene: Scene) -> list[Step]:
    """One launch of a kind that the scene has, if it is well-formed."""
    domain, variant = scene.domain, rng.randrange(2)
    pool = scene.pieces[domain]
    kind = "opaque" if rng.random() < 0.04 else "body"
    uses: list[tuple[Pieces, str]]
    what = rng.random()
    if scene.scalars and what < 0.5:
        one = rng.choice(scene.scalars)
        if what < 0.2:  # arithmetic on scalars, at one point
            domain = (1,)
            others = rng.sample(scene.scalars, rng.randint(0, len(scene.scalars)))
            uses = [(_scalar(scene, k, tiled=rng.random() < 0.5), "read") for k in others if k != one]
            uses.append((_scalar(scene, one, tiled=rng.random() < 0.5), rng.choice(["write"] * 6 + ["read_write"])))
        elif what < 0.35:  # a dot product
            uses = [(rng.choice(pool), "read") for _ in range(rng.randint(1, 2))]
            uses.append((_scalar(scene, one), f"reduce<{rng.choice(OPERATORS)}>"))
        else:  # an update with a scalar
            uses = [(_scalar(scene, one), "read"), (rng.choice(pool), rng.choice(["write", "read_write"]))]
            if rng.random() < 0.5:
                uses.insert(1, (rng.choice(pool), "read"))
    elif what < 0.6:
        kind, uses = "copy", [(rng.choice(pool), "read"), (rng.choice(pool), "write")]
    elif what < 0.68:
        domain = rng.choice(list(scene.pieces))
        uses = [(rng.choice(scene.pieces[domain]), rng.choice(PRIVILEGES)) for _ in range(rng.randint(1, 2))]
    elif what < 0.78:  # folds, element by element where the pieces allow it
        uses = [(rng.choice(pool), "read"), (rng.choice(pool), f"reduce<{rng.choice(OPERATORS)}>")]
    elif what < 0.9:
        uses = [(rng.choice(pool), "read") for _ in range(rng.randint(0, 2))] + [(rng.choice(pool), "write")]
    else:
        uses = [(rng.choice(pool), rng.choice(PRIVILEGES)) for _ in range(rng.randint(1, 3))]
    step = scene.step(domain, uses, kind, variant)
    return [] if step is None else [step]


def _stencil(rng: random.Random, scene: Scene) -> list[Step]:
    """Sums of shifted views, written back into the middle."""
    assert scene.center is not None
    assert scene.work is not None
    center, work = scene.center, scene.work
    shifted = [p for p in scene.pieces[scene.domain] if p.store == center.store]
    made = [scene.step(scene.domain, [(p, "read") for p in shifted] + [(work, "write")], "body", 0)]
    if rng.random() < 0.5:
        made.append(scene.step(scene.domain, [(rng.choice(shifted), "read"), (work, "read_write")], "body", 1))
    made.append(scene.step(scene.domain, [(work, "read"), (center, "write")], rng.choice(["copy", "body"]), 0))
    return [step for step in made if step is not None]


def _scalar(scene: Scene, store: int, *, tiled: bool = False) -> Pieces:
    shape = scene.shapes[store]
    ones = (1,) * len(shape)
    tiling = TilingNumbers(ones, (0,) * len(shape), ((None, 0, 0),) * len(shape)) if tiled else None
    return Pieces(store, shape, None, tiling)


def _with_lives(rng: random.Random, scene: Scene, steps: Sequence[Step]) -> Program:
    """Drops stores that are not used, and decides which are named and released.

    A store that is read before anything writes it has a name, as the dialect asks for.
    """
    last = {a.store: k for k, step in enumerate(steps) for a in step.task.arguments}
    stores = sorted(last)
    number = {store: k for k, store in enumerate(stores)}
    named, released = [], []
    mostly_named = rng.random() < 0.3
    for store in stores:
        named.append(not _written_first(steps, store) or rng.random() < (0.9 if mostly_named else 0.3))
        end = rng.choice([last[store], last[store], rng.randint(last[store], len(steps) - 1)])
        released.append(end if rng.random() < (0.3 if named[-1] else 0.8) else None)
    return Program(
        tuple(scene.shapes[store] for store in stores),
        tuple(named),
        tuple(released),
        tuple(
            step._replace(
                task=Task(step.task.domain, tuple(a._replace(store=number[a.store]) for a in step.task.arguments))
            )
            for step in steps
        ),
    )


def _written_first(steps: Iterable[Step], store: int) -> bool:
    for step in steps:
        privileges = {a.privilege for a in step.task.arguments if a.store == store} - {"no_access"}
        if privileges:
            return privileges == {"write"}
    return True


def random_programs(rng: random.Random, count: int) -> list[Program]:
    """So many programs, a few of each scene."""
    programs: list[Program] = []
    while len(programs) < count:
        scene = random_scene(rng)
        made = (random_program(rng, scene) for _ in range(8))
        programs += [program for program in made if len(program.steps) > 1]
    return programs[:count]
