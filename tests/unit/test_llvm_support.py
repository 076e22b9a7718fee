"""Support functions: what kernels share is compiled once, whoever asks first, and stays."""

from __future__ import annotations

import gc
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from llvm_kernels import compiled, elementwise, run

from fuseir.codegen.llvm.support import SupportLibrary, support_library
from fuseir.codegen.llvm.target import X86_64_V3, X86_64_V4, host_target
from fuseir.codegen.llvm.text import FunctionText, ModuleText

AXPY = elementwise({"x": "f64", "y": "f64"}, [("arith.addf %x, %y : f64", "f64")])
REST = elementwise({"x": "f64", "y": "f64"}, [("ufunc.fmod %x, %y : f64", "f64")])


def check(text: str, ufunc: np.ufunc) -> None:
    x, y, z = np.arange(100.0)[::3], np.full(34, 2.0), np.zeros(34)
    run(compiled(text), x, y, z)
    assert np.array_equal(z, ufunc(x, y))


LIBRARIES: list[SupportLibrary] = []
"""Kernels of other tests may live on, and so must what they call."""


@pytest.fixture
def empty_library() -> None:
    """A process that has compiled nothing yet, as far as support functions go."""
    LIBRARIES.append(support_library(host_target()))
    support_library.cache_clear()


@pytest.mark.usefixtures("empty_library")
def test_kernels_share_support_functions() -> None:
    first, second = compiled(AXPY), compiled(elementwise({"x": "f64"}, [("arith.negf %x : f64", "f64")]))
    assert first.support == second.support != ()
    assert first.llvm_ir is not None
    for symbol in first.support:
        lines = [line for line in first.llvm_ir.splitlines() if f"@{symbol}(" in line]
        assert lines
        assert not any(line.startswith("define") for line in lines)


@pytest.mark.usefixtures("empty_library")
def test_threads_that_need_the_same_functions_at_once() -> None:
    """None loses the code it was linked to, whichever came first."""
    with ThreadPoolExecutor(8) as pool:
        futures = [pool.submit(check, *case) for _ in range(6) for case in ((AXPY, np.add), (REST, np.fmod))]
        for future in futures:
            future.result()
    gc.collect()
    check(AXPY, np.add)
    check(REST, np.fmod)


def test_a_symbol_stands_for_text_and_target() -> None:
    """Code for one processor is never taken for another's, even where the text is the same."""

    def build(module: ModuleText, result: str) -> FunctionText:
        text = FunctionText([], "i32")
        text.do(f"ret i32 {result}")
        return text

    symbols = [ModuleText(target).support("test", build, n) for target in (X86_64_V3, X86_64_V4) for n in ("0", "1")]
    assert len(set(symbols)) == 4
    assert ModuleText(X86_64_V3).support("test", build, "0") == symbols[0]
