"""The FileCheck tests test something: each is run, each check is one, each pass has some."""

import re
from pathlib import Path

import pytest

from fuseir.universe import PASSES

FILECHECK = Path(__file__).parents[1] / "filecheck"
FILES = sorted(path for path in FILECHECK.rglob("*.mlir") if "Inputs" not in path.parts and "Output" not in path.parts)
SUFFIXES = {"", "-NEXT", "-SAME", "-DAG", "-NOT", "-LABEL", "-EMPTY", "-COUNT"}


def prefixes(text: str) -> set[str]:
    """The check prefixes that a file's RUN lines use."""
    found: set[str] = set()
    for run in re.findall(r"// RUN:(.*)", text):
        for call in re.findall(r"\bfilecheck\b[^|&;]*", run):
            named = re.findall(r"--?check-prefix(?:es)?[= ](\S+)", call)
            found.update(name for names in named for name in names.split(","))
            if not named:
                found.add("CHECK")
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(FILECHECK)))
def test_each_file_is_run_and_checked(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    runs = re.findall(r"// RUN:\s*(\S.*)", text)
    assert runs, "no RUN line"
    used = prefixes(text)
    checked = used or any(
        flag in run for run in runs for flag in ("expected", "verify-roundtrip", "fuseir-run", "diff ", "cmp ")
    )
    assert checked, "nothing looks at the output"
    directives = set(re.findall(r"^\s*//\s*([A-Z][A-Z0-9_]*)(?:-[A-Z]+\d*)?:", text, re.MULTILINE)) - {
        "RUN",
        "REQUIRES",
    }
    for prefix in used:
        assert re.search(rf"//\s*{prefix}(-[A-Z]+(-?\d+)?)?:", text), f"no check uses the prefix {prefix}"
    unused = {
        name for name in directives - used if name.isupper() and name not in ("UNSUPPORTED", "XFAIL", "ARGS", "TODO")
    }
    assert not unused, f"checks that no RUN line reads: {sorted(unused)}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(FILECHECK)))
def test_each_directive_is_one(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for prefix in prefixes(text) | {"CHECK"}:
        # Whatever begins like a directive must be one: a misspelt one is silently a comment.
        for number, line in enumerate(text.splitlines(), 1):
            match = re.match(rf"\s*//\s*{prefix}((?:-[A-Za-z]+)*)(-?\d*)\b(.?)", line)
            if match is None:
                continue
            suffix = re.sub(r"-?\d+$", "", match[1])
            assert suffix in SUFFIXES, f"line {number}: unknown directive {prefix}{match[1]}"
            assert match[3] in (":", "{") or not match[1], f"line {number}: no colon after {prefix}{match[1]}"
        for near in re.findall(r"//\s*(CHE[A-Z]*K|CHCEK|CEHCK|CHEKC)\b", text, re.IGNORECASE):
            assert near == "CHECK", f"'{near}' is no directive"
    checks = [line for line in text.splitlines() if re.match(r"\s*//\s*[A-Z]+(-[A-Z]+)*:", line)]
    for line in checks:
        body = line.split(":", 1)[1].strip()
        assert body != "{{.*}}", f"this check matches anything: {line}"


@pytest.mark.parametrize("name", PASSES)
def test_each_pass_has_tests(name: str) -> None:
    folder = FILECHECK / "passes" / name
    assert folder.is_dir(), f"no folder {folder.relative_to(FILECHECK.parent)}"
    texts = [path.read_text(encoding="utf-8") for path in folder.glob("*.mlir")]
    assert any(re.search(rf"// RUN:.*\b{name}\b", text) for text in texts), (
        f"no RUN line under {folder.name} runs {name}"
    )
