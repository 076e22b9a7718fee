"""xDSL's `linalg`, with the short form of a `linalg.generic` of several results made to parse.

xDSL 0.74 prints ``-> (tensor<…>, tensor<…>)``, as MLIR does, and then cannot read it. Fused kernels are full of such operations, so
FuseIR's tools read both that and xDSL's unparenthesised list. Nothing else changes; operations are upstream's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from xdsl.dialects.builtin import AffineMapAttr, ArrayAttr, StringAttr
from xdsl.dialects.linalg import Linalg
from xdsl.dialects.linalg.attrs import IteratorType, IteratorTypeAttr
from xdsl.dialects.linalg.ops import GenericOp
from xdsl.ir import Attribute, Dialect, SSAValue
from xdsl.parser import Parser

if TYPE_CHECKING:
    from typing import Any


class GenericOpSyntax(GenericOp):
    """The parser of ``linalg.generic``: makes upstream's operation."""

    @classmethod
    def parse(cls, parser: Parser) -> Any:
        """Parses the short form."""
        start = parser.pos
        attributes = parser.parse_optional_attr_dict()
        end = parser.pos
        maps, iterators = attributes.pop("indexing_maps", None), attributes.pop("iterator_types", None)
        doc, library_call = attributes.pop("doc", None), attributes.pop("library_call", None)
        if not isinstance(maps, ArrayAttr) or not all(isinstance(m, AffineMapAttr) for m in maps.data):
            parser.raise_error("expected indexing_maps, an array of affine maps, for linalg.generic", start, end)
        if not isinstance(iterators, ArrayAttr):
            parser.raise_error("expected iterator_types, an array, for linalg.generic", start, end)
        types: list[Attribute] = []
        for iterator in iterators.data:
            if isinstance(iterator, StringAttr) and iterator.data in [*IteratorType]:
                types.append(IteratorTypeAttr(IteratorType(iterator.data)))
            elif isinstance(iterator, IteratorTypeAttr):
                types.append(iterator)
            else:
                parser.raise_error(f"unknown iterator type {iterator}", start, end)
        for name, value in (("doc", doc), ("library_call", library_call)):
            if value is not None and not isinstance(value, StringAttr):
                parser.raise_error(f"{name} is a string", start, end)
        inputs, outputs = _operands(parser, "ins"), _operands(parser, "outs")
        extra = {}
        if parser.parse_optional_keyword("attrs") is not None:
            parser.parse_punctuation("=")
            extra = parser.expect(parser.parse_optional_attr_dict, "expected extra attributes")
        body = parser.parse_region()
        results: Sequence[Attribute] = ()
        if parser.parse_optional_punctuation("->") is not None:
            parenthesised = parser.parse_optional_comma_separated_list(parser.Delimiter.PAREN, parser.parse_type)
            results = (
                parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_type)
                if parenthesised is None
                else parenthesised
            )
        op = GenericOp(inputs, outputs, body, maps, ArrayAttr(types), results, doc, library_call)  # pyright: ignore
        op.attributes |= extra
        return op


def _operands(parser: Parser, keyword: str) -> list[SSAValue]:
    """``keyword(%a, %b : type, type)``, if it stands here."""
    if parser.parse_optional_keyword(keyword) is None:
        return []
    position = parser.pos
    parser.parse_punctuation("(")
    operands = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_unresolved_operand)
    parser.parse_punctuation(":")
    types = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_type)
    parser.parse_punctuation(")")
    return list(parser.resolve_operands(operands, types, position))


LINALG = Dialect(
    "linalg",
    [GenericOpSyntax if op is GenericOp else op for op in Linalg.operations],
    list(Linalg.attributes),
)
