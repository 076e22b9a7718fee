"""IR text to modules: ``parse_module``.

A thin layer over xDSL's parser, for text that nobody vouches for. It looks the text over first (text_guard), notes where
every operation stands so that later errors can say so, bounds what a short text may expand to, and turns whatever xDSL
raises (its parse errors, but also the assertions and index errors that malformed text provokes) into one located error.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from contextlib import suppress
from typing import Literal, TypeVar, cast, overload

from xdsl.context import Context
from xdsl.dialects.builtin import (
    UNKNOWN_LOC,
    AnyDenseElement,
    AnyFloat,
    ComplexType,
    DenseIntOrFPElementsAttr,
    FileLineColLoc,
    IndexType,
    IntAttr,
    IntegerType,
    ModuleOp,
    RankedStructure,
    StringAttr,
)
from xdsl.ir import Attribute, Block, Operation, SSAValue, TypeAttribute
from xdsl.parser import Parser, UnresolvedOperand
from xdsl.parser.generic_parser import ParserState
from xdsl.utils.exceptions import MultipleSpansParseError, VerifyException
from xdsl.utils.exceptions import ParseError as XdslParseError
from xdsl.utils.lexer import Input
from xdsl.utils.mlir_lexer import MLIRLexer, MLIRToken, MLIRTokenKind, StringLiteral

from fuseir.dialects.text_guard import STRING_PATTERN, check_text, decode, location_at
from fuseir.errors import FuseirError, LimitError, ParseError, SourceLocation, VerifyError

MAX_DENSE_ELEMENTS = 2**20
MAX_ALIAS_NODES = 10**6
MAX_BIT_WIDTH = 4096
# xDSL counts a region's blocks each time it verifies an operation: quadratic in their number.
MAX_BLOCKS = 1024
_MAX_MESSAGE = 500
# Messages of xDSL's parser that make sense to those who know its code only.
_BETTER_MESSAGES = {
    "in block definition": "expected an operation, a block label or '}'",
    "Could not parse entire input!": "expected an operation",
}

# What is not turned into an error about the text. Warnings are exceptions only for developers who asked for that.
_PASSED_ON = (XdslParseError, FuseirError, MemoryError, Warning)

_AttributeT = TypeVar("_AttributeT", bound=Attribute)


def parse_module(
    ctx: Context, text: str | bytes, filename: str = "<input>", *, allow_implicit_module: bool = True
) -> ModuleOp:
    """The module that ``text`` spells. Every operation in it has the location it was read from.

    Raises ParseError, LimitError or VerifyError, each with a location in ``filename``; nothing else gets out.
    The module is parsed, not verified: see ``fuseir.dialects.verification.verify_module``.
    """
    if isinstance(text, bytes):
        text = decode(text, filename)
    check_text(text, filename)
    parser: _LocatingParser | None = None
    try:
        parser = _LocatingParser(ctx, text, filename)
        if parser.at_end and allow_implicit_module:
            return ModuleOp([])
        module = parser.parse_module(allow_implicit_module)
    except XdslParseError as error:
        raise _convert_parse_error(error, text, filename, parser) from None
    except _PASSED_ON:
        raise
    except Exception as error:
        raise _convert_leak(error, location_at(text, parser.pos if parser else 0, filename)) from error
    if module.location is UNKNOWN_LOC:
        module.location = FileLineColLoc(StringAttr(filename), IntAttr(1), IntAttr(1))
    return module


def one_line(message: object) -> str:
    """An exception's message fit for one line of output; xDSL's often hold whole printed operations."""
    text = " ".join(str(message).split())
    return text if len(text) <= _MAX_MESSAGE else text[: _MAX_MESSAGE - 1] + "…"


class _LinearLexer(MLIRLexer):
    """xDSL's lexer with a pattern for strings that does not backtrack.

    The guard has refused unterminated strings already, but xDSL skips over the bodies of unregistered attributes without
    lexing them, after which it may see quotes where the guard saw a comment.
    """

    _unescaped_characters_regex = re.compile(STRING_PATTERN)

    def _lex_string_literal(self, start_pos: int) -> MLIRToken:
        token = super()._lex_string_literal(start_pos)
        if token.kind is MLIRTokenKind.BYTES_LIT:
            # The printer escapes all that is not ASCII: without this, a name with an umlaut would come back as bytes.
            with suppress(UnicodeDecodeError):
                StringLiteral(start_pos, self.pos, self.input).bytes_contents.decode()
                return MLIRToken(MLIRTokenKind.STRING_LIT, token.span)
        return token


class _LocatingParser(Parser):
    """xDSL's parser, with locations on operations and bounds on expansion."""

    def __init__(self, ctx: Context, text: str, filename: str) -> None:
        super().__init__(ctx, "", filename)
        self._parser_state = ParserState(_LinearLexer(Input(text, filename)))
        self._text = text
        self._filename = filename
        self._filename_attr = StringAttr(filename)
        self._line_starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self._first_uses: dict[str, int] = {}
        # Attributes and types read so far, aliases counted as what they stand for, and the part of that due to aliases.
        self._nodes = 0
        self._alias_nodes = 0
        self._alias_sizes: dict[str, int] = {}

    @property
    def at_end(self) -> bool:
        """Whether nothing but comments is left."""
        return self._current_token.span.start >= len(self._text)

    def first_undefined_use(self) -> int | None:
        """Where the first of the values that were never defined is used."""
        return min((self._first_uses[name] for name in self.forward_ssa_references), default=None)

    def _located(self, offset: int) -> SourceLocation:
        return location_at(self._text, offset, self._filename)

    def _get_op_by_name(self, name: str) -> type[Operation]:
        found = self.ctx.get_optional_op(name, dialect_stack=self._parser_state.dialect_stack)
        if found is None:
            # The name has been consumed, so it ends somewhere before the current token.
            start = self._text.rfind(name, 0, self.pos)
            raise ParseError(f"unknown operation '{one_line(name)}'", location=self._located(max(start, 0)))
        return found

    def parse_operation(self) -> Operation:
        start = self.pos
        try:
            op = super().parse_operation()
        except _PASSED_ON:
            raise
        except Exception as error:
            raise _convert_leak(error, self._located(start)) from error
        if op.location is UNKNOWN_LOC:
            line = bisect_right(self._line_starts, start)
            column = start - self._line_starts[line - 1] + 1
            op.location = FileLineColLoc(self._filename_attr, IntAttr(line), IntAttr(column))
        return op

    def parse_optional_attribute(self) -> Attribute | None:
        start = self.pos
        self._nodes += 1
        try:
            return super().parse_optional_attribute()
        except _PASSED_ON:
            raise
        except Exception as error:
            raise _convert_leak(error, self._located(start)) from error

    def parse_optional_type(self) -> TypeAttribute | None:
        start = self.pos
        self._nodes += 1
        try:
            return super().parse_optional_type()
        except _PASSED_ON:
            raise
        except Exception as error:
            raise _convert_leak(error, self._located(start)) from error

    def resolve_operand(self, operand: UnresolvedOperand, type: _AttributeT) -> SSAValue[_AttributeT]:
        if operand.operand_name not in self.ssa_values:
            self._first_uses.setdefault(operand.operand_name, operand.span.start)
        return super().resolve_operand(operand, type)

    # Bounds. Each guards a place where xDSL lets a short text stand for a large object.

    def _parse_alias_def(self) -> None:
        name = self._current_token.text
        before = self._nodes
        super()._parse_alias_def()
        self._alias_sizes[name] = self._nodes - before

    @overload
    def _parse_extended_type_or_attribute(self, attr_or_dialect_name: str, is_type: Literal[False]) -> Attribute: ...

    @overload
    def _parse_extended_type_or_attribute(self, attr_or_dialect_name: str, is_type: Literal[True]) -> TypeAttribute: ...

    def _parse_extended_type_or_attribute(self, attr_or_dialect_name: str, is_type: bool) -> Attribute:
        size = self._alias_sizes.get(("!" if is_type else "#") + attr_or_dialect_name, 0)
        self._nodes += size
        self._alias_nodes += size
        if self._alias_nodes > MAX_ALIAS_NODES:
            message = f"aliases expand to more than {MAX_ALIAS_NODES} attributes"
            raise LimitError(message, location=self._located(self.pos))
        # The overloads mean that a bool that is not a literal matches neither.
        return super()._parse_extended_type_or_attribute(attr_or_dialect_name, cast("Literal[False]", is_type))

    def _parse_block(self) -> Block:
        # The parser keeps the blocks of the region it is in, those referred to included.
        if len(self.blocks) > MAX_BLOCKS:
            raise LimitError(f"region of more than {MAX_BLOCKS} blocks", location=self._located(self.pos))
        return super()._parse_block()

    def _parse_optional_integer_or_float_type(self) -> TypeAttribute | None:
        start = self.pos
        found = super()._parse_optional_integer_or_float_type()
        if isinstance(found, IntegerType) and found.width.data > MAX_BIT_WIDTH:
            message = f"integer type wider than {MAX_BIT_WIDTH} bits"
            raise LimitError(message, location=self._located(start))
        return found

    def _parse_dense_literal_type(self) -> RankedStructure[IntegerType | IndexType | AnyFloat | ComplexType]:
        start = self.pos
        found = super()._parse_dense_literal_type()
        self._check_dense(found, start)
        return found

    def parse_dense_int_or_fp_elements_attr(
        self, type: RankedStructure[AnyDenseElement] | None
    ) -> DenseIntOrFPElementsAttr:
        if type is not None:
            self._check_dense(type, self.pos)
        return super().parse_dense_int_or_fp_elements_attr(type)

    def _check_dense(self, type: RankedStructure[AnyDenseElement], offset: int) -> None:
        if math.prod(type.get_shape()) > MAX_DENSE_ELEMENTS:
            message = f"dense literal of more than {MAX_DENSE_ELEMENTS} elements"
            raise LimitError(message, location=self._located(offset))


def _convert_parse_error(
    error: XdslParseError, text: str, filename: str, parser: _LocatingParser | None
) -> ParseError | LimitError:
    offset = error.span.start
    if parser is not None and error.span.input.content is not text:
        # The error is about a piece of text that xDSL parsed on its own; where that stood in the file is not recorded.
        offset = parser.pos
    if parser is not None and error.msg.startswith("values used but not defined"):
        # xDSL reports these at the end of the file.
        use = parser.first_undefined_use()
        offset = offset if use is None else use
    notes: tuple[str, ...] = ()
    if isinstance(error, MultipleSpansParseError):
        places = [location_at(text, span.start, filename) for span, _ in error.refs]
        notes = tuple(f"{place}: {one_line(error.ref_text or 'see here').rstrip(':')}" for place in places)
    message = one_line(error.msg)
    return ParseError(_BETTER_MESSAGES.get(message, message), location=location_at(text, offset, filename), notes=notes)


def _convert_leak(error: Exception, location: SourceLocation) -> FuseirError:
    """The located error for an exception that xDSL's parser let out without a place."""
    if isinstance(error, RecursionError):
        return LimitError("nested too deeply", location=location)
    if isinstance(error, VerifyException):
        return VerifyError(one_line(error), location=location)
    reason = one_line(error) or type(error).__name__
    return ParseError(f"malformed text: {reason}", location=location)
