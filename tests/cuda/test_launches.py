"""What is decided at a launch: the way, the version, the grid, the order of dimensions."""

from __future__ import annotations

import corpus
import pytest
from xdsl.dialects.func import FuncOp

from fuseir.codegen.cuda import emit_kernels
from fuseir.codegen.cuda.kernels import Pointer
from fuseir.codegen.cuda.launches import NARROW_LIMIT, Device, Launch, TileAt, plan_launches
from fuseir.errors import UnsupportedError, UsageError

DEVICE = Device(warps=256)
ADD = "arith.addf %x, %y : f64"


def elementwise(rank: int) -> FuncOp:
    dims = ", ".join(f"d{d}" for d in range(rank))
    maps = ", ".join([f"affine_map<({dims}) -> ({dims})>"] * 3)
    tile, kinds = f"tensor<{'?x' * rank}f64>", ", ".join(['"parallel"'] * rank)
    return corpus.lowered(f"""
      func.func @add(%x: {tile}, %y: {tile}, %z: {tile}) -> {tile} {{
        %r = linalg.generic {{indexing_maps = [{maps}], iterator_types = [{kinds}]}} ins(%x, %y : {tile}, {tile}) outs(%z : {tile}) {{
        ^bb0(%a: f64, %b: f64, %unused: f64):
          %s = arith.addf %a, %b : f64
          linalg.yield %s : f64
        }} -> {tile}
        func.return %r : {tile}
      }}""")


def tile(*extents: int, strides: tuple[int, ...] = (), address: int = 256) -> TileAt:
    contiguous = tuple(corpus.np.cumprod((1, *extents[:0:-1]))[::-1].tolist()) if extents else ()
    return TileAt(address, extents, strides or contiguous)


def launches(kernel: FuncOp, *tiles: TileAt, device: Device = DEVICE) -> tuple[Launch, ...]:
    return plan_launches(emit_kernels([kernel]).plans[0], tiles, device).launches


def numbers(launch: Launch) -> list[int]:
    return [argument for argument in launch.arguments if isinstance(argument, int)]


def test_contiguous_tiles_of_any_rank_are_one_row_of_packs() -> None:
    x = tile(10, 20, 30)
    (launch,) = launches(elementwise(3), x, x, x)
    assert launch.symbol.endswith("_packed")
    assert numbers(launch)[:3] == [1, 1, 6000]
    assert launch.block == (256, 1)
    assert launch.grid == (-(-3000 // 256), 1)


def test_transposed_tiles_are_gone_through_as_memory_lies() -> None:
    x = tile(10, 20, strides=(1, 10))
    (launch,) = launches(elementwise(2), x, x, x)
    assert launch.symbol.endswith("_packed")
    assert numbers(launch) == [1, 200, *[0, 1] * 3]


@pytest.mark.parametrize(
    ("x", "packs"),
    [
        (tile(16, 32), True),
        (tile(16, 32, strides=(64, 1)), True),
        (tile(16, 32, strides=(33, 1)), False),  # every other row begins in the middle of a pack
        (tile(16, 32, strides=(64, 2)), False),
        (tile(16, 32, strides=(64, -1)), False),
        (tile(16, 32, strides=(32, 0)), False),
        (tile(16, 32, address=264), False),
        (tile(1, 32, strides=(33, 1)), True),  # there is no other row
    ],
)
def test_packs_are_for_aligned_neighbours(x: TileAt, packs: bool) -> None:
    y = tile(*x.extents, strides=(64, 1))
    (launch,) = launches(elementwise(2), x, y, y)
    assert launch.symbol.endswith("_packed") == packs


def test_indices_are_wide_where_32_bits_may_not_do() -> None:
    x, far = tile(100), tile(100, strides=(NARROW_LIMIT // 99 + 1,))
    assert not launches(elementwise(1), x, x, x)[0].symbol.endswith("_wide")
    assert launches(elementwise(1), far, x, x)[0].symbol.endswith("_wide")
    large = tile(NARROW_LIMIT)
    assert launches(elementwise(1), large, large, large)[0].symbol.endswith("_packed_wide")


def test_a_grid_has_no_more_than_runs_at_a_time() -> None:
    x = tile(10**9)
    (launch,) = launches(elementwise(1), x, x, x)
    assert launch.grid[0] * launch.block[0] == 32 * DEVICE.warps


def test_nothing_is_launched_for_nothing() -> None:
    x = tile(0, 5)
    assert launches(elementwise(2), x, x, x) == ()


def test_long_reductions_go_in_chunks_that_are_powers_of_two_of_blocks() -> None:
    kernel = corpus.of_folds("f64", "addf", "M", 1)
    (short,) = launches(kernel, tile(5000), tile())
    assert (short.grid, short.block) == ((1, 1), (32, 8))
    plan = emit_kernels([kernel]).plans[0]
    planned = plan_launches(plan, [tile(10**7), tile()], DEVICE)
    first, second = planned.launches
    *_, chunks, span = numbers(first)
    assert span % 1024 == 0
    assert (span // 1024).bit_count() == 1
    assert chunks == -(-(10**7) // span) <= DEVICE.warps
    assert planned.buffers == (chunks * 32 * 8,)
    assert second.block == (32, 32)
    assert chunks in numbers(second)


def test_long_rows_get_a_block_each() -> None:
    kernel = corpus.of_folds("f64", "addf", "M", 2)
    assert "_block" not in launches(kernel, tile(10**5, 100), tile(10**5))[0].symbol
    (launch,) = launches(kernel, tile(10**5, 3000), tile(10**5))
    assert launch.symbol.endswith("_block")
    assert launch.block == (32, 8)


def test_columns_lie_side_by_side() -> None:
    (launch,) = launches(corpus.of_folds("f64", "addf", "N", 2), tile(100, 1000), tile(1000))
    assert (launch.grid, launch.block) == ((63, 1), (16, 32))


def test_arguments_come_in_the_order_of_the_kernels_parameters() -> None:
    module = emit_kernels([elementwise(1)])
    (launch,) = plan_launches(module.plans[0], [tile(5)] * 3, DEVICE).launches
    pointers = [argument.name for argument in launch.arguments if isinstance(argument, Pointer)]
    assert pointers == ["a0", "a1", "a2"]
    assert len(launch.arguments) == len(module.plans[0].kernels[0].parameters)


def test_other_ranks_are_refused() -> None:
    with pytest.raises(UsageError, match="ranks"):
        launches(elementwise(2), tile(5), tile(5), tile(5))


def test_more_parameters_than_a_kernel_may_have_are_refused() -> None:
    tiles = [f"%x{k}: tensor<?x?xf64>" for k in range(180)]
    maps = ", ".join(["affine_map<(d0, d1) -> (d0, d1)>"] * 180)
    sums = "\n".join(f"%s{k} = arith.addf %s{k - 1}, %e{k} : f64" for k in range(1, 179))
    types = ", ".join(["tensor<?x?xf64>"] * 179)
    kernel = corpus.lowered(f"""
      func.func @many({", ".join(tiles)}) -> tensor<?x?xf64> {{
        %r = linalg.generic {{indexing_maps = [{maps}], iterator_types = ["parallel", "parallel"]}}
            ins({", ".join(f"%x{k}" for k in range(179))} : {types}) outs(%x179 : tensor<?x?xf64>) {{
        ^bb0({", ".join(f"%e{k}: f64" for k in range(180))}):
          %s0 = arith.negf %e0 : f64
          {sums}
          linalg.yield %s178 : f64
        }} -> tensor<?x?xf64>
        func.return %r : tensor<?x?xf64>
      }}""")
    with pytest.raises(UnsupportedError, match="parameters on a GPU"):
        emit_kernels([kernel])
