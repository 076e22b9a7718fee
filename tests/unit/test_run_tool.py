"""fuseir-run: every way it can fail ends in one line and an exit code, and leaves no files behind."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fuseir.errors import UsageError
from fuseir.tools import run, run_driver
from fuseir.tools.array_files import formatted, write_arrays
from fuseir.tools.compare import difference
from fuseir.tools.run_arguments import parse_arguments

PROGRAM = """
#t = #dist.tiling<[3]>
func.func @axpy(%x: tensor<?xf64>, %z: tensor<?xf64>, %a: f64) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]}
    ins(%x : tensor<?xf64>) outs(%z : tensor<?xf64>) {
  ^bb0(%xe: f64, %ze: f64):
    %0 = arith.mulf %a, %xe : f64
    linalg.yield %0 : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
%x = dist.store "x" : !dist.store<8xf64>
%z = dist.store "z" : !dist.store<8xf64>
%unused = dist.store "unused" : !dist.store<2x2xi1>
%a = dist.scalar "a" = 2.0 : f64
dist.launch @axpy<[3]>(%x: read #t, %z: write #t) scalars(%a) : (!dist.store<8xf64>, !dist.store<8xf64>, f64)
"""


@pytest.fixture
def tool(tmp_path, monkeypatch, capsys):
    """Runs the tool in a directory with prog.mlir and x.npy; returns (exit code, stdout, stderr)."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    Path("prog.mlir").write_text(PROGRAM)
    np.save("x.npy", np.arange(8.0))

    def call(*arguments):
        try:
            code = run.main([str(a) for a in arguments])
        except SystemExit as error:
            code = error.code
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        assert not [name for name in os.listdir(".") if name.endswith(".tmp")]
        return code, out, err

    return call


def error_of(result, code):
    """The message of a run that must have failed with one line (or one line and its place)."""
    assert result[0] == code, result
    assert result[1] == ""
    lines = result[2].splitlines()
    assert len([line for line in lines if "error:" in line]) == 1
    assert len(lines) <= 3
    return lines[0]


@pytest.mark.parametrize("backend", ["ref", "cpu"])
def test_files_in_files_out(tool, backend):
    code, out, err = tool("prog.mlir", "--in", "x=x.npy", "--out", "z=z.npy", "--scalar", "a=0.5", "--backend", backend)
    assert (code, out, err) == (0, "", "")
    np.testing.assert_array_equal(np.load("z.npy"), np.arange(8.0) / 2)


def test_prints_in_the_order_asked(tool):
    code, out, _ = tool("prog.mlir", "--in", "x=x.npy", "--print", "z", "--print", "x", "--backend", "ref")
    assert code == 0
    assert out == "z = [0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 14.0]\nx = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]\n"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("3", 3.0),
        ("-0.5", -0.5),
        ("0x10", 16.0),
        ("0x1.8p1", 3.0),
        ("-0x10", -16.0),
        ("1e3", 1000.0),
        ("inf", np.inf),
        ("1e999", np.inf),
    ],
)
def test_scalars(tool, value, expected):
    assert tool("prog.mlir", "--in", "x=ones", "--scalar", f"a={value}", "--out", "z=z.npy", "--backend", "ref")[0] == 0
    np.testing.assert_array_equal(np.load("z.npy"), np.full(8, expected))


def test_compare(tool):
    code, out, err = tool("prog.mlir", "--in", "x=random:7", "--compare", "--ulp", "0", "--threads", "2", "--no-fuse")
    assert (code, out, err) == (0, "x: equal\nz: equal\n", "")


def test_compare_reports_differences(tool, monkeypatch):
    run_backend = run_driver._run

    def wrong(*arguments):
        results = run_backend(*arguments)
        results["z"][3] = np.nextafter(results["z"][3], 100)
        return results

    monkeypatch.setattr(run_driver, "_run", wrong)
    common = ("prog.mlir", "--in", "x=x.npy", "--compare", "--out", "z=z.npy")
    code, out, _ = tool(*common, "--ulp", "1")
    assert code == 0
    assert "z: 1 of 8 elements differ, by 1 ulp at most; first at [3]: 6.0 and 6.000000000000001\n" in out
    os.unlink("z.npy")
    code, _, err = tool(*common, "--ulp", "0")
    assert code == 1
    assert err == "error: the backends differ by more than 0 ulp [FIR-E014]\n"
    assert not os.path.exists("z.npy")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 2, "the following arguments are required: PROGRAM"),
        (["prog.mlir", "--nonsense"], 2, "unrecognized arguments: --nonsense"),
        (["prog.mlir", "--backend", "gpu"], 2, "invalid choice: 'gpu'"),
        (["prog.mlir", "--threads", "0"], 2, "0 is not between 1 and 4096"),
        (["prog.mlir", "--procs", "x"], 2, "'x' is no number"),
        (["prog.mlir", "--max-seconds", "nan"], 2, "'nan' is no number of seconds"),
        (["prog.mlir", "--max-memory", "lots"], 2, "not a size: 'lots'"),
        (["prog.mlir", "--compare", "--backend", "ref"], 2, "choose one with --backend"),
        (
            ["prog.mlir"],
            2,
            "store 'x' (!dist.store<8xf64>) is used before it is written: give it contents with --in x=SOURCE",
        ),
        (["prog.mlir", "--in", "x"], 2, "--in takes NAME=SOURCE, got 'x'"),
        (["prog.mlir", "--in", "=x.npy"], 2, "--in takes NAME=SOURCE, got '=x.npy'"),
        (["prog.mlir", "--in", "x=ones", "--in", "x=zeros"], 2, "--in is given twice for 'x'"),
        (
            ["prog.mlir", "--in", "x=ones", "--in", "q=ones"],
            2,
            "--in: the program has no store 'q'; its stores are x, z, unused",
        ),
        (["prog.mlir", "--in", "x=ones", "--out", "q=q.npy"], 2, "--out: the program has no store 'q'"),
        (["prog.mlir", "--in", "x=ones", "--print", "q"], 2, "--print: the program has no store 'q'"),
        (
            ["prog.mlir", "--in", "x=ones", "--scalar", "q=1"],
            2,
            "--scalar: the program has no scalar 'q'; its scalars are a",
        ),
        (["prog.mlir", "--in", "x=ones", "--scalar", "a=one"], 2, "scalar 'a': 'one' is no number"),
        (
            ["prog.mlir", "--in", "x=ones", "--print", "unused"],
            2,
            "store 'unused' (!dist.store<2x2xi1>) is used before",
        ),
        (["prog.mlir", "--in", "x=ones", "--out", "z=o.npy", "--out", "z=p.npy"], 2, "--out is given twice for 'z'"),
        (
            ["prog.mlir", "--in", "x=ones", "--out", "z=o.npy", "--out", "x=./o.npy"],
            2,
            "are to be written to the same file",
        ),
        (
            ["prog.mlir", "--in", "x=ones", "--out", "z=no/o.npy"],
            1,
            "cannot write 'no/o.npy': there is no directory 'no'",
        ),
        (["prog.mlir", "--in", "x=ones", "--out", "z=."], 1, "cannot write '.': it is a directory"),
        (
            ["prog.mlir", "--in", "x=missing.npy"],
            1,
            "cannot read 'missing.npy' for store 'x': No such file or directory",
        ),
        (["prog.mlir", "--in", "x=."], 1, "cannot read '.' for store 'x': Is a directory"),
        (["prog.mlir", "--in", "x=prog.mlir"], 1, "'prog.mlir' is no .npy file"),
        (["prog.mlir", "--in", "x=full"], 2, "'full' takes 1 arguments, 'full' has 0"),
        (["prog.mlir", "--in", "x=random:1:2"], 2, "'random' takes 0 or 1 arguments"),
        (["prog.mlir", "--in", "x=random:-1"], 2, "'-1' is no seed"),
        (["prog.mlir", "--in", "x=full:many"], 2, "'many' is no float64"),
        (["prog.mlir", "--in", "x=ones", "--in", "unused=full:2"], 2, "'2' is no bool"),
        (
            ["prog.mlir", "--in", "x=ones", "--in", "unused=linspace:0:1"],
            1,
            "store 'unused' has elements of bool; linspace makes floats",
        ),
        (["none.mlir"], 1, "cannot read 'none.mlir': No such file or directory"),
    ],
)
def test_errors(tool, arguments, code, message):
    extra = [] if "--backend" in arguments or "--compare" in arguments else ["--backend", "ref"]
    before = set(os.listdir("."))
    assert message in error_of(tool(*arguments, *extra), code)
    assert set(os.listdir(".")) == before


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros(7), "store 'x' has shape [8], the array given has [7]"),
        (np.zeros((8, 1)), "store 'x' has shape [8], the array given has [8, 1]"),
        (np.zeros(8, np.float32), "store 'x' has elements of float64, the array given has float32"),
        (np.zeros(8, np.int64), "store 'x' has elements of float64, the array given has int64"),
        (np.zeros(8, object), "the array given has object"),
        (np.zeros(8, "f8,i4"), "store 'x' has elements of float64, the array given has"),
        (np.zeros(8, complex), "the array given has complex128"),
    ],
)
def test_arrays_that_do_not_fit(tool, array, message):
    np.save("bad.npy", array, allow_pickle=True)
    assert message in error_of(tool("prog.mlir", "--in", "x=bad.npy"), 1)


def npy(array):
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


GOOD = npy(np.arange(8.0))


def with_header(text):
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(text)) + text + b"\0" * 64


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is no .npy file"),
        (GOOD[:5], "is no .npy file"),
        (GOOD[:9], "has a malformed .npy header"),
        (GOOD[:40], "has a malformed .npy header"),
        (GOOD[:-1], "is cut short: 63 of 64 bytes of data"),
        (GOOD[:-64], "is cut short: 0 of 64 bytes of data"),
        (GOOD + b"x", "holds more than one array, or garbage after it"),
        (b"\x93NUMPY\3\0" + GOOD[8:], "is a .npy file of version 3.0"),
        (b"\x93NUMPY\xff\xff" + GOOD[8:], "is a .npy file of version 255.255"),
        (b"\x93NUMPY\2\0\xff\xff\xff\xff{", "has a malformed .npy header"),
        (b"PK\3\4" + GOOD, "is no .npy file"),
        (with_header(b"__import__('os')"), "has a malformed .npy header"),
        (with_header(b"{'descr': '<f8', 'fortran_order': False, 'shape': (-8,)}"), "the array given has [-8]"),
        (with_header(b"{'descr': '<f8', 'fortran_order': False, 'shape': (10**9,)}"), "has a malformed .npy header"),
        (
            with_header(b"{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999999,)}"),
            "the array given has [99999999999999999]",
        ),
        (with_header(b"{'descr': '?', 'fortran_order': 3, 'shape': 5}"), "has a malformed .npy header"),
        (with_header(b"{'descr': 'nonsense', 'fortran_order': False, 'shape': (8,)}"), "has a malformed .npy header"),
        (with_header(b"(" * 5000), "has a malformed .npy header"),
        (with_header(b"\0" * 100), "has a malformed .npy header"),
    ],
)
def test_corrupt_files(tool, data, message):
    Path("bad.npy").write_bytes(data)
    assert message in error_of(tool("prog.mlir", "--in", "x=bad.npy"), 1)


def test_any_single_byte_flipped_is_read_or_refused(tool):
    for position in range(0, len(GOOD) - 64, 3):
        data = bytearray(GOOD)
        data[position] ^= 0x11
        Path("bad.npy").write_bytes(data)
        code, _, err = tool("prog.mlir", "--in", "x=bad.npy", "--backend", "ref")
        assert code in (0, 1), (position, err)


@pytest.mark.parametrize("array", [np.arange(8.0).astype(">f8"), np.asfortranarray(np.arange(8.0))])
def test_byte_orders_and_layouts(tool, array):
    np.save("other.npy", array)
    assert (
        tool("prog.mlir", "--in", "x=other.npy", "--print", "x", "--backend", "ref")[1]
        == "x = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]\n"
    )


def test_fortran_order(tool):
    Path("two.mlir").write_text('%x = dist.store "x" : !dist.store<2x3xi16>')
    np.save("f.npy", np.asfortranarray(np.arange(6, dtype=np.int16).reshape(2, 3)))
    assert tool("two.mlir", "--in", "x=f.npy", "--print", "x")[1] == "x = [[0, 1, 2], [3, 4, 5]]\n"


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("%x = dist.store", 1, "bad.mlir:1:16: error:"),
        ('%x = dist.store "x" : !dist.store<f64>\n%y = dist.store "x" : !dist.store<f64>', 1, 'bad.mlir:2:1: error:'),
        ("func.func private @f(tensor<f64>)\n%x = dist.store \"x\" : !dist.store<f64>\n"
         "dist.launch @f<[1]>(%x: read #dist.none) : (!dist.store<f64>)", 1, "bad.mlir:3:1: error: task '@f' has no body"),
        ("func.func @f(%x: memref<f64, strided<[], offset: ?>>) { func.return }\n%x = dist.store \"x\" : !dist.store<f64>\n"
         "dist.launch @f<[1]>(%x: read #dist.none) : (!dist.store<f64>)", 1, "bad.mlir:3:1: error: task '@f' is lowered already"),
        ('%x = dist.store "x" : !dist.store<2000000000000000000xf64>', 3,
         "bad.mlir:1:1: error: a store of type !dist.store<2000000000000000000xf64> has more bytes than machines can address"),
        ('%a = dist.scalar "a" : f64', 2, "scalar 'a' has no default and no value is given"),
    ],
)  # fmt: skip
def test_programs_at_fault(tool, text, code, message):
    Path("bad.mlir").write_text(text)
    assert message in error_of(tool("bad.mlir", "--backend", "ref"), code)


def test_a_failing_run_leaves_old_outputs_alone(tool):
    Path("z.npy").write_bytes(b"precious")
    tool("prog.mlir", "--in", "x=missing.npy", "--out", "z=z.npy")
    assert Path("z.npy").read_bytes() == b"precious"


def test_all_outputs_or_none(tool, monkeypatch):
    Path("sealed").mkdir()
    real_open = open

    def no_second(path, mode="r", *arguments, **keywords):
        if "sealed" in str(path) and "x" in mode:
            raise PermissionError(13, "Permission denied", str(path))
        return real_open(path, mode, *arguments, **keywords)

    monkeypatch.setattr("fuseir.tools.array_files.open", no_second, raising=False)
    result = tool("prog.mlir", "--in", "x=ones", "--out", "z=z.npy", "--out", "x=sealed/x.npy", "--backend", "ref")
    assert error_of(result, 1).startswith("error: cannot write 'sealed/x.npy': Permission denied")
    assert not os.path.exists("z.npy")
    assert os.listdir("sealed") == []


def test_outputs_keep_modes_follow_links_and_may_be_inputs(tool):
    os.chmod("x.npy", 0o640)
    os.symlink("x.npy", "link.npy")
    assert tool("prog.mlir", "--in", "x=x.npy", "--out", "z=link.npy", "--backend", "ref")[0] == 0
    assert os.path.islink("link.npy")
    assert os.stat("x.npy").st_mode & 0o777 == 0o640
    np.testing.assert_array_equal(np.load("x.npy"), np.arange(8.0) * 2)
    assert tool("prog.mlir", "--in", "x=x.npy", "--out", "z=/dev/null", "--backend", "ref")[0] == 0
    # Two names of one file, one of them a link.
    assert "same file" in error_of(tool("prog.mlir", "--in", "x=x.npy", "--out", "z=link.npy", "--out", "x=x.npy"), 2)


def test_internal_errors_are_one_line(tool, monkeypatch):
    def broken(*arguments):
        raise RuntimeError("something\nbroke")

    monkeypatch.setattr(run_driver, "_run", broken)
    assert error_of(tool("prog.mlir", "--in", "x=ones"), 70) == "error: RuntimeError: something broke [FIR-E070]"

    def hungry(*arguments):
        raise MemoryError

    monkeypatch.setattr(run_driver, "_run", hungry)
    assert error_of(tool("prog.mlir", "--in", "x=ones"), 3) == "error: out of memory [FIR-E003]"


def test_limits(tool):
    slow = PROGRAM.replace("<[3]>", "<[30000000]>")
    Path("slow.mlir").write_text(slow)
    result = tool("slow.mlir", "--in", "x=ones", "--backend", "ref", "--max-seconds", "0.2")
    assert "gave up after 0.2 seconds" in error_of(result, 3)


def test_standard_input_and_console_script():
    command = [
        os.path.join(os.path.dirname(sys.executable), "fuseir-run"),
        "-",
        "--in",
        "x=arange",
        "--print",
        "z",
        "--backend",
        "ref",
    ]
    done = subprocess.run(command, input=PROGRAM.encode(), capture_output=True, check=True)
    assert done.stdout == b"z = [0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 14.0]\n"
    assert done.stderr == b""
    done = subprocess.run([command[0], "--version"], capture_output=True, check=True)
    assert done.stdout.startswith(b"fuseir-run ")


# Generators and parts.


@pytest.mark.parametrize(
    ("source", "element", "expected"),
    [
        ("zeros", "f32", "[[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]"),
        ("ones", "i1", "[[true, true, true], [true, true, true]]"),
        ("arange", "ui8", "[[0, 1, 2], [3, 4, 5]]"),
        ("arange", "i1", "[[false, true, false], [true, false, true]]"),
        ("full:-0.1", "f32", "[[-0.1, -0.1, -0.1], [-0.1, -0.1, -0.1]]"),
        ("full:18446744073709551615", "ui64", "[[18446744073709551615, 18446744073709551615, 18446744073709551615], "
         "[18446744073709551615, 18446744073709551615, 18446744073709551615]]"),
        ("full:nan", "f64", "[[nan, nan, nan], [nan, nan, nan]]"),
        ("linspace:1:0", "f64", "[[1.0, 0.8, 0.6], [0.3999999999999999, 0.19999999999999996, 0.0]]"),
    ],
)  # fmt: skip
def test_generators(tool, source, element, expected):
    Path("g.mlir").write_text(f'%x = dist.store "x" : !dist.store<2x3x{element}>')
    assert tool("g.mlir", "--in", f"x={source}", "--print", "x", "--backend", "ref") == (0, f"x = {expected}\n", "")


@pytest.mark.parametrize("element", ["f64", "f32", "i8", "ui64", "i1"])
def test_random(tool, element):
    Path("g.mlir").write_text(
        f'%x = dist.store "x" : !dist.store<100x{element}>\n%y = dist.store "y" : !dist.store<100x{element}>'
    )
    prints = ("--print", "x", "--print", "y", "--backend", "ref")
    _, first, _ = tool("g.mlir", "--in", "x=random", "--in", "y=random", *prints)
    assert tool("g.mlir", "--in", "x=random", "--in", "y=random", *prints)[1] == first
    assert tool("g.mlir", "--in", "x=random", "--in", "y=random", "--seed", "1", *prints)[1] != first
    x, y = first.splitlines()
    assert x[1:] != y[1:]
    x, y = tool("g.mlir", "--in", "x=random:5", "--in", "y=random:5", *prints)[1].splitlines()
    assert x[1:] == y[1:]


def test_formatted():
    assert formatted(np.array(-0.0)) == "-0.0"
    assert formatted(np.array([], np.float32)) == "[]"
    assert formatted(np.array([0.1, 1e-45, -np.nan], np.float32)) == "[0.1, 1e-45, nan]"


@pytest.mark.parametrize(
    ("a", "b", "elements", "ulp"),
    [
        ([1.0, np.nan], [1.0, -np.nan], 0, 0),
        ([0.0], [-0.0], 1, 1),
        ([1.0, 2.0], [np.nextafter(1.0, 2), np.nextafter(np.nextafter(2.0, 3), 3)], 2, 2),
        ([5e-324], [-5e-324], 1, 3),
        ([np.finfo(float).max], [-np.finfo(float).max], 1, 2 * 0x7FEFFFFFFFFFFFFF + 1),
        ([np.nan], [1.0], 1, None),
    ],
)
def test_ulp_differences(a, b, elements, ulp):
    for x, y in ((a, b), (b, a)):
        found = difference(np.array(x), np.array(y))
        assert (found.elements, found.ulp) == (elements, ulp)


def test_differences_of_other_types():
    assert difference(np.float32([1]), np.nextafter(np.float32([1]), np.float32(2))).ulp == 1
    found = difference(np.array([[1, 2], [3, 4]]), np.array([[1, 2], [5, 4]]))
    assert (found.elements, found.ulp, found.first, found.within(10**9)) == (1, None, (1, 0), False)
    assert difference(np.array(True), np.array(False)).first == ()
    assert difference(np.empty(0), np.empty(0)).within(0)


def test_write_arrays_writes_what_numpy_reads(tmp_path):
    arrays = {"a": np.arange(6).reshape(2, 3).T, "b": np.array(True), "c": np.empty((0, 3), np.float32)}
    paths = {name: str(tmp_path / f"{name}.npy") for name in arrays}
    write_arrays(arrays, paths)
    for name, path in paths.items():
        np.testing.assert_array_equal(np.load(path), arrays[name], strict=True)


def test_threads_and_procs_are_one_option():
    assert parse_arguments(["p", "--procs", "3"]).threads == parse_arguments(["p", "--threads", "3"]).threads == 3
    with pytest.raises(UsageError):
        parse_arguments(["p", "--out", "x"])
