"""``verify_kernel``: docs/kernels.md, section 1, rule by rule.

Checked: the signature; which operations occur; that values are defined before use; element types; indexing maps; that every
iteration dimension has an extent; that outputs leave out reduction dimensions only and reductions are folds; that contents
are read only where the privilege defines them; that each result is what its parameter's privilege asks for.

Not checked: that extents agree (they are numbers known at a launch, see ``extent_classes``); what the operations of arith,
math and ufunc demand of themselves (the module's verifier asks them).

The IR may be hostile: whatever is wrong with it, the answer is a VerifyException. Nothing here recurses; the cost is linear.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

from xdsl.dialects import arith, func, tensor
from xdsl.dialects.builtin import DYNAMIC_INDEX, IndexType, NoneAttr, TensorType
from xdsl.dialects.linalg import ops as linalg
from xdsl.ir import Attribute, Block, Operation, OpResult, SSAValue
from xdsl.utils.exceptions import VerifyException

from fuseir.dialects.dist.privilege import Operator, Privilege, PrivilegeKind
from fuseir.dialects.kernel.errors import KernelError
from fuseir.dialects.kernel.extents import constant_index
from fuseir.dialects.kernel.generic import check_generic, check_scalar_operation, is_scalar_operation
from fuseir.dialects.kernel.operators import combiner_operator, fold_of
from fuseir.dialects.kernel.types import is_element_type

__all__ = ["KernelError", "verify_kernel"]


def verify_kernel(
    function: func.FuncOp,
    arguments: Sequence[tuple[str, str | None]],
    scalar_types: Sequence[Attribute],
    *,
    operations_verified: bool = False,
) -> None:
    """Raise VerifyException unless ``function`` is a kernel for these arguments and scalars.

    ``arguments`` has for each launch argument its privilege's keyword (``read``, ``write``, ``read_write``, ``reduce``,
    ``no_access``) and, for ``reduce``, the operator (``add``). A declaration's signature alone is checked. The exception
    is a KernelError, which knows the operation that breaks the rule. ``operations_verified`` says that xDSL has verified the
    function already, which is half the work.
    """
    try:
        privileges = [Privilege(PrivilegeKind(k), None if o is None else Operator(o)) for k, o in arguments]
    except ValueError as error:
        raise VerifyException(str(error)) from None
    if not operations_verified:
        _verify_by_itself(function)
    checker = _Checker(function, privileges, operations_verified)
    checker.check_signature(scalar_types)
    if function.body.blocks:
        checker.check_body()


def _verify_by_itself(op: Operation) -> None:
    """What ``op`` demands of itself; afterwards its fields can be relied on."""
    try:
        op.verify(verify_nested_ops=False)
    except MemoryError:
        raise
    except Exception as error:
        # xDSL's verifiers index and unpack before they check: on wrong IR they raise anything.
        reason = str(error.__context__ if isinstance(error.__context__, VerifyException) else error)
        raise KernelError(op, f"'{op.name}' does not verify: {' '.join(reason.split())[:300]}") from error


class _Checker:
    """One walk over one kernel. ``undefined`` and ``partials`` say what is known of tensors' contents."""

    def __init__(self, function: func.FuncOp, privileges: Sequence[Privilege], operations_verified: bool) -> None:
        self.function = function
        self.operations_verified = operations_verified
        self.privileges = privileges
        self.kernel = f"kernel '@{function.sym_name.data}'"
        self.defined: set[SSAValue] = set()
        # Tensors whose contents nobody may look at, with what to call them.
        self.undefined: dict[SSAValue, str] = {}
        # Values of a reduce argument that wait to be folded into or returned: the argument's number.
        self.partials: dict[SSAValue, int] = {}

    def fail(self, op: Operation, message: str) -> NoReturn:
        raise KernelError(op, f"{self.kernel} {message}")

    # Signature

    def check_signature(self, scalar_types: Sequence[Attribute]) -> None:
        """The parameters are the tiles and the scalars; the results are the new tiles."""
        inputs, outputs = self.function.function_type.inputs.data, self.function.function_type.outputs.data
        tensors = len(self.privileges)
        if len(inputs) != tensors + len(scalar_types):
            self.fail(
                self.function,
                f"has {len(inputs)} parameters; the launch gives {tensors} tensors and {len(scalar_types)} scalars",
            )
        for k, parameter in enumerate(inputs[:tensors]):
            if not isinstance(parameter, TensorType):
                self.fail(self.function, f"has parameter {k} of type {parameter}, which should be a tensor")
            self.check_tensor(self.function, parameter)
        for k, (parameter, expected) in enumerate(zip(inputs[tensors:], scalar_types, strict=True), tensors):
            if parameter != expected or not is_element_type(parameter):
                self.fail(self.function, f"has parameter {k} of type {parameter}; the launch gives a scalar {expected}")
        returned = [inputs[k] for k, privilege in enumerate(self.privileges) if privilege.returned]
        if len(outputs) != len(returned):
            self.fail(
                self.function,
                f"has {len(outputs)} results; {len(returned)} of its arguments are written or reduced into",
            )
        for k, (output, expected) in enumerate(zip(outputs, returned, strict=True)):
            if output != expected:
                self.fail(self.function, f"has result {k} of type {output}, not its argument's type {expected}")

    def check_tensor(self, op: Operation, type_: Attribute) -> None:
        """Ranked, without encoding, all extents dynamic, of an element type."""
        if not isinstance(type_, TensorType) or type_.encoding != NoneAttr():
            self.fail(op, f"has a value of type {type_}: tensors have a shape and an element type only")
        if not is_element_type(type_.element_type):
            self.fail(op, f"has a tensor of {type_.element_type}; elements are i1, i8…i64, f32 or f64")
        if any(extent != DYNAMIC_INDEX for extent in type_.get_shape()):
            self.fail(op, f"has a tensor of type {type_}: all extents are dynamic")

    # Body

    def check_body(self) -> None:
        """Every operation of the body, in order."""
        if len(self.function.body.blocks) != 1:
            self.fail(self.function, "has more than one block")
        block = self.function.body.blocks[0]
        for k, (argument, privilege) in enumerate(zip(block.args, self.privileges, strict=False)):
            if privilege.reduces:
                self.partials[argument] = k
            elif not privilege.reads:
                self.undefined[argument] = f"its {privilege} argument {k}"
        self.defined.update(block.args)
        last: Operation | None = None
        for op in block.ops:
            if isinstance(last, func.ReturnOp):
                self.fail(op, "goes on after its 'func.return'")
            self.check_operation(op)
            self.defined.update(op.results)
            last = op
        if not isinstance(last, func.ReturnOp):
            self.fail(self.function, "does not end in 'func.return'")

    def check_operation(self, op: Operation) -> None:
        """One operation at the top level."""
        for operand in op.operands:
            if operand not in self.defined:
                self.fail(op, f"uses a value before its definition, in '{op.name}'")
        if is_scalar_operation(op):
            check_scalar_operation(self.kernel, op)
            return
        if not isinstance(
            op, arith.ConstantOp | tensor.DimOp | tensor.EmptyOp | linalg.FillOp | linalg.GenericOp | func.ReturnOp
        ):
            self.fail(op, f"has operation '{op.name}', which is not allowed in a kernel")
        if not self.operations_verified:
            _verify_by_itself(op)
        for result in op.results:
            if isinstance(result.type, TensorType):
                self.check_tensor(op, result.type)
        match op:
            case arith.ConstantOp():
                if not is_element_type(op.result.type) and not isinstance(op.result.type, IndexType):
                    self.fail(op, f"has a constant of type {op.result.type}; constants are scalars")
            case tensor.DimOp():
                self.check_dim(op)
            case tensor.EmptyOp():
                self.check_empty(op)
            case linalg.FillOp():
                self.check_fill(op)
            case linalg.GenericOp():
                self.check_generic(op)
            case _:
                self.check_return(op)

    def check_dim(self, op: tensor.DimOp) -> None:
        """The dimension is a constant in range."""
        dimension = constant_index(op.index)
        if not isinstance(op.source.type, TensorType) or dimension is None:
            self.fail(op, "has a 'tensor.dim' whose dimension is no constant")
        if not 0 <= dimension < op.source.type.get_num_dims():
            self.fail(op, f"asks for dimension {dimension} of a {op.source.type}")

    def check_empty(self, op: tensor.EmptyOp) -> None:
        """The extents come from other tensors."""
        if len(op.dynamic_sizes) != len(op.tensor.type.get_shape()):
            self.fail(op, f"has a 'tensor.empty' of {op.tensor.type} with {len(op.dynamic_sizes)} extents")
        for size in op.dynamic_sizes:
            if not isinstance(size, OpResult) or not isinstance(size.op, tensor.DimOp):
                self.fail(op, "has an extent that is no 'tensor.dim': all extents come from parameters")
        self.undefined[op.tensor] = "a 'tensor.empty'"

    def check_fill(self, op: linalg.FillOp) -> None:
        """One scalar into one tensor of its type."""
        if len(op.inputs) != 1 or len(op.outputs) != 1 or len(op.res) != 1:
            self.fail(op, "has a 'linalg.fill' of other than one scalar into one tensor")
        filled = op.outputs[0].type
        if not isinstance(filled, TensorType) or op.res[0].type != filled or op.inputs[0].type != filled.element_type:
            self.fail(op, f"fills a {filled} with a {op.inputs[0].type} into a {op.res[0].type}")
        self.check_no_partial(op, op.outputs[0])

    def check_generic(self, op: linalg.GenericOp) -> None:
        """The generic keeps its own rules and reads only what is defined; note which partials it folds into."""
        check_generic(self.kernel, op, self.defined)
        block = op.body.blocks[0]
        for index, operand in enumerate(op.operands):
            if operand in self.undefined and block.args[index].first_use is not None:
                self.fail(op, f"reads the contents of {self.undefined[operand]}")
            if operand not in self.partials:
                continue
            output = index - len(op.inputs)
            argument = self.partials[operand]
            operator = self.privileges[argument].operator
            combiners = fold_of(op, output) if output >= 0 else ()
            if not combiners or combiner_operator(combiners[0]) is not operator:
                self.fail(op, f"does not fold argument {argument} with {operator}")
            # From here on the folded value stands for the argument: whoever comes next folds into that one.
            del self.partials[operand]
            self.undefined[operand] = f"its reduce argument {argument} after folding into it"
            self.partials[op.res[output]] = argument

    def check_no_partial(self, op: Operation, value: SSAValue) -> None:
        """``value`` is no reduce argument: ``op`` would not fold into it."""
        if value in self.partials:
            argument = self.partials[value]
            self.fail(op, f"does not fold argument {argument} with {self.privileges[argument].operator}")

    def check_return(self, op: Operation) -> None:
        """Each result is defined, and is the fold if its argument is reduced into."""
        block: Block = self.function.body.blocks[0]
        returned = [k for k, privilege in enumerate(self.privileges) if privilege.returned]
        if len(op.operands) != len(returned):
            self.fail(op, f"returns {len(op.operands)} values where it should return {len(returned)}")
        for position, (value, argument) in enumerate(zip(op.operands, returned, strict=True)):
            privilege = self.privileges[argument]
            if value.type != block.args[argument].type:
                self.fail(op, f"returns a {value.type} as its argument {argument} of {block.args[argument].type}")
            if privilege.reduces:
                if self.partials.get(value) != argument or value is block.args[argument]:
                    self.fail(op, f"does not fold argument {argument} with {privilege.operator}")
                if value in [*op.operands[:position], *op.operands[position + 1 :]]:
                    self.fail(op, f"returns the partial of argument {argument} twice")
            elif value in self.undefined:
                self.fail(op, f"returns {self.undefined[value]} unwritten, as argument {argument}")
            else:
                self.check_no_partial(op, value)
