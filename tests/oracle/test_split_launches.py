"""What `split-launches` makes of random programs computes what they compute, by the reference executor: stores put together from slices."""

from __future__ import annotations

import random
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from fuseir.dialects.parsing import parse_module
from fuseir.dialects.verification import verify_module
from fuseir.passes.pipelines import run_pipeline
from fuseir.passes.remarks import Remarks
from fuseir.runtime.executors.reference import ReferenceExecutor
from fuseir.universe import make_context

SEEDS = 2
PROGRAMS = 24
PASSES = ("fuse-tasks", "eliminate-temporaries", "compose-kernels", "fuse-kernels", "split-launches{smallest-bytes=1}")
ROWS, COLUMNS, POINTS = 7, 6, 4


def kernel(name: str, inputs: int, body: str) -> str:
    names = [*(f"x{k}" for k in range(inputs)), "z"]
    tensors = [f"%{each}: tensor<?x?xf64>" for each in names]
    return f"""
func.func @{name}({", ".join(tensors)}) -> tensor<?x?xf64> {{
  %r = linalg.generic {{indexing_maps = [{", ".join(["#id"] * len(names))}], iterator_types = ["parallel", "parallel"]}}
      ins({", ".join("%" + each for each in names[:-1])} : {", ".join(["tensor<?x?xf64>"] * inputs)}) outs(%z : tensor<?x?xf64>) {{
  ^bb0({", ".join(f"%{each}e: f64" for each in names)}):
    {body}
  }} -> tensor<?x?xf64>
  func.return %r : tensor<?x?xf64>
}}
"""


HEAD = f"!w = !dist.store<{ROWS}x{COLUMNS}xf64>\n#id = affine_map<(d0, d1) -> (d0, d1)>\n" + "".join(
    (
        kernel("copy", 1, "linalg.yield %x0e : f64"),
        kernel("neg", 1, "%t = arith.negf %x0e : f64\n    linalg.yield %t : f64"),
        kernel(
            "place",
            2,
            "%i = linalg.index 1 : index\n    %n = arith.index_cast %i : index to i64\n    %f = arith.sitofp %n : i64 to f64\n"
            "    %s = arith.addf %x0e, %f : f64\n    %t = arith.addf %s, %x1e : f64\n    linalg.yield %t : f64",
        ),
        kernel("add", 2, "%t = arith.addf %x0e, %x1e : f64\n    linalg.yield %t : f64"),
    )
)


class Writer:
    """Writes one program: stores put together, then element-wise work on them, in place too, then more of either."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.lines = [f'%{name} = dist.store "{name}" : !w' for name in "abc"]
        self.made = 0
        self.released: list[str] = []

    def new(self, kind: str) -> str:
        self.made += 1
        return f"%{kind}{self.made}"

    def view(
        self, store: str, row: int, column: int, rows: int, columns: int, flips: tuple[int, int] = (1, 1)
    ) -> tuple[str, str]:
        """A window; a flip of -1 turns the dimension."""
        if (rows, columns, *flips) == (ROWS, COLUMNS, 1, 1):
            return store, "!w"
        name, kind = self.new("v"), f"!dist.view<{rows}x{columns}xf64>"
        places = [
            f"d{d} * {flip} + {start if flip == 1 else start + extent - 1}"
            for d, (start, extent, flip) in enumerate(zip((row, column), (rows, columns), flips, strict=True))
        ]
        self.lines.append(f"{name} = dist.view {store} (d0, d1) -> ({', '.join(places)}) : !w -> {kind}")
        return name, kind

    def launch(self, task: str, operands: list[tuple[str, str]], rows: int, columns: int) -> None:
        tile = -(-rows // POINTS)
        shift = self.rng.choice([0, 0, 0, 1]) if tile * POINTS > rows else 0
        tiling = f"#dist.tiling<[{tile}, {columns}] + [{-shift}, 0], (d0) -> (d0, 0)>"
        privileges = ["read"] * (len(operands) - 1) + ["write"]
        given = ", ".join(
            f"{name}: {privilege} {tiling}" for (name, _), privilege in zip(operands, privileges, strict=True)
        )
        self.lines.append(f"dist.launch @{task}<[{POINTS}]>({given}) : ({', '.join(kind for _, kind in operands)})")

    def assemble(self) -> str:
        """A store made of slices, side by side or one above the other; now and then some of it is no copy."""
        rng, store = self.rng, self.new("s")
        self.lines.append(f"{store} = dist.store : !w")
        self.released.append(store)
        along = rng.randrange(2)
        extent = (ROWS, COLUMNS)[along]
        middle = rng.randrange(1, extent) if rng.random() < 0.3 else extent
        cuts: list[int] = sorted({0, extent, rng.choice([1, extent - 1]), middle})
        for low, high in pairwise(cuts):
            low -= int(low > 0 and rng.random() < 0.05)  # what the piece before has
            row, column, rows, columns = (low, 0, high - low, COLUMNS) if along == 0 else (0, low, ROWS, high - low)
            target = self.view(store, row, column, rows, columns)
            start = rng.randint(0, extent - (high - low))
            row, column = (start, 0) if along == 0 else (0, start)
            flips = rng.choice([(1, 1), (1, 1), (-1, 1)])
            source = self.view(f"%{rng.choice('abc')}", row, column, rows, columns, flips)
            self.launch("copy" if rng.random() < 0.95 else "neg", [source, target], rows, columns)
        if rng.random() < 0.15:  # and then changed in part
            rows = rng.randint(1, ROWS)
            window = rng.randint(0, ROWS - rows), 0, rows, COLUMNS
            self.launch("neg", [self.view("%a", *window), self.view(store, *window)], rows, COLUMNS)
        return store

    def text(self) -> str:
        rng = self.rng
        for _ in range(rng.randint(1, 3)):
            work = [self.assemble() for _ in range(rng.randint(1, 3))]
            for _ in range(rng.randint(1, 2)):
                pool = [*work, "%a", "%b", "%c"]
                left, right, target = rng.choice(work), rng.choice(pool), rng.choice(["%a", "%b", "%c"])
                rows, columns = rng.choice([(ROWS, COLUMNS)] * 3 + [(ROWS - 2, COLUMNS), (ROWS - 1, COLUMNS - 1)])
                corner = rng.randint(0, ROWS - rows), rng.randint(0, COLUMNS - columns)
                operands = [self.view(each, *corner, rows, columns) for each in (left, right, target)]
                self.launch(rng.choice(["add"] * 6 + ["place"]), operands, rows, columns)
        return HEAD + "\n".join([*self.lines, *(f"dist.release {store} : !w" for store in self.released)])


@pytest.mark.parametrize("seed", range(SEEDS))
def test_random_programs(seed: int) -> None:
    rng = random.Random(seed)
    contents = {
        name: np.arange(ROWS * COLUMNS, dtype=float).reshape(ROWS, COLUMNS) * 2.0 + k / 4
        for k, name in enumerate("abc")
    }
    codes = Counter[str]()
    for _ in range(PROGRAMS):
        module = parse_module(make_context(), Writer(rng).text())
        verify_module(module)
        expected = ReferenceExecutor().run(module, contents)
        remarks = Remarks()
        run_pipeline(module, PASSES, verify=True, remarks=remarks)
        codes.update(remark.code for remark in remarks)
        found = ReferenceExecutor().run(module, contents)
        assert all(np.array_equal(found[name], expected[name]) for name in contents)
    assert min(codes["FIR-N190"], codes["FIR-N191"]) > PROGRAMS // 4
