"""Tokens of launches in a program's text (Apophenia §4.1), which are equal under renaming of stores. Each test names its checks."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from helpers.dist_programs import parse

from fuseir.passes.analysis.fragments import binding, steps, tokens
from fuseir.repeats.finder import find_repeats

STORES = """
%x = dist.store "x" : !s
%y = dist.store "y" : !s
%z = dist.store "z" : !s
%m = dist.store "m" : !dist.store<4x8xf64>
%n = dist.store "n" : !one
%f = dist.store "f" : !dist.store<8xf32>
%v = dist.view %x (d0) -> (d0) : !s -> !dist.view<4xf64>
%w = dist.view %x (d0) -> (d0 + 4) : !s -> !dist.view<4xf64>
%u = dist.view %y (d0) -> (d0) : !s -> !dist.view<4xf64>
%a = dist.scalar "a" = 1.0 : f64
%b = dist.scalar "b" = 2.0 : f64
%c = dist.scalar "c" = 1.0 : f32
func.func private @p(tensor<?xf64>)
func.func private @r(tensor<?xf64>)
func.func private @q(tensor<?xf32>)
func.func private @s(tensor<?xf64>, f64)
func.func private @s32(tensor<?xf64>, f32)
func.func private @change(tensor<?xf64>) -> tensor<?xf64>
func.func private @row(tensor<?x?xf64>)
"""


def same(first: str, second: str) -> bool:
    one, other = tokens(steps(parse(STORES + first + "\n" + second).ops))
    return one == other


READ = "dist.launch @p<[4]>(%x: read #A) : (!s)"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (READ, READ),
        (READ, "dist.launch @p<[4]>(%y: read #A) : (!s)"),
        ("dist.launch @p<[4]>(%v: read #H) : (!half)", "dist.launch @p<[4]>(%u: read #H) : (!half)"),
        (
            "dist.launch @s<[4]>(%x: read #A) scalars(%a) : (!s, f64)",
            "dist.launch @s<[4]>(%x: read #A) scalars(%b) : (!s, f64)",
        ),
        ("dist.swap %x, %y : !s", "dist.swap %z, %x : !s"),
        ("dist.release %x : !s", "dist.release %y : !s"),
        ("dist.fence", "dist.fence"),
    ],
)
def test_a1_a2_equal_operations_have_equal_tokens(first: str, second: str) -> None:
    """Also with other stores, and with other values of scalars."""
    assert same(first, second)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (READ, "dist.launch @r<[4]>(%x: read #A) : (!s)"),
        (READ, "dist.launch @p<[2]>(%x: read #A) : (!s)"),
        (READ, "dist.launch @p<[4]>(%x: read #B) : (!s)"),
        (READ, "dist.launch @p<[4]>(%x: read #dist.tiling<[2], (d0) -> (d0 * -1 + 3)>) : (!s)"),
        (READ, "dist.launch @p<[4]>(%x: no_access #A) : (!s)"),
        (READ, "dist.launch @p<[4]>(%v: read #H) : (!half)"),
        (READ, "dist.launch @q<[4]>(%f: read #A) : (!dist.store<8xf32>)"),
        ("dist.launch @p<[4]>(%v: read #H) : (!half)", "dist.launch @p<[4]>(%w: read #H) : (!half)"),
        ("dist.launch @change<[4]>(%x: reduce<add> #A) : (!s)", "dist.launch @change<[4]>(%x: reduce<mul> #A) : (!s)"),
        ("dist.launch @change<[4]>(%x: write #A) : (!s)", "dist.launch @change<[4]>(%x: read_write #A) : (!s)"),
        (
            "dist.launch @s<[4]>(%x: read #A) scalars(%a) : (!s, f64)",
            "dist.launch @s32<[4]>(%x: read #A) scalars(%c) : (!s, f32)",
        ),
        ("dist.release %x : !s", "dist.release %n : !one"),
        ("dist.swap %x, %y : !s", "dist.release %x : !s"),
    ],
)
def test_a1_tokens_differ_where_dependences_may(first: str, second: str) -> None:
    assert not same(first, second)


def test_a1_which_stores_are_the_same_is_in_the_binding() -> None:
    """Not in tokens: a fragment is another one if it uses one store where the other uses two."""
    program = (
        STORES + "dist.swap %x, %y : !s\ndist.swap %y, %z : !s\n" + "dist.swap %z, %x : !s\ndist.swap %z, %x : !s\n"
    )
    operations = steps(parse(program).ops)
    assert len(set(tokens(operations))) == 1
    assert binding(operations[:2]).uses == binding(operations[1:3]).uses == (0, 1, 1, 2)
    assert binding(operations[2:]).uses == (0, 1, 0, 1)


def test_a3_the_same_in_every_process() -> None:
    """Whatever the seed of Python's hashes: the whole output is."""
    program = """
from helpers.dist_programs import parse
from fuseir.passes.analysis.fragments import steps, tokens
from fuseir.passes.extract_traces import ExtractTracesPass
from fuseir.passes.remarks import Remarks
lines = [f'%x{k} = dist.store "x{k}" : !s' for k in range(30)]
for k in range(27):
    lines += [f"dist.launch @copy<[4]>(%x{k}: read #A, %x{k + k % 3 + 1}: write #A) : (!s, !s)", f"dist.release %x{k} : !s"]
module = parse("\\n".join(lines))
print(tokens(steps(module.ops)))
ExtractTracesPass(2).run(module, Remarks())
print(module)
"""
    outputs = set[str]()
    for seed in ("1", "2"):
        variables = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)}
        done = subprocess.run(
            [sys.executable, "-c", program], env=variables, capture_output=True, text=True, check=True
        )
        outputs.add(done.stdout)
    assert len(outputs) == 1
    assert "dist.replay" in outputs.pop()


def test_a4_the_jacobi_stream() -> None:
    """x = (b - R @ x) / d with two buffers for x: by names the shortest repeat has six operations, as every second iteration is the same.

    Renaming makes all iterations the same: three operations.
    """
    lines = [f'%{name} = dist.store "{name}" : !s' for name in ("R", "x1", "x2", "t1", "t2", "b", "d")]
    tensors = ", ".join(["tensor<?xf64>"] * 3)
    lines += [f"func.func private @{name}({tensors}) -> tensor<?xf64>" for name in ("dot", "sub", "div")]
    for k in range(4):
        old, new = ("x1", "x2") if k % 2 == 0 else ("x2", "x1")
        for task, x, y, z in (("dot", "R", old, "t1"), ("sub", "b", "t1", "t2"), ("div", "t2", "d", new)):
            lines.append(f"dist.launch @{task}<[4]>(%{x}: read #A, %{y}: read #A, %{z}: write #A) : (!s, !s, !s)")
    operations = steps(parse("\n".join(lines)).ops)
    found = tokens(operations)
    named: list[int] = []
    known: dict[tuple[object, ...], int] = {}
    for token, op in zip(found, operations, strict=True):
        named.append(known.setdefault((token, *op.operands), len(known)))
    assert named[:3] != named[3:6]
    assert named[:3] == named[6:9]
    assert [repeat.length for repeat in find_repeats(named)] == [6]
    assert found[:3] == found[3:6]
    assert [repeat.length for repeat in find_repeats(found[:6])] == [3]
    assert binding(operations[:3]).uses == binding(operations[3:6]).uses
