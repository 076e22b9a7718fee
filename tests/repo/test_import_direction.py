"""Nothing imports upwards (CONTRIBUTING.md, "Directions of import"), and heavy packages load on first use only."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "fuseir"

# Each package may import itself and the ones named here; whatever is in BASE may be imported by all.
BASE = {"errors", "location", "options", "dtypes", "resources", "repeats"}
ALLOWED = {
    "errors": set(),
    "location": set(),
    "options": set(),
    "resources": set(),
    "repeats": set(),
    "dtypes": set(),
    "dialects": set(),
    "passes": {"dialects", "universe"},
    "cache": set(),
    "codegen": {"dialects", "cache"},
    "checking": {"dialects"},  # never the passes that it checks
    "lang": {"dialects"},
    "runtime": {"dialects", "passes", "codegen", "lang", "checking", "cache"},
    "numpy": {"runtime", "dialects"},
    "universe": set(),  # names of modules as text; nothing is imported until it is used
    "tools": {"dialects", "passes", "codegen", "checking", "runtime", "universe", "numpy"},
    "__init__": {"runtime", "dialects", "cache"},
    "__main__": {"tools", "runtime", "dialects"},
}

# Third-party packages, and the only places that may import them at all.
ONLY_IN = {
    "llvmlite": {"codegen/llvm"},
    "lark": {"lang"},
    "cupy": {"codegen/cuda", "runtime/executors"},
}


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Every import of a file, inside functions too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom) and node.module:
            if node.module == "fuseir":
                for alias in node.names:
                    yield node.lineno, f"fuseir.{alias.name}"
            else:
                yield node.lineno, node.module


def layer(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_go_downwards(path: Path) -> None:
    own = layer(path)
    assert own in ALLOWED, f"{own} is in no layer: add it to CONTRIBUTING.md and to this test"
    for line, name in imports(path):
        parts = name.split(".")
        if parts[0] == "fuseir" and len(parts) > 1:
            target = parts[1]
            allowed = target == own or target in BASE or target in ALLOWED[own]
            assert allowed, (
                f"{path.relative_to(ROOT)}:{line} imports fuseir.{target}: {own} may import {ALLOWED[own] | BASE}"
            )
        places = ONLY_IN.get(parts[0])
        if places is not None:
            relative = str(path.relative_to(PACKAGE))
            assert any(relative.startswith(place) for place in places), f"{relative}:{line} imports {parts[0]}"


def test_the_check_sees_what_it_should(tmp_path: Path) -> None:
    """The test above would notice an upward import inside a function."""
    file = tmp_path / "sample.py"
    file.write_text("def f():\n    from fuseir.runtime import session\n    import cupy\n")
    assert list(imports(file)) == [(2, "fuseir.runtime"), (3, "cupy")]


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import fuseir", ["xdsl", "llvmlite", "lark", "numpy", "cupy"]),
        ("import fuseir; fuseir.Session(); fuseir.zeros(3)", ["xdsl", "llvmlite", "lark", "cupy"]),
        ("import fuseir; fuseir.task('task f(x: read, y: write) { y = x }')", ["xdsl", "llvmlite", "cupy"]),
    ],
)
def test_heavy_packages_load_on_first_use(statement: str, absent: list[str]) -> None:
    code = f"import sys; {statement}; print(*[name for name in {absent!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
