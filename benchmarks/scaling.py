"""What analysing a window costs, and what that does not depend on: the number of points, and how long the window is.

    python benchmarks/scaling.py

Two programs, a chain of element-wise updates with reductions and scalar tasks in between, and a stencil with its copy back. Reports
processor time of fuse-tasks and eliminate-temporaries a launch (least of several runs: machines are shared) and the size of the IR
in bytes, over launch domains of 1, 2^10 and 2^20 points, and over windows of 64, 512 and 4096 launches.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from xdsl.dialects.builtin import ModuleOp

from fuseir.dialects.parsing import parse_module
from fuseir.passes.pipelines import run_pipeline
from fuseir.universe import make_context

PASSES = ("fuse-tasks", "eliminate-temporaries")
PAPER = (
    "fuse-tasks{pointwise=false reductions=false reorder=false promote-scalars=false rename=false}",
    "eliminate-temporaries",
)
EXTENT = 1 << 30
ROUNDS = 9

KERNELS = """
#id = affine_map<(d0) -> (d0)>
#one = affine_map<(d0) -> ()>
func.func @add(%x: tensor<?xf64>, %y: tensor<?xf64>, %out: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]}
      ins(%x, %y : tensor<?xf64>, tensor<?xf64>) outs(%out : tensor<?xf64>) {
  ^bb0(%a: f64, %b: f64, %o: f64):
    %s = arith.addf %a, %b : f64
    linalg.yield %s : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
func.func @copy(%x: tensor<?xf64>, %out: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf64>) outs(%out : tensor<?xf64>) {
  ^bb0(%a: f64, %o: f64):
    linalg.yield %a : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
func.func @scale(%n: tensor<f64>, %x: tensor<?xf64>, %out: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [#one, #id, #id], iterator_types = ["parallel"]}
      ins(%n, %x : tensor<f64>, tensor<?xf64>) outs(%out : tensor<?xf64>) {
  ^bb0(%a: f64, %b: f64, %o: f64):
    %s = arith.mulf %a, %b : f64
    linalg.yield %s : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
func.func @sum(%x: tensor<?xf64>, %n: tensor<f64>) -> tensor<f64> {
  %r = linalg.generic {indexing_maps = [#id, #one], iterator_types = ["reduction"]}
      ins(%x : tensor<?xf64>) outs(%n : tensor<f64>) {
  ^bb0(%a: f64, %o: f64):
    %s = arith.addf %o, %a : f64
    linalg.yield %s : f64
  } -> tensor<f64>
  func.return %r : tensor<f64>
}
func.func @half(%n: tensor<f64>, %out: tensor<f64>) -> tensor<f64> {
  %r = linalg.generic {indexing_maps = [affine_map<() -> ()>, affine_map<() -> ()>], iterator_types = []}
      ins(%n : tensor<f64>) outs(%out : tensor<f64>) {
  ^bb0(%a: f64, %o: f64):
    %s = arith.addf %a, %a : f64
    linalg.yield %s : f64
  } -> tensor<f64>
  func.return %r : tensor<f64>
}
"""


def solver(launches: int, points: int) -> str:
    """Updates, a sum every six launches, arithmetic on its result, and a scaling by that; every store but one is dropped."""
    tile = f"#dist.tiling<[{-(-EXTENT // points)}]>"
    large, one = f"!dist.store<{EXTENT}xf64>", "!dist.store<f64>"
    lines = [f'%x0 = dist.store "x" : {large}', f'%y = dist.store "y" : {large}']
    x = "%x0"
    for k in range(launches // 6):
        n, m, z = f"%n{k}", f"%m{k}", f"%z{k}"
        a, b, c = (f"%t{k}_{j}" for j in range(3))
        lines += [f"{s} = dist.store : {large}" for s in (a, b, c)]
        lines += [f'{n} = dist.store "n{k}" : {one}', f"{m} = dist.store : {one}", f"{z} = dist.store : {large}"]
        point, add = f"dist.launch @add<[{points}]>", f": ({large}, {large}, {large})"
        lines += [
            f"{point}({x}: read {tile}, %y: read {tile}, {a}: write {tile}) {add}",
            f"{point}({a}: read {tile}, {x}: read {tile}, {b}: write {tile}) {add}",
            f"{point}({b}: read {tile}, {a}: read {tile}, {c}: write {tile}) {add}",
            f"dist.launch @sum<[{points}]>({c}: read {tile}, {n}: reduce<add> #dist.none) : ({large}, {one})",
            f"dist.launch @half<[1]>({n}: read #dist.none, {m}: write #dist.none) : ({one}, {one})",
            f"dist.launch @scale<[{points}]>({m}: read #dist.none, {c}: read {tile}, {z}: write {tile}) : ({one}, {large}, {large})",
        ]
        lines += [f"dist.release {s} : {large}" for s in (a, b, c)] + [f"dist.release {m} : {one}"]
        if k:
            lines.append(f"dist.release {x} : {large}")
        x = z
    return KERNELS + "\n".join(lines)


def stencil(launches: int, points: int) -> str:
    """Four adds of shifted views and a copy back, over and over."""
    store, view = f"!dist.store<{EXTENT + 2}xf64>", f"!dist.view<{EXTENT}xf64>"
    work, tile = f"!dist.store<{EXTENT}xf64>", f"#dist.tiling<[{-(-EXTENT // points)}]>"
    lines = [f'%g = dist.store "g" : {store}']
    for name, offset in (("north", 0), ("center", 1), ("south", 2)):
        lines.append(f"%{name} = dist.view %g (d0) -> (d0 + {offset}) : {store} -> {view}")
    for k in range(launches // 5):
        w = f"%w{k}"
        add = f"dist.launch @add<[{points}]>({w}: read {tile}, %{{}}: read {tile}, {w}: write {tile}) : ({work}, {view}, {work})"
        lines += [
            f"{w} = dist.store : {work}",
            f"dist.launch @add<[{points}]>(%center: read {tile}, %north: read {tile}, {w}: write {tile}) : ({view}, {view}, {work})",
            *(add.format(name) for name in ("south", "north", "south")),
            f"dist.launch @copy<[{points}]>({w}: read {tile}, %center: write {tile}) : ({work}, {view})",
            f"dist.release {w} : {work}",
        ]
    return KERNELS + "\n".join(lines)


def analysed(program: str, passes: tuple[str, ...]) -> tuple[float, int]:
    """Least processor time of the analysis, in seconds, and the size of the IR it leaves, in bytes."""
    best, size = float("inf"), 0
    for _ in range(ROUNDS):
        module: ModuleOp = parse_module(make_context(), program)
        start = time.process_time()
        run_pipeline(module, passes)
        best = min(best, time.process_time() - start)
        size = len(str(module)) if size == 0 else size
    return best, size


def report(
    name: str, program: Callable[[int, int], str], passes: tuple[str, ...] = PASSES, *, one: bool = False
) -> None:
    """Print a table. ``one``: over one point the program comes out like over many, so its row can be compared with theirs."""
    print(f"{name}: launch domains, window of 512")
    reference: tuple[float, int] | None = None
    for points in (1, 1 << 10, 1 << 20):
        seconds, size = analysed(program(512, points), passes)
        reference = (seconds, size) if reference is None and (one or points > 1) else reference
        ratios = "" if reference is None else f"{seconds / reference[0]:7.3f}x time  {size / reference[1]:7.3f}x size"
        print(f"  {points:>8} points   {seconds / 512 * 1e6:8.1f} us a launch   {size:>9} bytes   {ratios}")
    print(f"{name}: windows, 1024 points")
    first = None
    for launches in (64, 512, 4096):
        seconds, size = analysed(program(launches, 1 << 10), passes)
        each = seconds / launches * 1e6
        first = first or each
        print(
            f"  {launches:>8} launches {each:8.1f} us a launch   {size / launches:9.0f} bytes a launch   {each / first:7.3f}x"
        )


if __name__ == "__main__":
    # Over one point every dependence stays at it, and more fuses: less is left to do than over many.
    report("solver", solver)
    report("stencil", stencil)
    report("stencil, by the paper's rules", stencil, PAPER, one=True)
