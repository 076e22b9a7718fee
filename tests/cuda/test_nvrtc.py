"""NVRTC takes every emitted kernel, for two architectures, and contracts nothing (T21). It needs neither a GPU nor a driver."""

from __future__ import annotations

import re

import corpus
import nvrtc
import pytest
from llvm_kernels import elementwise, kernel_of
from nvrtc import compile_source

from fuseir.codegen.cuda import emit_kernels
from fuseir.codegen.cuda.kernels import CudaModule
from fuseir.codegen.cuda.resources import MOST_SPILLED, resources
from fuseir.codegen.llvm.math_functions import MATH_FUNCTIONS

OPERANDS = {f"{function.name}{f}": function.operands for function in MATH_FUNCTIONS.values() for f in ("", "f")}
"""Of each of CUDA's math functions."""


FLOATS = [("functions of ", "f32"), ("functions of ", "f64"), ("", "f64")]


@pytest.fixture(scope="module", autouse=True)
def _nvrtc() -> None:
    if nvrtc.library() is None:
        pytest.fail("NVRTC is not installed, which the test extra has: pip install 'fuseir[test]'", pytrace=False)


@pytest.fixture(scope="module")
def module() -> CudaModule:
    operations = corpus.of_operations()
    benchmarks = corpus.of_benchmarks(("black_scholes", "softmax"))
    kernels = [
        *(kernel for kernels in benchmarks.values() for kernel in kernels),
        *(operations[name] for name in ("i1", "i16", "f32")),
        corpus.generated(1),
        corpus.of_folds("f64", "addf", "N", 2),
        corpus.of_folds("i8", "minsi", "K", 3),
        corpus.of_folds("i1", "ori", "NM", 2),
    ]
    return emit_kernels(kernels)


@pytest.mark.parametrize("architecture", ["sm_80", "sm_90"])
def test_kernels_compile_and_keep_to_registers(module: CudaModule, architecture: str) -> None:
    cubin, log = compile_source(module.text, architecture, ["--ptxas-options=-v"])
    assert cubin.startswith(b"\x7fELF")
    used = resources(log)
    assert set(used) == {symbol for plan in module.plans for kernel in plan.kernels for symbol in kernel.symbols}
    assert {name: each for name, each in used.items() if each.spills > MOST_SPILLED} == {}


def test_nothing_is_contracted(module: CudaModule) -> None:
    """Products and sums stay apart. CUDA's math functions have fused multiply-adds of their own, as ``math.fma`` has.

    Here they are calls of functions that are elsewhere, so that none at all may be left.
    """
    operations = corpus.of_operations()
    own = kernel_of(elementwise({"x": "f64"}, [("ufunc.erfc %x : f64", "f64")]))
    functions = emit_kernels([*(operations[f"{of}{t}"] for of, t in FLOATS), own]).text
    for source in (module.text, functions):
        text = re.sub("//.*", "", source)
        calls = rf"\b({'|'.join([*OPERANDS, 'fma', 'fmaf', 'sqrt', 'sqrtf'])})\("
        names = sorted(set(re.findall(calls, text)))
        assert source is module.text or {*names} == {*OPERANDS, "sqrt", "fma"} - {"erfc"}
        declared: list[str] = []
        for name in names:
            kind, operands = ("float" if name.endswith("f") and name != "erf" else "double"), OPERANDS.get(name, 1)
            listed = ", ".join([kind] * (3 if name.startswith("fma") else operands))
            declared.append(f'extern "C" __device__ {kind} elsewhere_{name}({listed});')
        ptx = _ptx("\n".join([*declared, re.sub(calls, r"elsewhere_\1(", text)]))
        assert re.search(r"\bmul(\.rn)?\.f64\b", ptx)
        assert re.search(r"\badd(\.rn)?\.f64\b", ptx)
        assert re.findall(r"^.*\bfma\b.*$", ptx, re.MULTILINE) == []


def test_a_contraction_would_be_seen() -> None:
    text = 'extern "C" __global__ void k(double *x) { *x = x[1] * x[2] + x[3]; }'
    assert "fma.rn.f64" in _ptx(text, "--fmad=true")
    assert "fma" not in _ptx(text)


def test_a_source_that_is_wrong_says_where() -> None:
    with pytest.raises(nvrtc.NvrtcError, match=r"kernels\.cu\(1\): error"):
        compile_source("__global__ void k() { nothing(); }", "sm_80")


def _ptx(text: str, *options: str) -> str:
    ptx, _ = compile_source(text, "compute_80", ["--relocatable-device-code=true", *options])
    return ptx.rstrip(b"\0").decode()
