"""Random kernels in tensor form, as text: chains, broadcasts, transposed maps, reductions of several kinds, in-place updates."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

SHAPES = ["", "N", "N", "M", "NM", "NM", "MN", "NMK", "NN", "NN"]
COMBINERS = ["addf", "addf", "mulf", "minimumf", "maximumf"]
BINARY = ["addf", "subf", "mulf", "divf", "minimumf", "maximumf"]
UNARY = ["arith.negf", "math.absf", "math.sqrt"]


@dataclass
class RandomKernel:
    """``shapes``: for each tensor parameter the letters of its extents; ``privileges`` likewise."""

    text: str
    shapes: list[str]
    privileges: list[str]


def tensor_type(shape: str) -> str:
    return f"tensor<{'?x' * len(shape)}f64>"


@dataclass
class _Maker:
    rng: random.Random
    lines: list[str] = field(default_factory=list)
    values: list[tuple[str, str]] = field(default_factory=list)
    count: int = 0

    def name(self) -> str:
        self.count += 1
        return f"%v{self.count}"

    def place(self, shape: str, space: list[str]) -> list[int] | None:
        """Distinct iteration dimensions with the extents of ``shape``, at random."""
        free = list(range(len(space)))
        self.rng.shuffle(free)
        dims: list[int] = []
        for letter in shape:
            d = next((d for d in free if space[d] == letter), None)
            if d is None:
                return None
            free.remove(d)
            dims.append(d)
        return dims

    def body(self, names: list[str]) -> tuple[list[str], list[str]]:
        lines: list[str] = []
        pool = [*names, "%a"]
        if self.rng.random() < 0.3:
            lines.append(f"  %c{self.count} = arith.constant {self.rng.choice(['1.5', '-0.0', '2.0'])} : f64")
            pool.append(f"%c{self.count}")
        for k in range(self.rng.randint(1, 3)):
            result = f"%b{self.count}_{k}"
            if self.rng.random() < 0.25:
                lines.append(f"  {result} = {self.rng.choice(UNARY)} {self.rng.choice(pool)} : f64")
            else:
                a, b = self.rng.choice(pool), self.rng.choice(pool)
                lines.append(f"  {result} = arith.{self.rng.choice(BINARY)} {a}, {b} : f64")
            pool.append(result)
        return lines, pool

    def empty(self, shape: str, sizes: dict[str, str]) -> str:
        name = self.name()
        self.lines.append(f"{name} = tensor.empty({', '.join(sizes[s] for s in shape)}) : {tensor_type(shape)}")
        return name

    def fill(self, shape: str, target: str) -> str:
        name = self.name()
        scalar = self.rng.choice(["%a", "%zero"])
        type_ = tensor_type(shape)
        self.lines.append(f"{name} = linalg.fill ins({scalar} : f64) outs({target} : {type_}) -> {type_}")
        return name

    def generic(
        self, sizes: dict[str, str], targets: dict[str, list[str]], partial: tuple[str, str] | None
    ) -> str | None:
        """One generic on known values, or None if the dice gave none; the result that folds into ``partial``."""
        rng = self.rng
        _, shape = rng.choice(self.values[-4:])
        space = list(shape)
        rng.shuffle(space)
        operands: list[tuple[str, str, list[int]]] = []
        chosen = rng.sample(self.values, min(len(self.values), rng.randint(1, 3)))
        for value, own in [rng.choice(self.values[-3:]), *chosen]:
            dims = self.place(own, space)
            if dims is not None:
                operands.append((value, own, dims))
        if {d for _, _, dims in operands for d in dims} != set(range(len(space))):
            return None
        # Outputs: value, shape, dims, combiner, whether the block argument is read.
        outputs: list[tuple[str, str, list[int], str | None, bool]] = []
        if partial is not None:
            value, own = partial
            dims = self.place(own, space)
            if dims is None:
                return None
            outputs.append((value, own, dims, "addf", True))
        for _ in range(rng.choice([0, 1, 1, 2]) if outputs else rng.choice([1, 1, 1, 2, 3])):
            dims = list(range(len(space)))
            rng.shuffle(dims)
            if rng.random() < 0.35:
                dims = dims[: rng.randint(0, len(dims))]
            own = "".join(space[d] for d in dims)
            combiner = rng.choice(COMBINERS) if len(dims) < len(space) else None
            known = [value for value, s in self.values if s == own]
            reads = combiner is not None or (bool(known) and rng.random() < 0.3)
            if reads and known and rng.random() < 0.5:
                target = rng.choice(known)
            elif reads:
                target = self.fill(own, self.empty(own, sizes))
            elif targets.get(own) and rng.random() < 0.6:
                target = rng.choice(targets[own])
            else:
                target = rng.choice(known) if known and rng.random() < 0.3 else self.empty(own, sizes)
            outputs.append((target, own, dims, combiner, reads))
        reduced = {d for _, _, dims, _, _ in outputs for d in range(len(space)) if d not in dims}
        self.count += 1
        names = [f"%i{self.count}_{k}" for k in range(len(operands))]
        accumulators = [f"%o{self.count}_{k}" for k in range(len(outputs))]
        readable = [
            a for a, (_, _, _, combiner, reads) in zip(accumulators, outputs, strict=True) if reads and not combiner
        ]
        lines, pool = self.body(names + readable)
        yields: list[str] = []
        for k, (_, _, _, combiner, _) in enumerate(outputs):
            value = rng.choice(pool[-3:])
            if combiner is not None:
                lines.append(f"  %r{self.count}_{k} = arith.{combiner} {accumulators[k]}, {value} : f64")
                value = f"%r{self.count}_{k}"
            yields.append(value)
        everything = [(v, s, d) for v, s, d, *_ in [*operands, *outputs]]
        letters = ", ".join(f"d{d}" for d in range(len(space)))
        maps = ", ".join(
            f"affine_map<({letters}) -> ({', '.join(f'd{d}' for d in dims)})>" for _, _, dims in everything
        )
        kinds = ", ".join(
            f"#linalg.iterator_type<{'reduction' if d in reduced else 'parallel'}>" for d in range(len(space))
        )
        results = [self.name() for _ in outputs]
        self.lines += [
            f'{", ".join(results)} = "linalg.generic"({", ".join(v for v, _, _ in everything)}) <{{'
            f"indexing_maps = [{maps}], iterator_types = [{kinds}], "
            f"operandSegmentSizes = array<i32: {len(operands)}, {len(outputs)}>}}> ({{",
            f"^bb0({', '.join(f'{n}: f64' for n in [*names, *accumulators])}):",
            *lines,
            f"  linalg.yield {', '.join(yields)} : {', '.join('f64' for _ in yields)}",
            f"}}) : ({', '.join(tensor_type(s) for _, s, _ in everything)}) -> "
            f"({', '.join(tensor_type(s) for _, s, *_ in outputs)})",
        ]
        first = 0 if partial is None else 1
        self.values += [(r, s) for r, (_, s, *_) in list(zip(results, outputs, strict=True))[first:]]
        return results[0]


def random_kernel(seed: int) -> RandomKernel:
    """The kernel that ``seed`` makes."""
    rng = random.Random(seed)
    maker = _Maker(rng)
    privileges = ["read"] * rng.randint(1, 3) + ["read_write"] * rng.randint(0, 2) + ["write"] * rng.randint(1, 3)
    privileges += ["reduce<add>"] * rng.randint(0, 1)
    rng.shuffle(privileges)
    shapes = [rng.choice(["", "N", "M"] if p.startswith("reduce") else SHAPES) for p in privileges]
    sizes: dict[str, str] = {}
    for k, shape in enumerate(shapes):
        for d, letter in enumerate(shape):
            if letter not in sizes:
                sizes[letter] = f"%n{letter}"
                maker.lines.append(f"%n{letter} = tensor.dim %p{k}, %d{d} : {tensor_type(shape)}")
    maker.values = [
        (f"%p{k}", s) for k, (s, p) in enumerate(zip(shapes, privileges, strict=True)) if p.startswith("read")
    ]
    targets: dict[str, list[str]] = {}
    for k, (shape, privilege) in enumerate(zip(shapes, privileges, strict=True)):
        if privilege == "write":
            targets.setdefault(shape, []).append(f"%p{k}")
    partials = {k: f"%p{k}" for k, p in enumerate(privileges) if p.startswith("reduce")}
    folded: dict[int, str] = {}
    for _ in range(rng.randint(3, 12)):
        maker.generic(sizes, targets, None)
    for k, value in partials.items():
        for _ in range(50):
            result = maker.generic(sizes, targets, (value, shapes[k]))
            if result is not None:
                folded[k] = result
                break
        else:
            return random_kernel(seed + 1_000_000)
    returned: list[tuple[str, str]] = []
    for k, (shape, privilege) in enumerate(zip(shapes, privileges, strict=True)):
        if privilege in ("write", "read_write"):
            known = [value for value, s in maker.values if s == shape]
            late = known[-1:] if rng.random() < 0.8 else known
            returned.append((rng.choice(late) if late else maker.fill(shape, f"%p{k}"), shape))
        elif k in folded:
            returned.append((folded[k], shape))
    parameters = ", ".join(f"%p{k}: {tensor_type(s)}" for k, s in enumerate(shapes))
    types = ", ".join(tensor_type(s) for _, s in returned)
    quoted = ", ".join(f'"{p}"' for p in privileges)
    head = [f"%d{d} = arith.constant {d} : index" for d in range(3)] + ["%zero = arith.constant 0.0 : f64"]
    text = "\n".join(
        [
            f"func.func @k({parameters}, %a: f64) -> ({types}) attributes {{dist.privileges = [{quoted}]}} {{",
            *(f"  {line}" for line in [*head, *maker.lines]),
            f"  func.return {', '.join(v for v, _ in returned)} : {types}",
            "}",
        ]
    )
    return RandomKernel(text, shapes, privileges)
