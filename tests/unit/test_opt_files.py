"""Output files of fuseir-opt (row A13 of the fault model): whole or untouched, and never the input by accident."""

import os
import stat
from pathlib import Path

import pytest

from fuseir.tools import files
from fuseir.tools.opt import main

GOOD = "func.func private @f()\n"
PRINTED = "builtin.module {\n  func.func private @f() -> ()\n}\n\n"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "in.mlir"
    path.write_text(GOOD)
    return path


def leftovers(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir() if path.name.startswith("."))


def test_writes_a_file(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.mlir"
    assert main([str(source), "-o", str(target)]) == 0
    assert target.read_text() == PRINTED
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE(target.stat().st_mode) == 0o666 & ~mask
    assert leftovers(tmp_path) == []


def test_an_error_leaves_the_old_file(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.mlir"
    target.write_text("old")
    source.write_text(GOOD + "// -----\nnosuch.op\n")
    assert main([str(source), "--split-input-file", "-o", str(target)]) == 1
    assert target.read_text() == "old"


def test_in_place_when_asked_by_the_same_name(source: Path) -> None:
    os.chmod(source, 0o640)
    assert main([str(source), "-o", str(source)]) == 0
    assert source.read_text() == PRINTED
    assert stat.S_IMODE(source.stat().st_mode) == 0o640


@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_not_onto_the_input_by_another_name(source: Path, tmp_path: Path, link, capsys) -> None:
    other = tmp_path / "other.mlir"
    link(source, other)
    assert main([str(source), "-o", str(other)]) == 2
    assert "by another name" in capsys.readouterr().err
    assert source.read_text() == GOOD


def test_symbolic_links_are_followed(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "deep" / "target.mlir"
    target.parent.mkdir()
    target.write_text("old")
    link = tmp_path / "link.mlir"
    link.symlink_to(target)
    assert main([str(source), "-o", str(link)]) == 0
    assert link.is_symlink()
    assert target.read_text() == PRINTED
    assert leftovers(target.parent) == []


def test_devices_are_written_to_directly(source: Path) -> None:
    assert main([str(source), "-o", "/dev/null"]) == 0
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


@pytest.mark.parametrize("where", ["missing/out.mlir", "."])
def test_places_that_cannot_be_written(source: Path, tmp_path: Path, where: str, capsys) -> None:
    assert main([str(source), "-o", str(tmp_path / where)]) == 1
    assert "cannot write" in capsys.readouterr().err
    assert leftovers(tmp_path) == []


def test_a_full_disk_leaves_no_part_of_a_file(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    target = tmp_path / "out.mlir"
    target.write_text("old")

    def no_space(temporary: str, final: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "replace", no_space)
    assert main([str(source), "-o", str(target)]) == 1
    assert "No space left on device" in capsys.readouterr().err
    assert target.read_text() == "old"
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize("name", ["nosuch.mlir", ".", "a\0b"])
def test_inputs_that_cannot_be_read(tmp_path: Path, name: str, capsys) -> None:
    assert main([f"{tmp_path}/{name}"]) == 1
    assert "cannot read" in capsys.readouterr().err


def test_endless_inputs_are_cut_off(capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_INPUT_BYTES", 2**16)
    assert main(["/dev/zero"]) == 3
    assert "more than 65536 bytes" in capsys.readouterr().err
