"""Remarks: their codes and the page about them, what a session tells, the forms they are written in."""

from __future__ import annotations

import json
import re
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from helpers.dist_programs import groups, passed

import fuseir
from fuseir.errors import FallbackWarning, SourceLocation, UsageError
from fuseir.passes.remarks import Explanation, Remark, RemarkKind, Remarks, TaskPlace
from fuseir.tools.opt_driver import OptDriver
from fuseir.tools.remark_output import format_remarks

ROOT = Path(__file__).parents[2]
CODE = re.compile(r"FIR-N\d{3}")
COPY = "task copy(x: read, y: write) { y = x }"


def test_the_page_has_every_code_and_no_other():
    sources = {code for path in (ROOT / "fuseir").rglob("*.py") for code in CODE.findall(path.read_text("utf-8"))}
    page = (ROOT / "docs" / "remarks.md").read_text(encoding="utf-8")
    headings = re.findall(r"^### (FIR-N\d{3}): \S", page, re.MULTILINE)
    assert headings == sorted(sources)
    assert set(CODE.findall(page)) == sources


def copy_shifted(copy: fuseir.Task | None = None) -> tuple[fuseir.Store, int]:
    """Two launches that do not fuse, and the line of the second."""
    copy = copy or fuseir.task(COPY)
    x, y = fuseir.from_numpy([1.0] * 16, name="x"), fuseir.zeros(15)
    z = fuseir.zeros(16, name="z")
    copy(x, z)
    copy(z[1:], y)
    return y, line_here() - 1


def line_here() -> int:
    import sys

    return sys._getframe(1).f_lineno


def test_explain_names_the_users_lines():
    with fuseir.Session():
        assert fuseir.explain() == []
        y, line = copy_shifted()
        assert fuseir.explain() == []  # captured, not planned
        y.numpy()
        explanation = fuseir.explain()
    (remark,) = [remark for remark in explanation if remark.kind == "missed"]
    assert (remark.code, remark.pass_name, remark.store) == ("FIR-N102", "fuse-tasks", '"z"')
    assert remark.location is not None
    assert (remark.location.file, remark.location.line) == (__file__, line)
    assert remark.location.text == "    copy(z[1:], y)"
    assert [place.location.text for place in remark.tasks if place.location] == ["    copy(x, z)", "    copy(z[1:], y)"]
    assert remark.partitions == ("tiling<[2]>", "tiling<[2]> of view (d0) -> (d0 + 1)")
    text = str(explanation)
    assert f"{__file__}:{line}:5: remark: [missed] fuse-tasks: " in text
    assert "      copy(z[1:], y)\n      ^\n" in text
    assert text == repr(explanation)


def test_a_plan_that_is_known_says_nothing_new():
    with fuseir.Session() as session:
        copy = fuseir.task(COPY)
        for _ in range(2):
            copy_shifted(copy)[0].numpy()
        said = session.explain()
        assert session.statistics.plan_hits == 1
        copy(fuseir.zeros(4), y := fuseir.store(4))
        y.numpy()
        assert "FIR-N102" in [remark.code for remark in said]
        assert "FIR-N102" not in [remark.code for remark in session.explain()]  # the last window's only


def test_a_temporary_is_called_by_the_name_it_was_given():
    with fuseir.Session() as session:
        negate = fuseir.task("task negate(x: read, y: write) { y = -x }")
        x, y, t = fuseir.zeros(16), fuseir.zeros(16), fuseir.store(16, name="middle")
        negate(x, t)
        negate(t, y)
        del t
        y.numpy()
        assert [remark.store for remark in session.explain() if remark.code == "FIR-N110"] == ["%middle"]


def test_a_window_that_is_not_compiled_says_so(monkeypatch: pytest.MonkeyPatch):
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("no kernels\ntoday")

    with fuseir.Session(target="cpu") as session:
        monkeypatch.setattr("fuseir.runtime.executors.cpu.compile_kernels", fail)
        y, _ = copy_shifted()
        with pytest.warns(FallbackWarning):
            assert y.numpy().tolist() == [1.0] * 15
        remarks = session.explain()
    # What was said about the module that was not compiled is gone: nothing was fused, nothing was not.
    assert [(remark.kind, remark.code) for remark in remarks] == 2 * [(RemarkKind.FAILED, "FIR-N150")]
    assert "RuntimeError: no kernels\\ntoday" in remarks[0].message


def test_a_group_keeps_notes_few():
    program = '%S = dist.store "S" : !s\n' + 9 * "dist.launch @update<[4]>(%S: read_write #A) : (!s)\n"
    remarks = Remarks()
    passed(program, 1, remarks=remarks)
    (remark,) = remarks
    assert len(remark.tasks) == 9
    assert remark.text().count("is launched here") == 4
    assert remark.text().endswith("note: and 4 more launches")


REMARK = Remark(
    RemarkKind.MISSED,
    "FIR-N102",
    "fuse-tasks",
    'a "message"',
    SourceLocation("a.mlir", 2, 3),
    tasks=(TaskPlace("f", SourceLocation("a.mlir", 1, 1)), TaskPlace("g")),
    store="%é\x85",
    partitions=("none",),
)


def test_json_holds_everything():
    (read,) = json.loads(format_remarks([REMARK], "json"))
    assert read == {
        "kind": "missed",
        "code": "FIR-N102",
        "pass": "fuse-tasks",
        "message": 'a "message"',
        "location": {"file": "a.mlir", "line": 2, "column": 3},
        "tasks": [
            {"name": "f", "location": {"file": "a.mlir", "line": 1, "column": 1}},
            {"name": "g", "location": None},
        ],
        "store": "%é\x85",
        "partitions": ["none"],
        "suggestion": None,
    }
    assert json.loads(format_remarks([], "json")) == []


def test_yaml_quotes_what_yaml_does_not_print():
    text = format_remarks([REMARK, REMARK], "yaml")
    assert text.count("--- !Missed\n") == text.count("...\n") == 2
    assert '  - String: "a \\"message\\""\n' in text
    assert '  - Store: "%é\\u0085"\n' in text


def test_no_remarks_are_no_text():
    assert (format_remarks([], "text"), format_remarks([], "yaml"), str(Explanation())) == ("", "", "")


def test_files_that_the_input_names_are_not_opened():
    program = 'func.func private @f() loc("/etc/passwd":1:1)\n' + "dist.launch @f<[1]>() : () loc("
    program += '"/etc/passwd":1:1)\n'
    out, err = StringIO(), StringIO()
    driver = OptDriver(["-p", "fuse-tasks", "--remarks"])
    assert driver.process(program.encode(), "input.mlir", out, err) == 0
    assert err.getvalue().startswith("/etc/passwd:1:1: remark: [missed] fuse-tasks: '@f' is not fused (opaque)")
    assert "root" not in err.getvalue()


@pytest.mark.parametrize("pieces", ["AAAA", "AABB", "ABAB", "ABBA", "ANAB", "NAAN"])
def test_each_place_where_a_group_ends_has_one_remark(pieces: str):
    # Each launch reads what the one before it wrote, through pieces of its own.
    program = "".join(f'%s{k} = dist.store "s{k}" : !s\n' for k in range(5))
    for k, piece in enumerate(pieces):
        domain = 1 if piece == "N" else 4
        program += f"dist.launch @copy<[{domain}]>(%s{k}: read #{piece}, %s{k + 1}: write #{piece}) : (!s, !s)\n"
    remarks = Remarks()
    found = groups(passed(program, 1, remarks=remarks))
    missed = [remark for remark in remarks if remark.kind is RemarkKind.MISSED]
    assert len(missed) == len(found) - 1
    assert len({remark.location for remark in missed}) == len(missed)
    assert all(len(remark.tasks) == 2 and remark.suggestion for remark in missed)


def test_remarks_are_printed_on_demand(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    file = tmp_path / "remarks.txt"
    copy = fuseir.task(COPY)
    for options in ({"remarks": "missed"}, {"remarks": "passed, missed", "remarks_file": file}):
        with fuseir.Session(**options):
            for _ in range(2):  # the second time the plan is known, and nothing is said
                copy_shifted(copy)[0].numpy()
            copy(fuseir.zeros(4), y := fuseir.store(4))
            copy(y, z := fuseir.store(4))
            assert z.numpy().tolist() == [0.0] * 4
    printed, written = capsys.readouterr().err, file.read_text(encoding="utf-8")
    for text in (printed, written):
        assert text.count("[FIR-N102]") == 1
        assert "      copy(z[1:], y)\n" in text
    assert "[passed]" not in printed
    assert "[passed] fuse-tasks: fused 2 launches" in written


def test_unknown_kinds_of_remarks_are_refused():
    with pytest.raises(UsageError, match="unknown kind of remarks 'mised'"):
        fuseir.Session(remarks="mised")


def test_a_file_that_remarks_cannot_be_written_to_is_warned_about_once(tmp_path: Path):
    with fuseir.Session(remarks="all", remarks_file=tmp_path):
        copy = fuseir.task(COPY)
        y, _ = copy_shifted(copy)
        with pytest.warns(FallbackWarning, match="remarks"):
            y.numpy()
        z, _ = copy_shifted(copy)
        copy(z, y)
        assert y.numpy().tolist() == [1.0] * 15  # another warning would be an error
