"""Emitted CUDA kernels run on the host, under sanitizers, and give the bits of the CPU path (T22); thousands: ``compare_kernels.py``."""

from __future__ import annotations

import ctypes
import platform
import shutil
from pathlib import Path

import corpus
import numpy as np
import pytest
from comparison import Outcome, compare
from host_emulation import Job, build, run
from llvm_kernels import elementwise, kernel_of

from fuseir.codegen.cuda import emit_kernels

pytestmark = pytest.mark.skipif(
    shutil.which("g++") is None or platform.machine() != "x86_64", reason="the emulation takes g++ and an x86-64"
)

OPERATIONS = ("i1", "i16", "i64", "f32", "functions of f64")
FOLDS = [
    *[("f64", "addf", "M", 1), ("i64", "addi", "NM", 2), ("f32", "maximumf", "M", 2), ("f64", "addf", "N", 2)],
    *[("i8", "muli", "K", 3), ("i1", "minui", "NK", 3), ("f64", "minimumf", "NKM", 3)],
]


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """All kernels of the suite, in one program."""
    operations = corpus.of_operations()
    kernels = [
        *(corpus.generated(seed) for seed in range(10)),
        *corpus.of_random_programs(range(2))[:14],
        *(
            kernel
            for kernels in corpus.of_benchmarks(("black_scholes", "softmax", "cg")).values()
            for kernel in kernels
        ),
        *(operations[name] for name in OPERATIONS),
        *(corpus.of_folds(*fold) for fold in FOLDS),
    ]
    return compare(kernels, tmp_path_factory.mktemp("emulation"))


def test_kernels_give_the_bits_of_the_cpu_path(outcome: Outcome) -> None:
    assert outcome.differences == []


def test_every_version_ran(outcome: Outcome) -> None:
    rows = ["rows", "rows_wide", "rows_block", "rows_block_wide"]
    maps = ["map", "map_wide", "map_packed", "map_packed_wide"]
    others = ["columns", "columns_wide", "finish", "finish_wide", "single_wide"]
    assert set(outcome.versions) == {*rows, *maps, *others}


def test_own_function_is_within_four_ulp(tmp_path: Path) -> None:
    """erfc of f64, which CUDA's own is not; the C library's of ``long double`` is the reference."""
    module = emit_kernels([kernel_of(elementwise({"x": "f64"}, [("ufunc.erfc %x : f64", "f64")]))])
    rng = np.random.default_rng(5)
    special = [0.0, -0.0, 0.5, -0.5, 26.5, 27.2, 27.9, 28.0, 1e300, np.inf, -np.inf, 5e-324]
    x = np.concatenate([rng.uniform(-6, 28, 1500), rng.uniform(0.4, 6, 1500), rng.uniform(-1, 1, 500), special])
    job = Job(module.plans[0], [x, np.zeros_like(x)])
    run(module, build(module, tmp_path), [job])
    library = ctypes.CDLL("libm.so.6")
    library.erfcl.restype, library.erfcl.argtypes = ctypes.c_longdouble, [ctypes.c_longdouble]
    exact = np.array([library.erfcl(float(each)) for each in x])  # ctypes rounds to f64: half an ulp more
    error = np.abs(job.arrays[1] - exact) / np.spacing(exact)
    assert np.max(error) <= 3


@pytest.mark.parametrize(
    ("good", "bad", "seen"),
    [
        ("    __syncthreads();", "    ;", "differs"),  # a race: another order of threads gives another result
        ("memory[lane][column] = tree", "memory[lane][column + 30] = tree", "out of bounds"),
        ("            __syncthreads();\n            if (lane", "if (column) __syncthreads();\n if (lane", "wait for"),
        ("a0[i1 *", "a0[(i1 + 1) *", "heap-buffer-overflow"),
    ],
    ids=["race", "shared memory", "barrier", "memory"],
)
def test_broken_kernels_are_seen(good: str, bad: str, seen: str, tmp_path: Path) -> None:
    def broken(text: str) -> str:
        assert good in text
        return text.replace(good, bad)

    kernel = corpus.of_folds("f64", "addf", "N", 2)
    try:
        found = " ".join(compare([kernel], tmp_path, edit=broken).differences)
    except AssertionError as error:
        found = str(error)
    assert seen in found
