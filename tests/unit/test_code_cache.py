"""Kernels from the disk cache: nothing is compiled that is known, nothing is found that is not the same, results are the same.

``FUSEIR_CACHE_PROCESSES`` sets how many processes race to compile the same programs.
"""

from __future__ import annotations

import math
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from llvm_kernels import elementwise, kernel_of, run
from xdsl.dialects import arith
from xdsl.dialects.builtin import FloatAttr, StringAttr, f32, f64
from xdsl.dialects.func import FuncOp

import fuseir
from fuseir.cache import DiskCache, Entry
from fuseir.cache.environment import digest_of_sources, digest_of_text
from fuseir.codegen.llvm import cache_keys, code_cache
from fuseir.codegen.llvm import compile as compile_module
from fuseir.codegen.llvm import support as support_module
from fuseir.codegen.llvm.cache_keys import CacheKeys, environment_fields
from fuseir.codegen.llvm.compile import compile_kernels, emit_kernels, kernel_text
from fuseir.codegen.llvm.object_code import object_of
from fuseir.codegen.llvm.support import SupportLibrary, support_library
from fuseir.codegen.llvm.target import host_target
from fuseir.errors import CompileError, FallbackWarning

PROCESSES = int(os.environ.get("FUSEIR_CACHE_PROCESSES", "3"))

AXPY = elementwise({"x": "f64", "y": "f64"}, [("arith.addf %x, %y : f64", "f64")])
REST = elementwise({"x": "f64", "y": "f64"}, [("ufunc.fmod %x, %y : f64", "f64")])

LIBRARIES: list[SupportLibrary] = []
"""What kernels of other tests call must live on."""


@pytest.fixture
def disk(tmp_path: Path) -> DiskCache:
    return DiskCache(tmp_path / "cache", 1 << 28)


@pytest.fixture
def compilations(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that LLVM compiled."""
    texts: list[str] = []
    whole = compile_module.optimized_object

    def counted(text: str, *arguments: object) -> bytes:
        texts.append(text)
        return whole(text, *arguments)  # pyright: ignore[reportArgumentType]

    for module in (compile_module, support_module):
        monkeypatch.setattr(module, "optimized_object", counted)
    return texts


def new_process() -> None:
    """As far as support functions go: none is in this process."""
    LIBRARIES.append(support_library(host_target()))
    support_library.cache_clear()


def check(text: str, ufunc: np.ufunc, disk: DiskCache | None) -> compile_module.CompiledKernel:
    (kernel,) = compile_kernels([kernel_of(text)], disk)
    x, y, z = np.arange(100.0)[::3], np.full(34, 2.5), np.zeros(34)
    run(kernel, x, y, z)
    assert np.array_equal(z, ufunc(x, y))
    return kernel


def test_a_kernel_is_found_with_what_it_calls(disk: DiskCache, compilations: list[str]) -> None:
    new_process()
    first = [check(AXPY, np.add, disk), check(REST, np.fmod, disk)]
    assert not any(kernel.from_cache for kernel in first)
    count = len(compilations)
    assert count == disk.info().stores == 2 + len({symbol for kernel in first for symbol in kernel.support})
    new_process()
    again = [check(AXPY, np.add, disk), check(REST, np.fmod, disk)]
    assert all(kernel.from_cache for kernel in again)
    assert len(compilations) == count
    assert [kernel.object_code for kernel in again] == [kernel.object_code for kernel in first]
    assert [kernel.support for kernel in again] == [kernel.support for kernel in first]


def test_some_found_and_some_not(disk: DiskCache, compilations: list[str]) -> None:
    known = check(AXPY, np.add, disk).llvm_ir
    compilations.clear()
    kernels = compile_kernels([kernel_of(text) for text in (REST, AXPY, REST)], disk)
    assert [kernel.from_cache for kernel in kernels] == [False, True, False]
    assert compilations
    assert known not in compilations
    for kernel, ufunc in zip(kernels, (np.fmod, np.add, np.fmod), strict=True):
        x, z = np.arange(1.0, 9.0), np.zeros(8)
        run(kernel, x, x, z)
        assert np.array_equal(z, ufunc(x, x))


def test_a_kernel_without_its_support_function_is_compiled(disk: DiskCache, compilations: list[str]) -> None:
    assert disk.directory is not None
    new_process()
    symbols = check(AXPY, np.add, disk).support
    for path in disk.directory.iterdir():
        if f'"symbol":"{symbols[0]}"'.encode() in path.read_bytes():
            path.unlink()
    new_process()
    compilations.clear()
    assert not check(AXPY, np.add, disk).from_cache
    assert len(compilations) == 2
    new_process()
    assert check(AXPY, np.add, disk).from_cache


def test_what_the_process_had_before_is_kept_too(disk: DiskCache) -> None:
    """Support functions that were loaded without this cache are in it afterwards."""
    check(AXPY, np.add, None)
    check(AXPY, np.add, disk)
    new_process()
    assert check(AXPY, np.add, disk).from_cache


def test_every_file_damaged_is_every_file_replaced(disk: DiskCache) -> None:
    assert disk.directory is not None
    new_process()
    check(AXPY, np.add, disk)
    whole = {path: path.read_bytes() for path in disk.directory.iterdir()}
    for path, data in whole.items():
        path.write_bytes(data[: len(data) // 2])
    new_process()
    assert not check(AXPY, np.add, disk).from_cache
    assert {path: path.read_bytes() for path in disk.directory.iterdir()} == whole


def test_code_without_its_function_is_replaced(disk: DiskCache) -> None:
    """An entry that is whole, and wrong all the same."""
    check(AXPY, np.add, disk)
    keys = cache_keys.keys_of(host_target())
    assert keys is not None
    key = keys.kernel(digest_of_text(kernel_text(kernel_of(AXPY))))
    entry = disk.get(key, lambda entry: entry)
    assert entry is not None
    disk.put(key, Entry({**entry.header, "symbol": "fz_task_0_0123456789ab"}, entry.payload))
    assert not check(AXPY, np.add, disk).from_cache
    assert check(AXPY, np.add, disk).from_cache
    assert disk.get(key, lambda entry: entry) == entry


def test_what_llvm_never_compiles_is_an_error_with_a_cache_too(
    disk: DiskCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> bytes:
        raise CompileError("no")

    monkeypatch.setattr(compile_module, "optimized_object", refuse)
    with pytest.raises(CompileError):
        compile_kernels([kernel_of(AXPY)], disk)


@pytest.mark.parametrize(
    "header",
    [
        {},
        {"symbol": "system", "externs": [], "support": {}},
        {"symbol": "fz_task_0_0123456789ab", "externs": ["system"], "support": {}},
        {"symbol": "fz_task_0_0123456789ab", "externs": [7], "support": {}},
        {"symbol": "fz_task_0_0123456789ab", "externs": "exp", "support": {}},
        {"symbol": "fz_task_0_0123456789ab", "externs": [], "support": {"system": "0"}},
        {"symbol": "fz_task_0_0123456789ab", "externs": [], "support": {"fz_load_0_0123456789ab": 0}},
        {"symbol": ["fz_task_0_0123456789ab"], "externs": [], "support": {}},
    ],
)
def test_headers_that_were_never_written(header: dict[str, object]) -> None:
    assert object_of(Entry(header, b"code")) is None
    good = {"symbol": "fz_task_0_0123456789ab", "externs": ["exp"], "support": {"fz_load_0_0123456789ab": "0"}}
    assert object_of(Entry(good, b"code")) is not None
    assert object_of(Entry(good, b"")) is None


# Keys


def test_nothing_of_another_environment_is_found(disk: DiskCache, monkeypatch: pytest.MonkeyPatch) -> None:
    """C7: three other values of each field; and no two environments share a key."""
    check(AXPY, np.add, disk)
    fields = environment_fields(host_target())
    assert fields is not None
    known = cache_keys.keys_of(host_target())
    assert known is not None
    environments = {known.environment}
    for field, value in fields.items():
        for other in ("", value + "0", "other"):
            keys = CacheKeys.of({**fields, field: other})
            environments.add(keys.environment)
            monkeypatch.setattr(code_cache, "keys_of", lambda _, keys=keys: keys)
            hits = disk.info().hits
            assert (
                code_cache.CodeCache.of(disk, host_target()).kernel(digest_of_text(kernel_text(kernel_of(AXPY))))
                is None
            )  # pyright: ignore[reportOptionalMemberAccess]
            assert disk.info().hits == hits
    assert len(environments) == 1 + 3 * len(fields) - sum(value == "" for value in fields.values())


def test_sources_decide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A byte of any source file, a new file, and a renamed one; and code whose sources are not its own has no key."""
    package = Path(fuseir.__file__).parent
    copy = tmp_path / "fuseir"
    shutil.copytree(package, copy, ignore=shutil.ignore_patterns("__pycache__"))
    digest = digest_of_sources
    assert digest(copy) is None  # as if it were upgraded under this process
    monkeypatch.setattr(fuseir, "IMPORTED", math.inf)
    seen = {digest(copy)}
    for name in ("codegen/llvm/emit.py", "passes/fuse_tasks.py", "runtime/plan.py", "lang/grammar.lark", "__init__.py"):
        with open(copy / name, "a", encoding="utf-8") as file:
            file.write("#")
        seen.add(digest(copy))
    (copy / "codegen" / "more.py").touch()
    seen.add(digest(copy))
    (copy / "codegen" / "more.py").rename(copy / "codegen" / "most.py")
    seen.add(digest(copy))
    (copy / "runtime" / "session.py").unlink()
    seen.add(digest(copy))
    assert len(seen) == 9
    shutil.rmtree(copy)
    assert digest(copy) is None


def test_equal_keys_mean_equal_text() -> None:
    """Constants that differ in one bit have one key only if the code is the same; names do not count."""
    kernel = kernel_of(elementwise({"x": "f64"}, [("arith.negf %x : f64", "f64")]))
    generator = np.random.default_rng(7)
    specials = [0.0, -0.0, 1.0, 0.1, 5e-324, math.inf, -math.inf, math.nan, 1e22, 1e23]
    different = 0
    for kind, dtype, bits in ((f64, np.float64, np.uint64), (f32, np.float32, np.uint32)):
        some = generator.integers(0, np.iinfo(bits).max, 150, dtype=bits, endpoint=True)
        ones = np.concatenate([some, np.array(specials, dtype).view(bits)])
        for pair in zip(ones.view(dtype).tolist(), (ones ^ bits(1)).view(dtype).tolist(), strict=True):
            one, other = (variant(kernel, FloatAttr(value, kind)) for value in pair)
            assert one[0] != other[0] or one[1] == other[1]
            different += one[1] != other[1]
    assert different > 300


def variant(kernel: FuncOp, value: FloatAttr) -> tuple[str, str]:
    """The text and LLVM text of a kernel that also has a constant, under a name of its own."""
    changed = kernel.clone()
    changed.sym_name = StringAttr(f"k{value.value.data.hex()}".replace(".", "_").replace("+", "_").replace("-", "_"))
    loop = next(op for op in changed.walk() if op.name == "memref.store")
    constant = arith.ConstantOp(value)
    block = loop.parent_block()
    assert block is not None
    if value.type == f64:
        added = arith.AddfOp(loop.operands[0], constant.result)
        block.insert_ops_before([constant, added], loop)
    else:
        wide = arith.ExtFOp(constant.result, f64)
        added = arith.AddfOp(loop.operands[0], wide.result)
        block.insert_ops_before([constant, wide, added], loop)
    loop.operands[0] = added.result
    return kernel_text(changed), emit_kernels([changed], host_target()).text


# Processes

PROGRAM = """
import sys
import numpy as np
import fuseir
from fuseir.codegen.llvm import compile as compile_module, support as support_module

if sys.argv[1] == "warm":
    def refuse(*_):
        raise AssertionError("compiled although it is known")
    compile_module.optimized_object = support_module.optimized_object = refuse

tasks = [
    fuseir.task("task f(x: read, y: write) { y = exp(x) + x * 2.0 }"),
    fuseir.task("task g(x: read, s: reduce<add>) { s = sum(x) }"),
    fuseir.task("task h(a: scalar, x: read, y: write) { y = fmod(x, a) - floor(x) }"),
]
order = np.random.default_rng(int(sys.argv[2])).permutation(6)
results = {}
for number in order:
    kind, dtype = divmod(int(number), 2)
    x = fuseir.from_numpy(np.linspace(0, 3, 1000, dtype=("f8", "f4")[dtype]))
    y, s = fuseir.store(1000, x.dtype), fuseir.zeros((), x.dtype)
    if kind == 1:
        tasks[1](x, s)
        results[int(number)] = s.numpy().tobytes()
    else:
        tasks[kind](*[0.7] * (kind == 2), x, y)
        results[int(number)] = y.numpy().tobytes()
import hashlib
statistics, info = fuseir.stats(), fuseir.cache_info()
assert statistics.fallbacks == info.rejected == info.failures == 0, (statistics, info)
digest = hashlib.sha256(b"".join(results[number] for number in sorted(results))).hexdigest()
print(statistics.kernels_compiled, statistics.kernels_loaded, info.misses, digest)
"""


def process(mode: str, seed: int, **environment: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-W", "error", "-c", PROGRAM, mode, str(seed)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, **environment})


def outcome(child: subprocess.Popen[str]) -> tuple[int, int, int, str]:
    out, _ = child.communicate(timeout=300)
    assert child.returncode == 0
    compiled, loaded, misses, digest = out.split()
    return int(compiled), int(loaded), int(misses), digest


def test_the_second_process_compiles_nothing(tmp_path: Path) -> None:
    """C4, C8: whatever order the first ones came in, racing; with the bits that programs have without a cache."""
    variables = {"FUSEIR_CACHE": "1", "FUSEIR_CACHE_DIR": str(tmp_path / "cache")}
    children = [process("cold", seed, **variables) for seed in range(PROCESSES)]
    outcomes = [outcome(child) for child in children]
    compiled, loaded, _, digest = outcome(process("cold", 0, FUSEIR_CACHE="0"))
    assert (compiled, loaded) == (6, 0)
    assert {(each[0] + each[1], each[3]) for each in outcomes} == {(6, digest)}
    assert outcome(process("warm", 9, **variables)) == (0, 6, 0, digest)


# The probe


def test_a_child_process_tries_first_and_only_once(
    disk: DiskCache, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    check(AXPY, np.add, disk)
    disk.probe = True
    assert check(AXPY, np.add, disk).from_cache

    def never(*_: object, **__: object) -> None:
        raise AssertionError("tried before")

    monkeypatch.setattr(code_cache.subprocess, "run", never)
    assert check(AXPY, np.add, disk).from_cache
    assert capfd.readouterr() == ("", "")


def test_if_the_child_process_dies_kernels_are_compiled(disk: DiskCache, monkeypatch: pytest.MonkeyPatch) -> None:
    """C9."""
    check(AXPY, np.add, disk)
    disk.probe = True
    monkeypatch.setattr(code_cache, "__name__", "os; os.abort()  #")
    with pytest.warns(FallbackWarning, match="FUSEIR_CACHE_PROBE"):
        assert not check(AXPY, np.add, disk).from_cache
    assert not check(AXPY, np.add, disk).from_cache
    assert disk.directory is None
