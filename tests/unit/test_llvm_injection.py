"""B1 to B4 of the fault model: what users write never reaches the LLVM text, and nothing outside a closed table is called."""

from __future__ import annotations

import re

import llvmlite.binding as llvm
import numpy as np
import pytest
from llvm_kernels import compiled, elementwise, kernel_of, parse, run
from xdsl.dialects.builtin import StringAttr, UnitAttr

from fuseir.codegen.llvm.compile import compile_kernel, emit_llvm_text
from fuseir.codegen.llvm.machine import check_symbols
from fuseir.codegen.llvm.math_functions import allowed_externs
from fuseir.errors import CompileError

MARK = "qZvX"
"""A run of letters that our own text never holds, put into each bad string, so that any trace of it shows."""

BAD_STRINGS = [
    f"{before}{MARK}{after}"
    for before, after in [
        ("\n", ""), ("", '"'), ('"', '"'), ("\0", ""), ("\\", ""), ("\\00", ""), ("\\22", ""), ("\r\n", ""),
        ('"\n}\nmodule asm "', '"'), ('module asm "', '"'), ("@system", ""), ("declare i32 @system(ptr)", ""),
        ("}\ndefine void @f() {", "}"), ("!llvm.module.flags = !{", "}"), ("!dbg !0", ""), ("; ", "\nret void"),
        ("%v1", ""), ("%a0 = ", ""), ("entry:", ""), ("b1:\n  br label %b1", ""), ("$comdat", ""), ("#0 = { ", " }"),
        ("é", "ü"), ("名", "前"), ("\u202e", ""), ("\u2028", ""), ("🙂", ""), ("\x7f", ""), ("\x1b[31m", ""),
        ("'", "'"), ("`", "`"), ("$(", ")"), ("../", "/etc"), ("%s%n", "%x"), ("{", "}"), ("<", ">"), ("source_filename", ""),
        ("target triple = ", ""), ("attributes #0 = {", "}"), ("llvm.trap", ""), ("@llvm.global_ctors", ""),
        ("A" * 300, ""), ("", " "), ("\t", "\t"), ("/*", "*/"), ("//", ""), ("c\"", "\\00\""), ("uselistorder", ""),
    ]
]  # fmt: skip

KERNEL = elementwise({"x": "f64"}, [("math.exp %x : f64", "f64")])

NAME = r"%([avb][0-9]+|entry)"
SYMBOL = re.compile(r"fz_[a-z]+_[0-9]+_[0-9a-f]{12}")


@pytest.mark.parametrize("bad", BAD_STRINGS)
def test_names_and_strings_never_reach_the_text(bad: str) -> None:
    """B1: function names, hints of values and attributes of operations leave no trace, and change no byte of the text."""
    module = parse(KERNEL)
    expected = emit_llvm_text(module)
    for op in module.walk():
        if op.name == "func.func":
            op.properties["sym_name"] = StringAttr(bad)
            op.attributes[bad] = StringAttr(bad)
            op.attributes["llvm.emit"] = StringAttr(bad)
        if op.name != "builtin.module":
            op.attributes[bad] = UnitAttr()
        for value in (*op.results, *(arg for region in op.regions for block in region.blocks for arg in block.args)):
            value._name = bad  # as a parser with laxer rules might set it
    text = emit_llvm_text(module)
    assert MARK not in text
    assert text == expected


def test_there_are_enough_bad_strings() -> None:
    assert len(set(BAD_STRINGS)) >= 40


def test_a_kernel_with_a_bad_name_still_works() -> None:
    kernel = kernel_of(KERNEL)
    kernel.properties["sym_name"] = StringAttr(BAD_STRINGS[8])
    x, z = np.array([0.0]), np.array([5.0])
    code = compile_kernel(kernel)
    run(code, x, z)
    assert z[0] == 1.0
    assert MARK.encode() not in code.object_code


def _every_kind_of_text() -> str:
    operations = [
        "math.exp %x : f64",
        "math.powf %x, %x : f64",
        "ufunc.fmod %x, %x : f64",
        "arith.maximumf %x, %x : f64",
    ]
    text = emit_llvm_text(parse(elementwise({"x": "f64"}, [(operation, "f64") for operation in operations])))
    return text + emit_llvm_text(parse(elementwise({"x": "i8"}, [("math.ipowi %x, %x : i8", "i8")])))


def test_every_line_follows_a_strict_grammar() -> None:
    """B1: ASCII only; symbols are ours or of the table; no metadata but one mark, no inline assembly, no globals, no strings."""
    allowed = allowed_externs()
    attribute = r'"prefer-vector-width"="\d+"'
    for line in _every_kind_of_text().splitlines():
        assert re.fullmatch(r"[ -~]*", line)
        for symbol in re.findall(r"@([^\s(),]*)", line):
            known = SYMBOL.fullmatch(symbol) or symbol in allowed or re.fullmatch(r"llvm\.[a-z0-9.]+", symbol)
            assert known, line
        for name in re.findall(r"%[^\s,()\]}]*", line):
            assert re.fullmatch(NAME, name), line
        if line == "!0 = !{i32 1}":
            continue
        rest = re.sub(attribute, "", line)
        if line.startswith("  store "):
            rest = rest.removesuffix(", !nontemporal !0")
        assert not re.search(r"[\"'!$#;\\`]", rest), line
        assert re.match(r"(define |declare |  |b\d+:|entry:|\}|$)", line), line
        assert "asm" not in line
        assert "fast" not in line


@pytest.mark.parametrize("name", ["system", "execve", "dlopen", "printf", "memcpy", "fz_task", "expl", "llvmtrap"])
def test_externs_outside_the_table_are_refused(name: str) -> None:
    """B3: checked on the module as LLVM parsed it."""
    module = llvm.parse_assembly(f"declare void @{name}(ptr)\n")
    with pytest.raises(CompileError, match="closed table"):
        check_symbols(module)


@pytest.mark.parametrize(
    "text",
    [
        "define void @main() { ret void }",
        '@"fz_data_0_000000000000" = global i32 0',
        "@llvm.global_ctors = appending global [1 x { i32, ptr, ptr }] [{ i32, ptr, ptr } { i32 1, ptr null, ptr null }]",
        '@s = private constant [2 x i8] c"a\\00"',
    ],
)
def test_foreign_definitions_are_refused(text: str) -> None:
    """B3: no constructors, no data, no functions of other names."""
    with pytest.raises(CompileError):
        check_symbols(llvm.parse_assembly(text))


def test_each_extern_exists_or_is_refused_before_llvm_sees_it() -> None:
    """B4: an unresolved symbol would crash the process; all that a kernel names are looked up first."""
    kernel = compiled(KERNEL)
    assert set(kernel.externs) <= allowed_externs()


def test_many_engines_live_side_by_side() -> None:
    """B4: each engine has a target machine of its own; code stays while its kernel is referenced."""
    kernels = [
        compiled(elementwise({"x": "f64"}, [(f"arith.{name} %x, %x : f64", "f64")])) for name in ("addf", "mulf")
    ]
    x, z = np.array([3.0]), np.zeros(1)
    kernels.append(compiled(KERNEL))
    del kernels[2]
    for kernel, expected in zip(kernels, (6.0, 9.0), strict=True):
        run(kernel, x, z)
        assert z[0] == expected
