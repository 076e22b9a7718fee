"""Hostile and broken inputs, one file a case, against golden diagnostics.

The files are named after the rows A1 to A12 of the fault model: syntax and typing (a1), encoding (a2), strings (a3),
nesting (a4), aliases (a5), numbers (a6), giant shapes (a7), long lists (a8), cycles and order of definition (a9),
overflow in tilings (a10), false claims about partitions and privileges (a11), pass pipelines (a12). Output files (A13)
are tested in test_opt_files.py.

FUSEIR_UPDATE_GOLDEN=1 rewrites the golden file; look at the difference before committing it.
"""

import io
import os
import time
from pathlib import Path

import pytest

from fuseir.tools.opt_driver import OptDriver

HERE = Path(__file__).parent / "hostile"
GOLDEN = HERE / "golden.txt"
CASES = sorted(HERE.glob("*.mlir"))
SEPARATOR = "=== "


def run(case: Path) -> str:
    """What fuseir-opt says about a file: its exit code and its diagnostics."""
    data = case.read_bytes()
    first_line = data.split(b"\n", 1)[0].decode("utf-8", "replace")
    arguments = first_line.removeprefix("// ARGS: ").split() if first_line.startswith("// ARGS: ") else []
    out, err = io.StringIO(), io.StringIO()
    code = OptDriver(arguments).process(data, case.name, out, err)
    return f"exit {code}\n{err.getvalue()}"


def read_golden() -> dict[str, str]:
    sections = GOLDEN.read_text(encoding="utf-8").split(SEPARATOR)[1:]
    return dict(section.split("\n", 1) for section in sections)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_hostile_input_gets_its_diagnostic(case: Path) -> None:
    start = time.process_time()
    said = run(case)
    seconds = time.process_time() - start
    assert said == read_golden().get(case.name)
    assert "Traceback" not in said
    assert seconds < 1.0


def test_corpus_covers_the_fault_model() -> None:
    assert len(CASES) >= 60
    rows = {case.name.split("_")[0] for case in CASES}
    assert rows == {f"a{row}" for row in range(1, 13)}
    assert read_golden().keys() == {case.name for case in CASES}


def test_every_case_is_refused_with_one_located_diagnostic() -> None:
    for name, said in read_golden().items():
        code, diagnostic = said.split("\n", 1)
        assert code in ("exit 1", "exit 2", "exit 3"), name
        assert diagnostic.count("error: ") >= 1, name
        assert diagnostic.splitlines()[0].split(":")[1].isdigit() or code == "exit 2", name


if os.environ.get("FUSEIR_UPDATE_GOLDEN"):
    GOLDEN.write_text("".join(f"{SEPARATOR}{case.name}\n{run(case)}" for case in CASES), encoding="utf-8")
