"""Launches: index tasks, and the fused tasks that `fuse-tasks` makes of them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import prod

from xdsl.dialects import func
from xdsl.dialects.builtin import (
    ArrayAttr,
    DenseArrayBase,
    FlatSymbolRefAttrConstr,
    IntegerType,
    SymbolRefAttr,
    i32,
    i64,
)
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.irdl import (
    AttrSizedOperandSegments,
    IRDLOperation,
    base,
    irdl_op_definition,
    prop_def,
    region_def,
    traits_def,
    var_operand_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import NoTerminator, SymbolTable
from xdsl.utils.exceptions import VerifyException

from fuseir.dialects import kernel
from fuseir.dialects.dist.access import Access, access_of, meeting_pairs
from fuseir.dialects.dist.attributes import (
    PartitionAttr,
    PrivilegeAttr,
    StoreType,
    ViewType,
    kernel_element_type,
    parse_privilege,
)
from fuseir.dialects.dist.ops import (
    ScalarOp,
    StoreOp,
    ViewOp,
    at_top_level,
    in_trace,
    is_parameter,
    parse_attributes,
    require_top_level,
    shaped,
)
from fuseir.dialects.dist.overlap import Overlap
from fuseir.dialects.dist.partition import COORDINATE_LIMIT, Shape, intervals_within_limit
from fuseir.dialects.dist.privilege import Privilege


def _parse_domain(parser: Parser) -> DenseArrayBase[IntegerType]:
    with parser.in_angle_brackets():
        extents = parser.parse_comma_separated_list(
            parser.Delimiter.SQUARE, lambda: parser.parse_integer(allow_boolean=False), " in launch domain"
        )
    if any(abs(extent) >= COORDINATE_LIMIT for extent in extents):
        parser.raise_error("an extent of the launch domain is 2^62 or more")
    return domain_attr(extents)


def domain_attr(domain: Sequence[int]) -> DenseArrayBase[IntegerType]:
    """The attribute of a launch domain."""
    return _domain_attr(tuple(domain))


# Launches share attributes, which are many times as dear to make.


@lru_cache(maxsize=256)
def _domain_attr(domain: Shape) -> DenseArrayBase[IntegerType]:
    return DenseArrayBase.from_list(i64, list(domain))


@lru_cache(maxsize=256)
def _segments_attr(*sizes: int) -> DenseArrayBase[IntegerType]:
    return DenseArrayBase.from_list(i32, list(sizes))


@lru_cache(maxsize=256)
def _symbol_attr(name: str) -> SymbolRefAttr:
    return SymbolRefAttr(name)


@lru_cache(maxsize=256)
def _privileges_attr(privileges: tuple[Privilege, ...]) -> ArrayAttr[PrivilegeAttr]:
    return ArrayAttr([PrivilegeAttr(privilege) for privilege in privileges])


def _print_domain(printer: Printer, domain: Shape) -> None:
    printer.print_string(f"<[{', '.join(map(str, domain))}]>")


def _verify_domain(domain: DenseArrayBase[IntegerType]) -> None:
    extents = domain.get_values()
    if any(extent < 0 for extent in extents):
        raise VerifyException("an extent of the launch domain is negative")
    if prod(max(extent, 1) for extent in extents) >= COORDINATE_LIMIT:
        raise VerifyException("the launch domain has 2^62 points or more")


_ACCESSES = "known accesses"
_Accesses = tuple[Sequence[SSAValue], ArrayAttr[PartitionAttr], ArrayAttr[PrivilegeAttr], tuple[Access, ...]]
"""What a launch was made of when its accesses were worked out, and these."""


@irdl_op_definition
class LaunchOp(IRDLOperation):
    """An index task: runs ``@task`` at every point of the launch domain, each on its pieces of the arguments.

    ``dist.launch @axpy<[4]>(%x: read #t, %y: read_write #t) scalars(%a) : (!dist.store<8xf64>, !dist.store<8xf64>, f64)``

    The symbol is a kernel (docs/kernels.md), or a function without a body: an opaque task.
    """

    name = "dist.launch"

    task = prop_def(FlatSymbolRefAttrConstr)
    domain = prop_def(DenseArrayBase.constr(i64))
    privileges = prop_def(ArrayAttr[PrivilegeAttr])
    partitions = prop_def(ArrayAttr[PartitionAttr])
    arguments = var_operand_def(base(StoreType) | base(ViewType))
    scalars = var_operand_def()

    irdl_options = (AttrSizedOperandSegments(as_property=True),)

    def __init__(
        self,
        task: str | SymbolRefAttr,
        domain: Sequence[int],
        arguments: Sequence[SSAValue],
        privileges: Sequence[Privilege],
        partitions: Sequence[PartitionAttr],
        scalars: Sequence[SSAValue] = (),
    ) -> None:
        Operation.__init__(
            self,
            operands=[*arguments, *scalars],
            properties={
                "task": _symbol_attr(task) if isinstance(task, str) else task,
                "domain": domain_attr(domain),
                "privileges": _privileges_attr(tuple(privileges)),
                "partitions": ArrayAttr(partitions),
                AttrSizedOperandSegments.attribute_name: _segments_attr(len(arguments), len(scalars)),
            },
        )

    @property
    def task_name(self) -> str:
        """The symbol without its ``@``."""
        return self.task.root_reference.data

    @property
    def extents(self) -> Shape:
        """The launch domain."""
        return self.domain.get_values()

    @property
    def accesses(self) -> tuple[Access, ...]:
        """What each argument touches."""
        # Every pass asks, several times. A view shows the same part of the same store for as long as there is one.
        operands, partitions, privileges = self._operands, self.partitions, self.privileges
        known: _Accesses | None = vars(self).get(_ACCESSES)
        if known is None or operands is not known[0] or partitions is not known[1] or privileges is not known[2]:
            accesses = tuple(
                access_of(value, partition, privilege.data)
                for value, partition, privilege in zip(self.arguments, partitions.data, privileges.data, strict=True)
            )
            known = vars(self)[_ACCESSES] = operands, partitions, privileges, accesses
        return known[3]

    def callee(self) -> func.FuncOp | None:
        """The function the symbol names, if there is one."""
        found = SymbolTable.lookup_symbol(self, self.task)
        return found if isinstance(found, func.FuncOp) else None

    @property
    def opaque(self) -> bool:
        """Whether the task has no body."""
        callee = self.callee()
        return callee is None or callee.is_declaration

    # Verification

    def verify_(self) -> None:
        """What docs/ir.md lists under "per launch", apart from the task: ``verify_program`` looks at that."""
        if not isinstance(self.parent_op(), FusedTaskOp) and not at_top_level(self) and not in_trace(self):
            raise VerifyException(
                "'dist.launch' stands at the top level of the module or in a dist.fused_task or dist.trace"
            )
        _verify_domain(self.domain)
        if not len(self.arguments) == len(self.privileges.data) == len(self.partitions.data):
            raise VerifyException(
                f"{len(self.arguments)} arguments, {len(self.privileges.data)} privileges and "
                f"{len(self.partitions.data)} partitions: one of each is needed"
            )
        for k, value in enumerate(self.arguments):
            if not isinstance(value.owner, StoreOp | ViewOp) and not is_parameter(value):
                raise VerifyException(f"argument {k} is not made by dist.store or dist.view")
        for k, value in enumerate(self.scalars):
            if not isinstance(value.owner, ScalarOp) and not is_parameter(value):
                raise VerifyException(f"scalar {k} is not made by dist.scalar")
        accesses, domain = self.accesses, self.extents
        for k, access in enumerate(accesses):
            if (error := _access_error(access, domain)) is not None:
                raise VerifyException(f"argument {k}: {error}")
        self._verify_pairs(accesses, domain)

    def _verify_pairs(self, accesses: Sequence[Access], domain: Shape) -> None:
        """WF-2: no two arguments on one store conflict at different points, and only one writes any element (Diffuse §4.1)."""
        by_root: dict[SSAValue, list[int]] = {}
        for k, access in enumerate(accesses):
            if access.privilege.reads or access.privilege.returned:
                by_root.setdefault(access.root, []).append(k)
        for numbers in by_root.values():
            for first, second in meeting_pairs([accesses[k] for k in numbers]):
                i, j = numbers[first], numbers[second]
                a, b = accesses[i], accesses[j]
                if a.privilege.reduces and a.privilege == b.privilege:
                    continue  # folds with one operator do not conflict, whoever makes them
                reduces = a.privilege.reduces or b.privilege.reduces
                # All points write the elements of a replicated argument, and a point may be done before another begins.
                shared = prod(domain) > 1 and any(
                    x.privilege.writes and x.partition.partition.replicated for x in (a, b)
                )
                if a.privilege.returned and b.privilege.returned:
                    wrong = f"one store is changed through both, as '{a.privilege}' and '{b.privilege}'"
                elif reduces or shared or not a.same_pieces(b, domain):
                    wrong = f"'{a.privilege}' and '{b.privilege}' of one store may conflict at different points"
                else:
                    continue
                # Tiles of views that meet need not meet.
                if a.overlap(b, domain) is not Overlap.APART:
                    raise VerifyException(f"arguments {i} and {j}: {wrong} (WF-2)")

    # Text

    @classmethod
    def parse(cls, parser: Parser) -> LaunchOp:
        """Parses the custom form."""
        task = parser.parse_symbol_name()
        domain = _parse_domain(parser)

        def argument():
            operand = parser.parse_unresolved_operand()
            parser.parse_punctuation(":", " before the privilege")
            privilege = parse_privilege(parser)
            position = parser.pos
            partition = parser.parse_optional_attribute()
            if not isinstance(partition, PartitionAttr):
                parser.raise_error("expected a partition", position, parser.pos)
            return operand, PrivilegeAttr(privilege), partition

        arguments = parser.parse_comma_separated_list(parser.Delimiter.PAREN, argument, " in launch arguments")
        scalars = []
        if parser.parse_optional_keyword("scalars") is not None:
            scalars = parser.parse_comma_separated_list(
                parser.Delimiter.PAREN, parser.parse_unresolved_operand, " in launch scalars"
            )
        attributes = parse_attributes(parser, cls)
        parser.parse_punctuation(":")
        position = parser.pos
        types = parser.parse_comma_separated_list(parser.Delimiter.PAREN, parser.parse_type, " in operand types")
        unresolved = [*(a[0] for a in arguments), *scalars]
        if len(types) != len(unresolved):
            count = f"{len(unresolved)} arguments and scalars, {len(types)} types"
            parser.raise_error(f"{count}: one type for each is needed", position, parser.pos)
        operands = parser.resolve_operands(unresolved, types, position)
        op = LaunchOp(
            SymbolRefAttr(task.data),
            domain.get_values(),
            operands[: len(arguments)],
            [a[1].data for a in arguments],
            [a[2] for a in arguments],
            operands[len(arguments) :],
        )
        op.attributes |= attributes
        return op

    def print(self, printer: Printer) -> None:
        """Prints the custom form."""
        printer.print_string(" ")
        printer.print_symbol_name(self.task_name)
        _print_domain(printer, self.extents)
        with printer.in_parens():
            printer.print_list(
                list(zip(self.arguments, self.privileges.data, self.partitions.data, strict=True)),
                lambda argument: _print_argument(printer, *argument),
            )
        if self.scalars:
            printer.print_string(" scalars")
            with printer.in_parens():
                printer.print_list(self.scalars, printer.print_operand)
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        with printer.in_parens():
            printer.print_list([operand.type for operand in self.operands], printer.print_attribute)


def _print_argument(printer: Printer, value: SSAValue, privilege: PrivilegeAttr, partition: PartitionAttr) -> None:
    printer.print_operand(value)
    printer.print_string(f": {privilege.data} ")
    printer.print_attribute(partition)


def _access_error(access: Access, domain: Shape) -> str | None:
    """What is wrong with one argument by itself."""
    partition = access.partition.partition
    if (error := partition.rank_error(len(access.shape), len(domain))) is not None:
        return error
    if not intervals_within_limit(partition.intervals(access.shape), domain):
        return "index arithmetic over the launch domain leaves the range ±2^62"
    privilege = access.privilege
    if privilege.operator is not None:
        try:
            kernel.identity_constant(privilege.operator, kernel_element_type(shaped(access.value).element_type))
        except ValueError as error:
            return str(error)
    if partition.replicated and (privilege.reduces or (privilege.reads and privilege.writes)):
        return f"'{privilege}' through #dist.replicated, which is for 'read' and 'write'"
    if privilege.returned and access.view.repeats:
        return f"'{privilege}' through a view that repeats elements"
    if privilege.writes and not access.partition.disjoint(access.shape, domain):
        return f"'{privilege}' through a partition that is not disjoint over the launch domain (WF-1)"
    return None


@irdl_op_definition
class FusedTaskOp(IRDLOperation):
    """Launches to be run back to back at each point of one launch domain: what `fuse-tasks` makes.

    ``dist.fused_task<[4]> temporaries(%z : !dist.store<8xf64>) { … dist.launch … }``

    ``temporaries`` are stores that are produced and consumed inside and that nobody else can see: they get no memory.
    """

    name = "dist.fused_task"

    domain = prop_def(DenseArrayBase.constr(i64))
    temporaries = var_operand_def(base(StoreType))
    body = region_def("single_block")

    traits = traits_def(NoTerminator())

    def __init__(
        self, domain: Sequence[int], members: Sequence[Operation] = (), temporaries: Sequence[SSAValue] = ()
    ) -> None:
        super().__init__(
            operands=[temporaries], properties={"domain": domain_attr(domain)}, regions=[Region(Block(members))]
        )

    @property
    def extents(self) -> Shape:
        """The launch domain."""
        return self.domain.get_values()

    @property
    def members(self) -> tuple[LaunchOp, ...]:
        """The member launches, in program order."""
        return tuple(op for op in self.body.block.ops if isinstance(op, LaunchOp))

    def verify_(self) -> None:
        """Members are launches of tasks with bodies over this domain; temporaries are used by members."""
        require_top_level(self)
        _verify_domain(self.domain)
        if self.body.block.args:
            raise VerifyException("a fused task's body takes no arguments")
        for op in self.body.block.ops:
            if not isinstance(op, LaunchOp):
                raise VerifyException(f"a fused task holds launches only, not '{op.name}'")
            if op.domain != self.domain:
                raise VerifyException(
                    f"member '@{op.task_name}' has launch domain {list(op.extents)}, the fused task {list(self.extents)}"
                )
        used = {access.root for member in self.members for access in member.accesses}
        for k, temporary in enumerate(self.temporaries):
            if not isinstance(temporary.owner, StoreOp) or temporary.owner.store_name is not None:
                raise VerifyException(f"temporary {k} is not made by a dist.store without a name")
            if temporary not in used:
                raise VerifyException(f"temporary {k} is used by no member")
        if len(set(self.temporaries)) != len(self.temporaries):
            raise VerifyException("a store is listed as a temporary twice")

    @classmethod
    def parse(cls, parser: Parser) -> FusedTaskOp:
        """Parses the custom form."""
        domain = _parse_domain(parser)
        temporaries: list[SSAValue] = []
        if parser.parse_optional_keyword("temporaries") is not None:

            def temporary() -> SSAValue:
                operand = parser.parse_unresolved_operand()
                parser.parse_punctuation(":")
                return parser.resolve_operand(operand, parser.parse_type())

            temporaries = parser.parse_comma_separated_list(parser.Delimiter.PAREN, temporary, " in temporaries")
        attributes: dict[str, Attribute] = {}
        if parser.parse_optional_keyword("attributes") is not None:
            attributes = parse_attributes(parser, cls)
        body = parser.parse_region()
        if not body.blocks:
            body.add_block(Block())
        return FusedTaskOp.create(
            operands=temporaries, properties={"domain": domain}, attributes=attributes, regions=[body]
        )

    def print(self, printer: Printer) -> None:
        """Prints the custom form."""
        _print_domain(printer, self.extents)
        if self.temporaries:
            printer.print_string(" temporaries")
            with printer.in_parens():
                printer.print_list(self.temporaries, lambda value: _print_typed(printer, value))
        printer.print_op_attributes(self.attributes, print_keyword=True)
        printer.print_string(" ")
        printer.print_region(self.body)


def _print_typed(printer: Printer, value: SSAValue) -> None:
    printer.print_operand(value)
    printer.print_string(" : ")
    printer.print_attribute(value.type)
