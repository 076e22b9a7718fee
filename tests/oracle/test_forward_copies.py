"""What `forward-copies` makes of random programs full of copies does what they do, on terms (docs/checking.md): stores end the same."""

from __future__ import annotations

import random
from collections import Counter
from itertools import product

import pytest
from helpers.dist_programs import kernel
from xdsl.dialects.builtin import f64
from xdsl.utils.exceptions import VerifyException

from fuseir.checking import LegalityCheck
from fuseir.dialects.dist.access import Access
from fuseir.dialects.dist.attributes import StoreType, partition_attr
from fuseir.dialects.dist.index_map import Coordinate, IndexMap
from fuseir.dialects.dist.ops import StoreOp
from fuseir.dialects.dist.partition import NonePartition, Shape
from fuseir.dialects.dist.privilege import READ
from fuseir.dialects.dist.view import View
from fuseir.dialects.parsing import parse_module
from fuseir.dialects.verification import verify_module
from fuseir.errors import FuseirError
from fuseir.passes.analysis.copied_views import origin
from fuseir.passes.pipelines import run_pipeline
from fuseir.passes.remarks import Remarks
from fuseir.universe import make_context

SEEDS = 3
PROGRAMS = 60
EXTENT = 8
TASKS = {"copy": "read write", "neg": "read write", "add": "read read write", "update": "read_write"}
KERNELS = "".join(
    (
        "#id = affine_map<(d0) -> (d0)>\n",
        kernel("copy", 1),
        kernel("neg", 1).replace("linalg.yield %x0e", "%n = arith.negf %x0e : f64\n    linalg.yield %n"),
        kernel("add", 2),
        kernel("update", 0, reads_output=True),
    )
)


class Writer:
    """Writes one random program."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.stores = [f"s{k}" for k in range(rng.randint(3, 5))]
        self.views = 0

    def text(self) -> str:
        lines: list[str] = []
        unnamed = set(self.rng.sample(self.stores, len(self.stores) - 2))
        for name in self.stores:
            said = "" if name in unnamed else f' "{name}"'
            lines.append(f"%{name} = dist.store{said} : !dist.store<{EXTENT}xf64>")
        named = next(name for name in self.stores if name not in unnamed)
        types = "(!w, !w)"
        lines += [f"dist.launch @neg<[4]>(%{named}: read #w, %{name}: write #w) : {types}" for name in unnamed]
        for _ in range(self.rng.randint(3, 8)):
            lines += self.launch()
        return "\n".join([*lines, *(f"dist.release %{name} : !w" for name in unnamed)])

    def launch(self) -> list[str]:
        rng = self.rng
        task = rng.choice(["copy", "copy", "copy", *TASKS])
        privileges = TASKS[task].split()
        length = rng.choice([EXTENT, EXTENT, 3, 4, 6])
        roots = (
            rng.sample(self.stores, len(privileges))
            if rng.random() < 0.9
            else rng.choices(self.stores, k=len(privileges))
        )
        tile = max(1, -(-length // 4) - (rng.random() < 0.3))  # now and then too small for all elements
        lines, operands, types = [], [], []
        for root, privilege in zip(roots, privileges, strict=True):
            value, kind = f"%{root}", "!w"
            step = rng.choice([1, 1, -1, 2]) if length <= 4 else rng.choice([1, 1, -1])
            span = (length - 1) * step
            start = rng.randint(max(0, -span), min(EXTENT - 1, EXTENT - 1 - span))
            if length < EXTENT or (step == -1 and rng.random() < 0.5):
                self.views += 1
                value, kind = f"%v{self.views}", f"!dist.view<{length}xf64>"
                lines.append(f"{value} = dist.view %{root} (d0) -> (d0 * {step} + {start}) : !w -> {kind}")
            # Now and then the same tiles in another order.
            tiling = f"[{tile}]" if rng.random() < 0.9 else f"[{tile}] + [{3 * tile}], (d0) -> (d0 * -1)"
            operands.append(f"{value}: {privilege} #dist.tiling<{tiling}>")
            types.append(kind)
        return [*lines, f"dist.launch @{task}<[4]>({', '.join(operands)}) : ({', '.join(types)})"]


@pytest.mark.parametrize("seed", range(SEEDS))
def test_random_programs(seed: int) -> None:
    rng = random.Random(seed)
    codes = Counter[str]()
    for _ in range(PROGRAMS):
        text = f"!w = !dist.store<{EXTENT}xf64>\n#w = #dist.tiling<[2]>\n" + KERNELS + Writer(rng).text()
        module = parse_module(make_context(), text)
        try:
            verify_module(module)
        except (VerifyException, FuseirError):
            continue  # arguments of one launch conflict
        check = LegalityCheck(module)
        remarks = Remarks()
        run_pipeline(module, ("forward-copies",), verify=True, remarks=remarks)
        check.check(module)
        codes.update(remark.code for remark in remarks)
    assert min(codes["FIR-N180"], codes["FIR-N181"]) > PROGRAMS // 4


def test_a_copy_of_some_elements_is_made() -> None:
    """Four points with tiles of one element copy half of the store."""
    text = f"""!w = !dist.store<{EXTENT}xf64>
{KERNELS}
%x = dist.store "x" : !w
%z = dist.store "z" : !w
%c = dist.store : !w
dist.launch @neg<[4]>(%z: read #dist.tiling<[2]>, %c: write #dist.tiling<[2]>) : (!w, !w)
dist.launch @copy<[4]>(%x: read #dist.tiling<[1]>, %c: write #dist.tiling<[1]>) : (!w, !w)
dist.launch @neg<[4]>(%c: read #dist.tiling<[2]>, %z: write #dist.tiling<[2]>) : (!w, !w)
dist.release %c : !w
"""
    module = parse_module(make_context(), text)
    check = LegalityCheck(module)
    run_pipeline(module, ("forward-copies",), verify=True)
    check.check(module)


def random_view(rng: random.Random, store: Shape, shape: Shape) -> View | None:
    """A view of that shape, if the store has room for it: dimensions in any order, some constant, some broadcast."""
    free = list(range(len(shape)))
    results: list[Coordinate] = []
    for extent in store:
        d = rng.choice([*free, None]) if free else None
        if d is None:
            results.append(Coordinate(None, 0, rng.randrange(extent)))
            continue
        free.remove(d)
        scale = rng.choice([1, 1, 2, -1, -2, 3])
        span = (shape[d] - 1) * scale
        if abs(span) >= extent:
            return None
        results.append(Coordinate(d, scale, rng.randint(max(0, -span), min(extent - 1, extent - 1 - span))))
    return View(shape, IndexMap(len(shape), tuple(results)))


def elements(view: View) -> dict[tuple[int, ...], tuple[int, ...]]:
    """The element of the store at each index."""
    return {index: view.map().at(index) for index in product(*map(range, view.shape))}


def test_origins() -> None:
    """Where the elements of a view were copied from, by enumeration. What was copied is found unless strides do not divide."""
    rng = random.Random(7)
    found = missed = 0
    for _ in range(6000):
        stores = [tuple(rng.randint(1, 6) for _ in range(rng.randint(1, 3))) for _ in range(2)]
        shape = tuple(rng.randint(1, 4) for _ in range(rng.randint(1, 2)))
        shown_shape = tuple(rng.randint(1, 4) for _ in range(rng.randint(1, 2)))
        first, second = random_view(rng, stores[0], shape), random_view(rng, stores[1], shape)
        shown = random_view(rng, stores[1], shown_shape)
        if first is None or second is None or shown is None or second.repeats:
            continue
        source, target = (
            Access(value, value, view, partition_attr(NonePartition()), READ)
            for value, view in zip([StoreOp(StoreType(s, f64)).result for s in stores], (first, second), strict=True)
        )
        copied = {element: elements(first)[index] for index, element in elements(second).items()}
        wanted = {index: copied.get(element) for index, element in elements(shown).items()}
        view = origin(source, target, shown)
        if view is None:
            missed += None not in wanted.values()
        else:
            found += 1
            assert view.error(stores[0]) is None
            assert elements(view) == wanted
    assert found > 10 * missed
