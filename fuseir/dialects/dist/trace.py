"""Traces: fragments of a program that stand in it once and are replayed, each time on stores and scalars of its own."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.builtin import FlatSymbolRefAttrConstr, ModuleOp, StringAttr, SymbolNameConstraint, SymbolRefAttr
from xdsl.ir import Attribute, BlockArgument, Region, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    irdl_op_definition,
    prop_def,
    region_def,
    traits_def,
    var_operand_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import IsolatedFromAbove, NoTerminator, SymbolOpInterface
from xdsl.utils.exceptions import VerifyException

from fuseir.dialects.dist.attributes import StoreType, is_element_type, kernel_element_type
from fuseir.dialects.dist.launch import LaunchOp
from fuseir.dialects.dist.ops import (
    TRACE,
    FenceOp,
    ReleaseOp,
    ScalarOp,
    StoreOp,
    SwapOp,
    ViewOp,
    parse_attributes,
    require_top_level,
)
from fuseir.dialects.verification import location_of
from fuseir.errors import UnsupportedError


@irdl_op_definition
class TraceOp(IRDLOperation):
    """A fragment of a program, as a function of its stores and scalars. Does nothing where it stands.

    ``dist.trace @step(%x: !dist.store<8xf64>, %a: f64) { … dist.launch … }``

    The parameters stand for different stores.
    """

    name = TRACE

    sym_name = prop_def(SymbolNameConstraint())
    body = region_def("single_block")

    traits = traits_def(IsolatedFromAbove(), SymbolOpInterface(), NoTerminator())

    def __init__(self, name: str, body: Region) -> None:
        super().__init__(properties={"sym_name": StringAttr(name)}, regions=[body])

    @property
    def parameters(self) -> Sequence[BlockArgument]:
        """What stands for the stores and scalars of a replay."""
        return self.body.block.args

    @property
    def launches(self) -> tuple[LaunchOp, ...]:
        """The launches, in program order."""
        return tuple(op for op in self.body.block.ops if isinstance(op, LaunchOp))

    def verify_(self) -> None:
        """At the top level; takes stores and scalars; holds launches, views, releases, swaps and fences."""
        require_top_level(self)
        for k, parameter in enumerate(self.parameters):
            if not isinstance(parameter.type, StoreType) and not _is_scalar_type(parameter.type):
                raise VerifyException(f"parameter {k} is neither a store nor a scalar: it has type {parameter.type}")
        for op in self.body.block.ops:
            if not isinstance(op, LaunchOp | ViewOp | ReleaseOp | SwapOp | FenceOp):
                raise VerifyException(f"a trace holds launches, views, releases, swaps and fences, not '{op.name}'")

    @classmethod
    def parse(cls, parser: Parser) -> TraceOp:
        """Parses the custom form."""
        name = parser.parse_symbol_name()
        parameters = parser.parse_comma_separated_list(parser.Delimiter.PAREN, parser.parse_argument, " in parameters")
        attributes: dict[str, Attribute] = {}
        if parser.parse_optional_keyword("attributes") is not None:
            attributes = parse_attributes(parser, cls)
        op = TraceOp(name.data, parser.parse_region(parameters))
        op.attributes |= attributes
        return op

    def print(self, printer: Printer) -> None:
        """Prints the custom form."""
        printer.print_string(" ")
        printer.print_symbol_name(self.sym_name.data)
        with printer.in_parens():
            printer.print_list(self.parameters, printer.print_block_argument)
        printer.print_op_attributes(self.attributes, print_keyword=True)
        printer.print_string(" ")
        printer.print_region(self.body, print_entry_block_args=False, print_empty_block=False)


@irdl_op_definition
class ReplayOp(IRDLOperation):
    """Does what a trace holds, on these stores and with these scalars.

    ``dist.replay @step(%x, %a) : (!dist.store<8xf64>, f64)``
    """

    name = "dist.replay"

    trace = prop_def(FlatSymbolRefAttrConstr)
    arguments = var_operand_def()

    def __init__(self, trace: str, arguments: Sequence[SSAValue]) -> None:
        super().__init__(operands=[arguments], properties={"trace": SymbolRefAttr(trace)})

    @property
    def trace_name(self) -> str:
        """The symbol without its ``@``."""
        return self.trace.root_reference.data

    def verify_(self) -> None:
        """At the top level, on different stores and on scalars. ``verify_program`` looks at the trace."""
        require_top_level(self)
        stores: set[SSAValue] = set()
        for k, argument in enumerate(self.arguments):
            if not isinstance(argument.owner, StoreOp | ScalarOp):
                raise VerifyException(f"argument {k} is not made by dist.store or dist.scalar")
            if argument in stores:
                raise VerifyException(f"argument {k}: the store is an argument already")
            if isinstance(argument.owner, StoreOp):
                stores.add(argument)

    @classmethod
    def parse(cls, parser: Parser) -> ReplayOp:
        """Parses the custom form."""
        trace = parser.parse_symbol_name()
        arguments = parser.parse_comma_separated_list(
            parser.Delimiter.PAREN, parser.parse_unresolved_operand, " in replay arguments"
        )
        attributes = parse_attributes(parser, cls)
        parser.parse_punctuation(":")
        position = parser.pos
        types = parser.parse_comma_separated_list(parser.Delimiter.PAREN, parser.parse_type, " in operand types")
        if len(types) != len(arguments):
            message = f"{len(arguments)} arguments, {len(types)} types: one type for each is needed"
            parser.raise_error(message, position, parser.pos)
        op = ReplayOp(trace.data, parser.resolve_operands(arguments, types, position))
        op.attributes |= attributes
        return op

    def print(self, printer: Printer) -> None:
        """Prints the custom form."""
        printer.print_string(" ")
        printer.print_symbol_name(self.trace_name)
        with printer.in_parens():
            printer.print_list(self.arguments, printer.print_operand)
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        with printer.in_parens():
            printer.print_list([argument.type for argument in self.arguments], printer.print_attribute)


def _is_scalar_type(candidate: Attribute) -> bool:
    return is_element_type(candidate) and kernel_element_type(candidate) == candidate


def refuse_replays(module: ModuleOp, who: str) -> None:
    """Raises UnsupportedError if the program replays traces: for who does not know what a replay does."""
    for op in module.ops:
        if isinstance(op, ReplayOp):
            message = f"{who} does not look into traces: let the pass 'inline-traces' put them in place before"
            raise UnsupportedError(message, location=location_of(op))
