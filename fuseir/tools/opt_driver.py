"""What fuseir-opt does once its arguments are known: read, split, parse, verify, run passes, print, report.

``OptDriver(arguments).process(...)`` does this for one input held in memory, as often as one likes: the tests' way in.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Generator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import cached_property
from io import StringIO
from pathlib import Path
from typing import IO

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Attribute
from xdsl.targets.mlir import MLIRTarget
from xdsl.utils.arg_spec import ArgSpec, parse_spec
from xdsl.utils.exceptions import ArgSpecParseError, DiagnosticException, ShrinkException
from xdsl.utils.target import Target
from xdsl.xdsl_opt_main import xDSLOptMain

from fuseir.dialects.parsing import one_line, parse_module
from fuseir.dialects.text_guard import decode
from fuseir.dialects.verification import located_error, verify_module
from fuseir.errors import FuseirError, LimitError, ParseError, UnsupportedError, UsageError
from fuseir.passes.remarks import Remark, Remarks
from fuseir.tools import failures
from fuseir.tools.expected_errors import Finding, find_expectations, mismatches
from fuseir.tools.failures import InternalError, exit_code, print_diagnostic
from fuseir.tools.files import check_output_path, read_input, split_chunks, write_output
from fuseir.tools.instrumentation import PassRunner, Printing, print_module
from fuseir.tools.limits import limited, parse_size
from fuseir.tools.opt_arguments import ArgumentParser, add_fuseir_arguments
from fuseir.tools.pipeline import parse_passes, suggestion
from fuseir.tools.remark_output import RemarkRequest, format_remarks, remark_request, with_lines_of
from fuseir.tools.reproducer import read_pipeline, write_reproducer
from fuseir.tools.roundtrip import check_roundtrip
from fuseir.universe import PASSES, TARGET_ALIASES, UPSTREAM_PASSES_WITH_FLAGS, all_passes, all_targets, make_context


class OptDriver(xDSLOptMain):
    """fuseir-opt with its arguments. Takes xdsl-opt's flags from its base class, and little else."""

    def __init__(self, arguments: Sequence[str]) -> None:
        # The base class's constructor does all at once, with errors that end in tracebacks.
        self.available_frontends = {"mlir": lambda io: parse_module(self.ctx, io.read())}
        self.available_passes = all_passes()
        self.available_targets = dict(all_targets())
        pass_flags = [*PASSES, *UPSTREAM_PASSES_WITH_FLAGS]
        parser = ArgumentParser(pass_flags)
        self.register_all_arguments(parser)
        add_fuseir_arguments(parser, pass_flags)
        self.args = parser.parse_args(parser.normalise(arguments))
        self.ctx = make_context(allow_unregistered=self.args.allow_unregistered_dialect)

    def run(self) -> int:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Process the input that the arguments name; returns the exit code."""
        args = self.args
        if args.list_passes:
            print("\n".join(self.available_passes))
            return failures.OK
        if args.show_dialects:
            print("Available Dialects: " + ", ".join(sorted(self.ctx.registered_dialect_names)))
            return failures.OK
        try:
            with limited(parse_size(args.max_memory), args.max_seconds):
                if args.output_file is None:
                    data, name = read_input(args.input_file)
                    return self.process(data, name, sys.stdout, sys.stderr)
                check_output_path(args.output_file, args.input_file)
                data, name = read_input(args.input_file)
                output = StringIO()
                code = self.process(data, name, output, sys.stderr)
                if code == failures.OK:
                    write_output(args.output_file, output.getvalue())
                return code
        except FuseirError as error:
            print_diagnostic(error, sys.stderr)
            return exit_code(error)
        except MemoryError:
            # Reported outside the limit, where there is memory to do so.
            print_diagnostic(LimitError(f"out of memory (--max-memory={args.max_memory})"), sys.stderr)
            return failures.LIMIT_EXCEEDED

    def process(self, data: bytes, name: str, out: IO[str], err: IO[str]) -> int:
        """Process an input held in memory. Returns the exit code; errors are printed, MemoryError is raised."""
        try:
            if self.args.check_legality and self.args.disable_verify:
                raise UsageError("--check-legality needs a program that is verified: drop --disable-verify")
            text = decode(data, name)
            pipelines = [*([read_pipeline(text)] if self.args.run_reproducer else []), *self.args.passes]
            runner = self._runner(pipelines)
            request = self._remark_request
            target = self._target
        except FuseirError as error:
            return self._report(error, out, err)
        said: list[Remark] = []
        code = failures.OK
        with self._attributes_unverified() if self.args.disable_verify else nullcontext():
            try:
                for index, chunk in enumerate(split_chunks(text) if self.args.split_input_file else [text]):
                    if index:
                        out.write("// -----\n")
                    code = max(code, self._process_chunk(chunk, name, index, runner, target, said, out, err))
            except ShrinkException:
                if not self.args.shrink:
                    raise
                out.write("Success, can shrink\n")
                return failures.OK
        if request is not None:
            code = max(code, self._emit_remarks(request, said, err))
        if self.args.timing:
            runner.report(err)
        if self.args.shrink:
            out.write("Failure, can't shrink\n")
            return failures.INPUT_ERROR
        return code

    def _process_chunk(
        self,
        text: str,
        name: str,
        index: int,
        runner: PassRunner,
        target: Target,
        said: list[Remark],
        out: IO[str],
        err: IO[str],
    ) -> int:
        """Process one part of the input; the remarks wanted are added to ``said``."""
        request = self._remark_request
        runner.remarks = None if request is None else Remarks()
        errors: list[FuseirError] = []
        try:
            out.write(self._transform(text, name, index, runner, target, out, err))
        except FuseirError as error:
            errors.append(error)
        except (ShrinkException, MemoryError, BrokenPipeError):
            raise
        except Exception as error:
            # Nothing known gets here; whatever does is ours to mend.
            errors.append(self._internal_error(error, text, runner))
        finally:
            out.flush()
        lines = text.split("\n")
        wanted = [
            with_lines_of(remark, name, lines) for remark in runner.remarks or () if request and request.wants(remark)
        ]
        said += wanted
        if self.args.expected_diagnostics:
            findings = [Finding("error", error.location, error.message) for error in errors]
            findings += [Finding("remark", remark.location, remark.headline()) for remark in wanted]
            return self._compare(text, name, findings, err)
        return max((self._report(error, out, err) for error in errors), default=failures.OK)

    def _transform(
        self, text: str, name: str, index: int, runner: PassRunner, target: Target, out: IO[str], err: IO[str]
    ) -> str:
        """Input text to output text."""
        module = parse_module(self.ctx, text, name, allow_implicit_module=not self.args.no_implicit_module)
        if not self.args.disable_verify:
            verify_module(module, text)
        if self.args.check_legality:
            from fuseir.checking import LegalityCheck  # loads NumPy, which most runs do not need

            # Fused tasks that are there already are held against their members, launched one after the other.
            runner.legality = LegalityCheck(module, text)
            runner.legality.check(module)
        if self.args.verify_roundtrip:
            check_roundtrip(self.ctx, module)
        try:
            runner.run(self.ctx, module, index, out, err)
        except FuseirError as error:
            if self.args.pass_pipeline_crash_reproducer or isinstance(error, InternalError):
                self._add_reproducer(error, text, runner)
            raise
        output = StringIO()
        try:
            target.emit(self.ctx, module, output)
        except DiagnosticException as error:
            raise UnsupportedError(f"target '{target.name}': {one_line(error)}") from error
        except Exception:
            if not runner.passes:
                # Some of xDSL's operations verify with attributes that they cannot print.
                _blame_unprintable(module, text)
            raise
        return output.getvalue()

    def _runner(self, pipelines: Sequence[str]) -> PassRunner:
        args = self.args
        printing = Printing(
            before=frozenset(args.print_ir_before),
            after=frozenset(args.print_ir_after),
            before_all=args.print_ir_before_all,
            after_all=args.print_ir_after_all,
            only_changes=args.print_ir_after_change,
            after_failure=args.print_ir_after_failure,
            tree_directory=Path(args.print_ir_tree_dir) if args.print_ir_tree_dir else None,
            between_passes=args.print_between_passes,
            generic=args.print_op_generic,
            debuginfo=args.print_debuginfo,
        )
        for name in sorted(printing.before | printing.after):
            if name not in self.available_passes:
                raise UsageError(f"--print-ir: unknown pass '{name}'{suggestion(name, list(self.available_passes))}")
        return PassRunner(
            passes=[entry for pipeline in pipelines for entry in parse_passes(pipeline, self.available_passes)],
            printing=printing,
            verify_each=args.verify_each and not args.disable_verify,
            verify_result=not args.disable_verify,
            time_passes=args.time_passes,
        )

    @cached_property
    def _target(self) -> Target:
        text: str = self.args.target
        try:
            spec = parse_spec(text)
        except ArgSpecParseError:
            raise UsageError(f"malformed --target '{one_line(text)}'") from None
        if spec.name not in self.available_targets:
            message = f"unknown target '{spec.name}'{suggestion(spec.name, list(self.available_targets))}"
            raise UsageError(f"{message} (there are {', '.join(self.available_targets)})")
        target_type = all_targets()[spec.name]()
        try:
            target = target_type.from_spec(ArgSpec(TARGET_ALIASES.get(spec.name, spec.name), spec.parameters))
        except Exception as error:
            raise UsageError(f"--target '{one_line(text)}': {one_line(error)}") from error
        if isinstance(target, MLIRTarget):
            target = replace(
                target,
                print_generic_format=self.args.print_op_generic,
                print_properties_as_attributes=self.args.print_no_properties,
                print_debuginfo=self.args.print_debuginfo,
                syntax_highlight=self.args.syntax_highlight,
            )
        return target

    def _report(self, error: FuseirError, out: IO[str], err: IO[str]) -> int:
        """Print an error where the flags want it and return the exit code it leads to."""
        if isinstance(error, ParseError | LimitError):
            wanted = self.args.parsing_diagnostics
        else:
            wanted = self.args.verify_diagnostics and not isinstance(error, UsageError)
        print_diagnostic(error, out if wanted else err)
        if failures.full_tracebacks() and isinstance(error, InternalError):
            traceback.print_exception(error, file=err)
        return failures.OK if wanted else exit_code(error)

    def _emit_remarks(self, request: RemarkRequest, said: Sequence[Remark], err: IO[str]) -> int:
        """Write remarks where the flags want them. Returns the exit code."""
        if request.output_file is None:
            if not self.args.expected_diagnostics:
                err.write(format_remarks(said, request.format))
            return failures.OK
        try:
            for other in (self.args.input_file, self.args.output_file):
                if other is not None and os.path.realpath(other) == os.path.realpath(request.output_file):
                    raise UsageError(f"--remarks-output-file would replace '{other}'")
            write_output(request.output_file, format_remarks(said, request.format))
        except FuseirError as error:
            print_diagnostic(error, err)
            return exit_code(error)
        return failures.OK

    @cached_property
    def _remark_request(self) -> RemarkRequest | None:
        return remark_request(self.args)

    def _compare(self, text: str, name: str, findings: Sequence[Finding], err: IO[str]) -> int:
        try:
            expectations = find_expectations(text, name)
            if self._remark_request is None:
                expectations = [expected for expected in expectations if expected.kind != "remark"]
            complaints = mismatches(expectations, findings, name)
        except FuseirError as error:
            print_diagnostic(error, err)
            return exit_code(error)
        for complaint in complaints:
            print(complaint, file=err)
        return failures.INPUT_ERROR if complaints else failures.OK

    def _internal_error(self, error: Exception, text: str, runner: PassRunner) -> InternalError:
        internal = InternalError(f"internal error: {type(error).__name__}: {one_line(error)}")
        internal.__cause__ = error
        self._add_reproducer(internal, text, runner)
        return internal

    def _add_reproducer(self, error: FuseirError, text: str, runner: PassRunner) -> None:
        pipeline = ",".join(str(entry) for entry in runner.passes)
        place = write_reproducer(self.args.pass_pipeline_crash_reproducer, text, pipeline)
        error.notes = (*error.notes, f"reproducer: {place}")

    @contextmanager
    def _attributes_unverified(self) -> Generator[None, None, None]:
        """What --disable-verify means in xdsl-opt: attributes are not checked as they are made, for this long only."""
        original = Attribute.__post_init__
        Attribute.__post_init__ = _accept
        try:
            yield
        finally:
            Attribute.__post_init__ = original


def _blame_unprintable(module: ModuleOp, text: str) -> None:
    """Raise VerifyError about the innermost operation that cannot be printed, if there is one."""
    for op in module.walk(region_first=True):
        try:
            print_module(op)
        except (FuseirError, MemoryError):
            raise
        except Exception as error:
            raise located_error(op, f"cannot be printed ({type(error).__name__}: {one_line(error)})", text) from error


def _accept(self: Attribute) -> None:
    """Stands in for an attribute's verification."""
