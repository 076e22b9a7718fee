"""fuseir-opt's command line: spellings, exit codes, limits, failures of passes."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, StringAttr
from xdsl.passes import ModulePass
from xdsl.utils.exceptions import PassFailedException

from fuseir.tools.limits import parse_size
from fuseir.tools.opt import main
from fuseir.tools.opt_driver import OptDriver

GOOD = b"func.func @f(%a: f64) -> f64 {\n  %0 = arith.addf %a, %a : f64\n  func.return %0 : f64\n}\n"


def process(arguments: list[str], data: bytes = GOOD) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    code = OptDriver(arguments).process(data, "f.mlir", out, err)
    return code, out.getvalue(), err.getvalue()


def command(*arguments: str, data: bytes = GOOD, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "fuseir.tools.opt", *arguments],
        input=data,
        capture_output=True,
        env={**os.environ, "NO_COLOR": "1", **environment},
        timeout=60,
        check=False,
    )


class BreakingPass(ModulePass):
    """Fails as its option says."""

    name = "breaking"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        raise KeyError("a bug")


class RefusingPass(ModulePass):
    name = "refusing"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        raise PassFailedException("cannot do that")


class CorruptingPass(ModulePass):
    name = "corrupting"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        next(o for o in op.walk() if o.name == "func.func").properties["sym_name"] = StringAttr("f")
        first = next(o for o in op.walk() if o.name == "arith.addf")
        first.operands[0] = first.results[0]


def with_passes(arguments: list[str], *extra: type[ModulePass]) -> OptDriver:
    driver = OptDriver(arguments)
    for pass_type in extra:
        driver.register_pass(pass_type.name, lambda pass_type=pass_type: pass_type)
    return driver


def run_with(arguments: list[str], *extra: type[ModulePass]) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    code = with_passes(arguments, *extra).process(GOOD, "f.mlir", out, err)
    return code, out.getvalue(), err.getvalue()


@pytest.mark.parametrize(
    "arguments",
    [
        ["-p", "cse,canonicalize"],
        ["-p", "cse", "-p", "canonicalize"],
        ["-pcse", "--passes=canonicalize"],
        ["--pass-pipeline=builtin.module(cse,canonicalize)"],
        ["-pass-pipeline=builtin.module( cse,canonicalize )"],
        ["--pass-pipeline", "cse", "--canonicalize"],
        ["--cse", "--canonicalize"],
        ["-cse", "-mlir-print-op-generic", "-canonicalize"],
        ["-p", "cse", "--canonicalize", "-split-input-file"],
    ],
)
def test_passes_run_in_the_order_given(arguments: list[str]) -> None:
    code, _, err = process([*arguments, "--timing"])
    assert code == 0
    assert err.index("cse") < err.index("canonicalize")


def test_a_pass_flag_takes_options() -> None:
    code, _, err = process(["--canonicalize=depth=3"])
    assert code == 2
    assert "canonicalize{depth=3}" in err
    assert "has no option 'depth'" in err


@pytest.mark.parametrize(
    "arguments",
    [
        ["--nosuch"],
        ["--verify-each=maybe"],
        ["--verify-diagnostics=some"],
        ["--max-seconds=-1"],
        ["-f", "json"],
        ["-o"],
    ],
)
def test_wrong_arguments_exit_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        OptDriver(arguments)
    assert caught.value.code == 2
    assert capsys.readouterr().err.startswith("fuseir-opt: error: ")


def test_sizes() -> None:
    assert parse_size("4GiB") == 2**32
    assert parse_size("512 M") == 2**29
    assert parse_size("0") == 0


def test_an_exception_in_a_pass_is_an_internal_error(tmp_path: Path) -> None:
    place = tmp_path / "repro.mlir"
    code, out, err = run_with(["-p", "cse,breaking", f"--pass-pipeline-crash-reproducer={place}"], BreakingPass)
    assert (code, out) == (70, "")
    assert err == f"error: pass 'breaking' failed: KeyError: 'a bug' [FIR-E070]\nnote: reproducer: {place}\n"
    assert place.read_bytes() == b"// fuseir-opt reproducer, passes: cse,breaking\n" + GOOD
    again = with_passes(["--run-reproducer"], BreakingPass)
    assert again.process(place.read_bytes(), "r.mlir", io.StringIO(), io.StringIO()) == 70


def test_tracebacks_are_shown_on_request_only(monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = ["-p", "breaking", "--pass-pipeline-crash-reproducer=/dev/null"]
    assert "Traceback" not in run_with(arguments, BreakingPass)[2]
    monkeypatch.setenv("FUSEIR_FULL_TRACEBACKS", "1")
    assert "Traceback" in run_with(arguments, BreakingPass)[2]


def test_a_pass_that_refuses_is_an_input_error() -> None:
    code, out, err = run_with(["-p", "refusing"], RefusingPass)
    assert (code, out) == (1, "")
    assert "pass 'refusing' failed: cannot do that" in err
    code, out, err = run_with(["-p", "refusing", "--verify-diagnostics"], RefusingPass)
    assert (code, err) == (0, "")
    assert "cannot do that" in out


def test_verification_after_each_pass() -> None:
    common = ["-p", "corrupting,cse", "--pass-pipeline-crash-reproducer=/dev/null"]
    code, _, err = run_with(common, CorruptingPass)
    assert code == 70
    assert err.startswith("f.mlir:2:3: error: pass 'corrupting' left a module that does not verify: 'arith.addf' uses")
    code, _, err = run_with([*common, "--no-verify-each"], CorruptingPass)
    assert code == 70
    assert "pass 'cse' left" in err
    assert run_with([*common, "--verify-each=false", "--disable-verify"], CorruptingPass)[0] == 0
    code, _, err = run_with([*common, "--print-ir-after-failure"], CorruptingPass)
    assert "// -----// IR Dump After corrupting Failed //----- //" in err


def test_disable_verify_lasts_for_the_run_only() -> None:
    wrong = b"%0 = arith.constant 300 : i8\n"
    assert process(["--disable-verify"], wrong)[0] == 0
    assert process([], wrong)[0] == 1


def test_the_command() -> None:
    done = command("-", "--cse")
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"arith.addf" in done.stdout
    done = command(data=b"\n  nosuch.op\n")
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr == b"<stdin>:2:3: error: unknown operation 'nosuch.op' [FIR-E001]\n    nosuch.op\n    ^\n"


def test_limits_of_time_and_memory() -> None:
    many = b'"test.op"() : () -> ()\n' * 200_000
    done = command("--max-seconds=0.5", data=many)
    assert (done.returncode, done.stderr) == (3, b"error: gave up after 0.5 seconds (--max-seconds) [FIR-E003]\n")
    long_comment = b"//" + b"x" * 60_000_000
    done = command("--max-memory=100MiB", data=long_comment)
    assert (done.returncode, done.stderr) == (3, b"error: out of memory (--max-memory=100MiB) [FIR-E003]\n")


def test_output_to_a_closed_pipe_is_no_error() -> None:
    line = f"{sys.executable} -m fuseir.tools.opt -p cse | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", line], input=GOOD, capture_output=True, timeout=60, check=False)
    assert done.stderr == b""


def test_the_locale_does_not_matter() -> None:
    data = '"test.op"() {größer} : () -> ()\n'.encode()
    done = command(data=data, LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    assert done.returncode == 1
    assert "größer".encode() in done.stderr


def test_names_outside_ascii_survive() -> None:
    code, printed, _ = process(["--verify-roundtrip"], '%x = dist.store "größe" : !dist.store<4xf64>\n'.encode())
    assert code == 0
    assert process([], printed.encode())[:2] == (0, printed)


def test_version_does_not_load_xdsl(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("fuseir-opt ")
    code = "import sys; from fuseir.tools.opt import main; main(['--version']); sys.exit('xdsl' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0
