"""B1 and B2 of the fault model: what users write never reaches the CUDA text, which names nothing outside a closed set."""

from __future__ import annotations

import re

import corpus
import pytest
from test_llvm_injection import BAD_STRINGS, MARK
from xdsl.dialects.builtin import ModuleOp, StringAttr, UnitAttr

from fuseir.codegen.cuda import emit_cuda_text
from fuseir.codegen.cuda.functions import OWN_FUNCTIONS, STATED_ERRORS
from fuseir.codegen.cuda.helpers import HELPERS, PROLOGUE
from fuseir.codegen.llvm.math_functions import MATH_FUNCTIONS

BAD = [
    *BAD_STRINGS,
    f"\\\n{MARK}",
    f'#include "{MARK}"',
    f"*/ {MARK} /*",
    f"// {MARK}\\",
    f"??/\n{MARK}",
    f'R"({MARK})"',
]

KEYWORDS = {
    *(
        "typedef",
        "unsigned",
        "signed",
        "char",
        "short",
        "int",
        "long",
        "float",
        "double",
        "bool",
        "void",
        "const",
        "auto",
    ),
    *(
        "template",
        "typename",
        "struct",
        "return",
        "if",
        "for",
        "while",
        "extern",
        "C",
        "static",
        "explicit",
        "operator",
    ),
    *("alignas", "sizeof", "reinterpret_cast", "true", "false", "pragma", "unroll"),
}
OF_CUDA = {
    *("__device__", "__global__", "__shared__", "__forceinline__", "__launch_bounds__", "__restrict__"),
    *("threadIdx", "blockIdx", "blockDim", "gridDim", "x", "y", "__syncthreads", "__syncwarp"),
    *("__shfl_sync", "__shfl_down_sync", "__float_as_int", "__int_as_float", "__double_as_longlong"),
    *("__longlong_as_double", "__clzll", "__ffsll", "__popcll"),
}
OWN_NAMES = {
    *("T", "F", "S", "Index", "Lanes", "Team"),
    *(f"{letter}{width}" for letter in "us" for width in (8, 16, 32, 64)),
}
NUMBERED = re.compile(
    r"(a|t)\d+(_[ns]\d+)?|n\d+|s\d+|v\d+|x\d+|z\d+|i\d+|(left|block|stop|end|tree|rows|items|kept|partial)\d+|"
    r"fz_[a-z]+_\d+(_[0-9a-f]{12}(_packed|_block)?(_wide)?)?"
)
PLAIN = {
    "lane",
    "row",
    "item",
    "chunk",
    "chunks",
    "span",
    "first",
    "team",
    "live",
    "items",
    "at",
    "fabs",
    "fma",
    "sqrt",
    "rint",
}


@pytest.fixture(scope="module")
def kernels() -> list[str]:
    """Texts of kernels of every kind."""
    kernels = [
        *corpus.of_operations().values(),
        *(corpus.generated(seed) for seed in range(12)),
        *(kernel for each in corpus.of_benchmarks(("softmax",)).values() for kernel in each),
        corpus.of_folds("f32", "minimumf", "NK", 3),
        corpus.of_folds("i1", "ori", "N", 2),
    ]
    return [str(kernel) for kernel in kernels]


@pytest.fixture(scope="module")
def text(kernels: list[str]) -> str:
    return "\n".join(emit_cuda_text(corpus.parsed(kernel)) for kernel in kernels)


@pytest.mark.parametrize("bad", BAD)
def test_names_and_strings_never_reach_the_text(bad: str, kernels: list[str]) -> None:
    module = corpus.parsed(kernels[-1])
    expected = emit_cuda_text(module)
    _spoil(module, bad)
    text = emit_cuda_text(module)
    assert MARK not in text
    assert text == expected


def _spoil(module: ModuleOp, bad: str) -> None:
    for op in module.walk():
        if op.name == "func.func":
            op.properties["sym_name"] = StringAttr(bad)
            op.attributes[bad] = StringAttr(bad)
        if op.name != "builtin.module":
            op.attributes[bad] = UnitAttr()
        for value in (*op.results, *(arg for region in op.regions for block in region.blocks for arg in block.args)):
            value._name = bad  # as a parser with laxer rules might set it


def test_every_word_is_of_a_closed_set(text: str) -> None:
    """ASCII only; no directives but one pragma, no strings but one, no line that goes on in the next, no headers."""
    own = set(re.findall(r"\w+", " ".join([PROLOGUE, *(helper.text for helper in HELPERS.values())])))
    functions = {function.name + suffix for function in MATH_FUNCTIONS.values() for suffix in ("", "f")}
    rounding = {
        f"{name}{f}"
        for name in ("fabs", "ceil", "floor", "trunc", "round", "rint", "copysign", "sqrt", "fma")
        for f in ("", "f")
    }
    known = KEYWORDS | OF_CUDA | OWN_NAMES | PLAIN | own | functions | rounding
    for line in text.splitlines():
        assert re.fullmatch(r"[ -~]*", line)
        assert not line.endswith("\\"), line
        assert "??" not in line
        code, _, _ = line.partition("//")
        if code.lstrip().startswith("#"):
            assert re.fullmatch(r"\s*#pragma unroll( \d+)?", code), line
            continue
        assert not re.search(r"[\"'`$@\\]", code.replace('extern "C"', "")), line
        for word in re.findall(r"(?<![\w.])[A-Za-z_]\w*", code):
            assert word in known or NUMBERED.fullmatch(word), (word, line)


def test_comments_are_the_emitters_own(text: str) -> None:
    comments = {comment.strip() for comment in re.findall(r"//(.*)", text)}
    assert len(comments) < 25


def test_no_helper_is_there_that_nothing_uses() -> None:
    for kernel in (corpus.of_folds("i32", "addi", "M", 2), corpus.generated(3)):
        text = re.sub(r"//.*", "", emit_cuda_text(ModuleOp([kernel.clone()])))
        for name in HELPERS:
            uses = re.findall(rf"\b{name}\b", text)
            assert len(uses) != 1, name


def test_functions_beyond_the_contract_are_written_out() -> None:
    """The stated errors are within 4 ulp, or the function is our own."""
    assert set(STATED_ERRORS) == {function.name for function in MATH_FUNCTIONS.values()}
    beyond = {name for name, (_, f64) in STATED_ERRORS.items() if f64 > 4}
    assert beyond == set(OWN_FUNCTIONS)
    assert all(f32 <= 4 for f32, _ in STATED_ERRORS.values())
    assert set(OWN_FUNCTIONS.values()) <= set(HELPERS)
