"""D2: kernels take little stack and no memory that they do not give back, however many reductions were fused."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
from llvm_kernels import compiled, fold_tree, function, loop, reduction, run, same_bits, tile_type

STACK_BYTES = 512 * 1024
MATRIX, ROW = tile_type("f64", 2), tile_type("f64", 1)


def on_a_small_stack(work: Callable[[], None]) -> None:
    """Run ``work`` on a thread with half a megabyte of stack; an overflow would kill the process."""
    failures: list[BaseException] = []

    def target() -> None:
        try:
            work()
        except BaseException as error:
            failures.append(error)

    before = threading.stack_size(STACK_BYTES)
    try:
        thread = threading.Thread(target=target)
        thread.start()
    finally:
        threading.stack_size(before)
    thread.join()
    if failures:
        raise failures[0]


def sums(count: int, axis: int, name: str) -> str:
    """``count`` sums along an axis of ``%x``, one after another within one loop over the rest: each scaled differently."""
    index = "%k, %i" if axis == 0 else "%i, %k"
    body = ""
    for n in range(count):
        element = f"%e{n} = memref.load %x[{index}] : {MATRIX}\n%p{n} = arith.mulf %e{n}, %w{n} : f64"
        fold = [(f"%p{n}", "arith.addf", "f64", "%id")]
        body += reduction(f"%t{n}", "%k", f"%d{axis}", element, fold, vector=axis == 1)
        body += f"\nmemref.store %t{n}, %{name}[%c{n}x, %i] : {MATRIX}\n"
    return loop("%i", f"%d{1 - axis}", body, vector=axis == 0)


def column_and_row_sums(count: int) -> str:
    constants = "".join(
        f"%c{n}x = arith.constant {n} : index\n%w{n} = arith.constant {n + 0.1} : f64\n" for n in range(count)
    )
    dims = "".join(f"%d{axis} = memref.dim %x, %c{axis} : {MATRIX}\n" for axis in (0, 1))
    body = f"{constants}%id = arith.constant -0.0 : f64\n{dims}{sums(count, 0, 'columns')}{sums(count, 1, 'rows')}"
    return function({"x": MATRIX, "columns": MATRIX, "rows": MATRIX}, body)


def many_sums_in_one_loop(count: int) -> str:
    """One loop that folds ``count`` values at a time: all its partials are alive at once."""
    tile = tile_type("f64", 1)
    weights = "".join(f"%w{n} = arith.constant {n + 0.1} : f64\n" for n in range(count))
    element = f"%e = memref.load %x[%i] : {tile}\n"
    element += "".join(f"%p{n} = arith.mulf %e, %w{n} : f64\n" for n in range(count))
    folds = [(f"%p{n}", "arith.addf", "f64", "%id") for n in range(count)]
    body = f"{weights}%n = memref.dim %x, %c0 : {tile}\n%id = arith.constant -0.0 : f64\n"
    body += reduction(f"%t:{count}", "%i", "%n", element, folds, vector=True)
    body += "".join(
        f"\n%s{n} = arith.constant {n} : index\nmemref.store %t#{n}, %z[%s{n}] : {tile}" for n in range(count)
    )
    return function({"x": tile, "z": tile}, body)


def many_column_sums_in_one_loop(count: int) -> str:
    """As ``many_sums_in_one_loop``, within a vector loop: each keeps the state of a panel."""
    element = f"%e = memref.load %x[%k, %i] : {MATRIX}"
    fold = [("%e", "arith.addf", "f64", "%id")] * count
    inner = reduction(f"%t:{count}", "%k", "%m", element, fold)
    inner += "".join(f"\nmemref.store %t#{n}, %z[%i] : {ROW}" for n in range(count))
    body = f"%n = memref.dim %z, %c0 : {ROW}\n%m = memref.dim %x, %c0 : {MATRIX}\n%id = arith.constant -0.0 : f64\n"
    return function({"x": MATRIX, "z": ROW}, body + loop("%i", "%n", inner, vector=True))


def test_many_sums_of_columns_and_rows() -> None:
    count = 64
    kernel = compiled(column_and_row_sums(count))
    x = np.random.default_rng(0).standard_normal((1100, 37))
    columns, rows = np.full((count, 37), np.nan), np.full((count, 1100), np.nan)
    on_a_small_stack(lambda: run(kernel, x, columns, rows))
    weights = np.arange(count) + 0.1
    for n in range(count):
        assert same_bits(columns[n], fold_tree(x * weights[n], np.add, -0.0))
        assert same_bits(rows[n], fold_tree((x * weights[n]).T, np.add, -0.0))


def test_many_sums_in_one_loop() -> None:
    """More partials than the stack's budget has room for: the rest lie in the workspace."""
    count = 160
    kernel = compiled(many_sums_in_one_loop(count))
    x, z = np.random.default_rng(0).standard_normal(2500), np.full(count, np.nan)
    on_a_small_stack(lambda: run(kernel, x, z))
    for n in range(count):
        assert same_bits(z[n : n + 1], np.asarray([fold_tree(x * (n + 0.1), np.add, -0.0)]))


def test_loops_one_after_another_share_their_workspace() -> None:
    """Sixteen loops want no more memory than the two kinds of them, but for the row of results that each column loop leaves."""
    one, many = (compiled(column_and_row_sums(count)).llvm_ir for count in (1, 8))
    assert 0 < workspace_bytes(many) - workspace_bytes(one) <= 7 * 4096 < workspace_bytes(one)


def workspace_bytes(text: str) -> int:
    (call,) = [line for line in text.splitlines() if "call i32 @fz_drive_" in line]
    return int(call.split(", i64 ")[-1].split(",")[0])


def test_a_workspace_that_cannot_be_had_is_an_error() -> None:
    """In a process of its own, whose memory ends just above what it has."""
    program = """
import resource, sys
sys.path.insert(0, sys.argv[1])
import numpy as np
from llvm_kernels import compiled, run
from test_llvm_stack import many_column_sums_in_one_loop
from fuseir.errors import OutOfMemoryError

kernel = compiled(many_column_sums_in_one_loop(100))
x, z = np.ones((5, 3)), np.zeros(3)
pages = int(open("/proc/self/statm").read().split()[0])
resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + (1 << 20), resource.RLIM_INFINITY))
try:
    run(kernel, x, z)
except OutOfMemoryError:
    print("refused")
resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
run(kernel, x, z)
print("ran")
"""
    folder = str(Path(__file__).parent)
    done = subprocess.run(
        [sys.executable, "-c", program, folder], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.stdout.split() == ["refused", "ran"], done.stderr
