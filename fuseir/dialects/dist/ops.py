"""The operations of `dist`."""

from __future__ import annotations

from functools import lru_cache
from typing import ClassVar, TypeVar

from xdsl.dialects.builtin import (
    FloatAttr,
    IntegerAttr,
    ModuleOp,
    StringAttr,
)
from xdsl.ir import Attribute, BlockArgument, Operation, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    VarConstraint,
    base,
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    prop_def,
    result_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException

from fuseir.dialects.dist.attributes import (
    IndexMapAttr,
    ShapedStoreType,
    StoreType,
    ViewType,
    is_element_type,
    kernel_element_type,
    parse_index_map,
)
from fuseir.dialects.dist.view import View


def at_top_level(op: Operation) -> bool:
    """Whether the operation's parent is the program's module; modules inside that one are no programs."""
    parent = op.parent_op()
    return isinstance(parent, ModuleOp) and parent.parent is None


def require_top_level(op: Operation) -> None:
    """Raises VerifyException unless the operation stands at the program's top level."""
    if not at_top_level(op):
        raise VerifyException(f"'{op.name}' stands at the top level of the module only")


TRACE = "dist.trace"
"""The name of the operation that holds a fragment of a program (``trace.py``)."""


def in_trace(op: Operation) -> bool:
    """Whether the operation stands directly in a trace of the program."""
    parent = op.parent_op()
    return parent is not None and parent.name == TRACE and at_top_level(parent)


def require_in_program(op: Operation) -> None:
    """Raises VerifyException unless the operation stands at the program's top level or directly in a trace."""
    if not at_top_level(op) and not in_trace(op):
        raise VerifyException(f"'{op.name}' stands at the top level of the module or of a dist.trace only")


def is_parameter(value: SSAValue) -> bool:
    """Whether the value is a parameter of a trace, which stands for a store or a scalar."""
    if not isinstance(value, BlockArgument):
        return False
    parent = value.block.parent_op()
    return parent is not None and parent.name == TRACE


INPUT_ONLY = "dist.input_only"
"""Attribute of a named store that nobody asks for behind the program, once it is released: its memory may be used for something else."""


@irdl_op_definition
class StoreOp(IRDLOperation):
    """Declares a distributed array.

    A named store is an input and output of the program; an unnamed one is undefined until something is written to it.

    ``%x = dist.store "x" : !dist.store<1024xf64>``
    """

    name = "dist.store"

    store_name = opt_prop_def(StringAttr)
    result = result_def(StoreType)

    def __init__(self, store_type: StoreType, name: str | None = None) -> None:
        # Here and below not by IRDLOperation's: that takes longer than all else about an operation.
        Operation.__init__(
            self, result_types=[store_type], properties={} if name is None else {"store_name": StringAttr(name)}
        )

    def verify_(self) -> None:
        """At the module's top level only."""
        require_top_level(self)

    @classmethod
    def parse(cls, parser: Parser) -> StoreOp:
        """Parses the custom form."""
        name = parser.parse_optional_str_literal()
        attributes = parse_attributes(parser, cls)
        parser.parse_punctuation(":")
        op = StoreOp(_parse_type(parser, StoreType), name)
        op.attributes |= attributes
        return op

    def print(self, printer: Printer) -> None:
        """Prints the custom form."""
        if self.store_name is not None:
            printer.print_string(" ")
            printer.print_string_literal(self.store_name.data)
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_attribute(self.result.type)


def _require_declared(store: SSAValue) -> None:
    if not isinstance(store.owner, StoreOp) and not is_parameter(store):
        raise VerifyException("the store is not made by dist.store")


def parse_attributes(parser: Parser, op_type: type[IRDLOperation]) -> dict[str, Attribute]:
    """Parses an attribute dictionary, if there is one. Properties may not hide in it: the generic form could not tell them apart."""
    position = parser.pos
    attributes = parser.parse_optional_attr_dict()
    definition = op_type.get_irdl_definition()
    for name in attributes:
        if name in definition.properties or name == "operandSegmentSizes":
            parser.raise_error(f"'{name}' is no attribute but a property of {op_type.name}", position, parser.pos)
    return attributes


_T = TypeVar("_T", bound=Attribute)


def _parse_type(parser: Parser, expected: type[_T]) -> _T:
    position = parser.pos
    found = parser.parse_type()
    if not isinstance(found, expected):
        parser.raise_error(f"expected a !{expected.name} type", position, parser.pos)
    return found


@irdl_op_definition
class ScalarOp(IRDLOperation):
    """A run-time scalar that launches pass to their kernels; the value is the default where the run gives none.

    ``%a = dist.scalar "a" = 2.0 : f64``
    """

    name = "dist.scalar"

    scalar_name = opt_prop_def(StringAttr)
    value = opt_prop_def(IntegerAttr | FloatAttr)
    result = result_def()

    def __init__(
        self, scalar_type: Attribute, name: str | None = None, value: IntegerAttr | FloatAttr | None = None
    ) -> None:
        given = {"scalar_name": None if name is None else StringAttr(name), "value": value}
        properties = {key: attribute for key, attribute in given.items() if attribute is not None}
        Operation.__init__(self, result_types=[scalar_type], properties=properties)

    def verify_(self) -> None:
        """At the top level, of an element type, with a default of that type, and named if there is no default."""
        require_top_level(self)
        if not is_element_type(self.result.type) or kernel_element_type(self.result.type) != self.result.type:
            raise VerifyException(f"a scalar has type i1, i8…i64, f32 or f64, not {self.result.type}")
        if self.value is not None and self.value.type != self.result.type:
            raise VerifyException(f"the default has type {self.value.type}, the scalar {self.result.type}")
        if self.value is None and self.scalar_name is None:
            raise VerifyException("a scalar without a name needs a value")

    @classmethod
    def parse(cls, parser: Parser) -> ScalarOp:
        """Parses the custom form."""
        name = parser.parse_optional_str_literal()
        value = None
        if parser.parse_optional_punctuation("=") is not None:
            position = parser.pos
            attribute = parser.parse_attribute()
            if not isinstance(attribute, IntegerAttr | FloatAttr):
                parser.raise_error("expected a number with its type", position, parser.pos)
            value = attribute
            scalar_type = attribute.type
        else:
            parser.parse_punctuation(":")
            scalar_type = parser.parse_type()
        attributes = parse_attributes(parser, cls)
        op = ScalarOp(scalar_type, name, value)
        op.attributes |= attributes
        return op

    def print(self, printer: Printer) -> None:
        """Prints the custom form."""
        if self.scalar_name is not None:
            printer.print_string(" ")
            printer.print_string_literal(self.scalar_name.data)
        if self.value is not None:
            printer.print_string(" = ")
            printer.print_attribute(self.value)
        else:
            printer.print_string(" : ")
            printer.print_attribute(self.result.type)
        printer.print_op_attributes(self.attributes)


@lru_cache(maxsize=1024)
def _view_attributes(view: View, element_type: Attribute) -> tuple[IndexMapAttr, ViewType]:
    return IndexMapAttr(view.map()), ViewType(view.shape, element_type)


@irdl_op_definition
class ViewOp(IRDLOperation):
    """A window onto a store: view index ``i`` is the store's element ``map(i)``.

    ``%v = dist.view %x (d0) -> (d0 * 2 + 1) : !dist.store<1024xf64> -> !dist.view<512xf64>``
    """

    name = "dist.view"

    store = operand_def(StoreType)
    index_map = prop_def(IndexMapAttr)
    result = result_def(ViewType)

    def __init__(self, store: SSAValue, view: View, element_type: Attribute) -> None:
        index_map, view_type = _view_attributes(view, element_type)
        Operation.__init__(self, operands=[store], properties={"index_map": index_map}, result_types=[view_type])

    @property
    def view(self) -> View:
        """The algebra's form."""
        return View(shaped(self.result).extents, self.index_map.data)

    def verify_(self) -> None:
        """In a program or a trace; same element type; every index lies in the store."""
        require_in_program(self)
        _require_declared(self.store)
        store_type, view_type = shaped(self.store), shaped(self.result)
        if store_type.element_type != view_type.element_type:
            raise VerifyException(
                f"a view of {store_type.element_type} elements cannot have elements of {view_type.element_type}"
            )
        if (error := self.view.error(store_type.extents)) is not None:
            raise VerifyException(error)

    @classmethod
    def parse(cls, parser: Parser) -> ViewOp:
        """Parses the custom form."""
        store = parser.parse_unresolved_operand()
        index_map = parse_index_map(parser)
        attributes = parse_attributes(parser, cls)
        parser.parse_punctuation(":")
        store_type = _parse_type(parser, StoreType)
        parser.parse_punctuation("->")
        view_type = _parse_type(parser, ViewType)
        return ViewOp.create(
            operands=[parser.resolve_operand(store, store_type)],
            properties={"index_map": IndexMapAttr(index_map)},
            attributes=attributes,
            result_types=[view_type],
        )

    def print(self, printer: Printer) -> None:
        """Prints the custom form."""
        printer.print_string(" ")
        printer.print_operand(self.store)
        printer.print_string(f" {self.index_map.data}")
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_attribute(self.store.type)
        printer.print_string(" -> ")
        printer.print_attribute(self.result.type)


def shaped(value: SSAValue) -> ShapedStoreType:
    """The type of a store or view. Raises VerifyException for any other value."""
    if not isinstance(value.type, ShapedStoreType):
        raise VerifyException(f"expected a store or a view, got {value.type}")
    return value.type


@irdl_op_definition
class ReleaseOp(IRDLOperation):
    """The application dropped its last reference to the store, or to any view of it.

    ``dist.release %z : !dist.store<1024xf64>``
    """

    name = "dist.release"

    store = operand_def(StoreType)

    assembly_format = "$store attr-dict `:` type($store)"

    def __init__(self, store: SSAValue) -> None:
        Operation.__init__(self, operands=[store])

    def verify_(self) -> None:
        """In a program or a trace, of a declared store."""
        require_in_program(self)
        _require_declared(self.store)


@irdl_op_definition
class SwapOp(IRDLOperation):
    """Two stores exchange their contents, without copying. What is known of contents, that there are none included, goes with them.

    ``dist.swap %x, %y : !dist.store<1024xf64>``
    """

    name = "dist.swap"

    TYPE: ClassVar = VarConstraint("T", base(StoreType))

    first = operand_def(TYPE)
    second = operand_def(TYPE)

    assembly_format = "$first `,` $second attr-dict `:` type($first)"

    def __init__(self, first: SSAValue, second: SSAValue) -> None:
        Operation.__init__(self, operands=[first, second])

    def verify_(self) -> None:
        """In a program or a trace, of two declared stores of one type."""
        require_in_program(self)
        _require_declared(self.first)
        _require_declared(self.second)
        if self.first is self.second:
            raise VerifyException("a store is swapped with itself")


@irdl_op_definition
class FenceOp(IRDLOperation):
    """Ends a window: nothing moves or fuses across it. ``dist.fence``"""

    name = "dist.fence"

    assembly_format = "attr-dict"

    def verify_(self) -> None:
        """In a program or a trace."""
        require_in_program(self)
