"""What a program asks of whoever runs it: its named stores and scalars, which of them it needs, and whether what is given fits.

Shared by the executors that run whole modules and by the tools.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Attribute, SSAValue

from fuseir.dialects.dist.attributes import ShapedStoreType
from fuseir.dialects.dist.launch import FusedTaskOp, LaunchOp
from fuseir.dialects.dist.ops import ScalarOp, StoreOp, SwapOp
from fuseir.dialects.dist.trace import refuse_replays
from fuseir.dtypes import DTYPES
from fuseir.errors import DTypeError, ShapeError, UsageError

Array: TypeAlias = NDArray[Any]
Number: TypeAlias = bool | int | float | np.generic


def named_stores(module: ModuleOp) -> dict[str, StoreOp]:
    """The program's inputs and outputs, in program order."""
    return {op.store_name.data: op for op in module.ops if isinstance(op, StoreOp) and op.store_name is not None}


def named_scalars(module: ModuleOp) -> dict[str, ScalarOp]:
    """The scalars that a run may set, in program order."""
    return {op.scalar_name.data: op for op in module.ops if isinstance(op, ScalarOp) and op.scalar_name is not None}


def launches_and_swaps(module: ModuleOp) -> list[LaunchOp | SwapOp]:
    """All that changes what stores hold, in program order; the members of a fused task stand for it.

    Raises UnsupportedError for programs that replay traces.
    """
    refuse_replays(module, "who runs programs")
    found: list[LaunchOp | SwapOp] = []
    for op in module.ops:
        if isinstance(op, FusedTaskOp):
            found += op.members
        elif isinstance(op, LaunchOp | SwapOp):
            found.append(op)
    return found


def launches(module: ModuleOp) -> list[LaunchOp]:
    """Every launch in program order; those of a fused task stand for it."""
    return [op for op in launches_and_swaps(module) if isinstance(op, LaunchOp)]


def needed_inputs(module: ModuleOp, outputs: Collection[str] = ()) -> list[str]:
    """The named stores whose contents at the start matter, in program order.

    Those are all that are used, but for stores that a launch replaces as a whole before any other use; a store that is only ever written in
    parts needs its other parts. Contents that nobody uses matter if a store has them at the end that is wanted (``outputs``).
    """
    uses = _first_uses(module)
    kept = {uses.origins.get(op.result, op.result) for name, op in named_stores(module).items() if name in outputs}
    return [name for name, op in named_stores(module).items() if uses.matters.get(op.result, op.result in kept)]


def undefined_outputs(module: ModuleOp, inputs: Collection[str]) -> set[str]:
    """The named stores that hold, wholly or in part, nothing in particular at the end of a run that is given these inputs.

    ``inputs`` are at least the ``needed_inputs``.
    """
    uses, stores = _first_uses(module), named_stores(module)
    given = {stores[name].result for name in inputs}

    def undefined(root: SSAValue) -> bool:
        origin = uses.origins.get(root, root)
        if isinstance(origin.owner, StoreOp) and origin.owner.store_name is None:
            return uses.matters.get(origin, True)  # its first write left some of it out
        return origin not in uses.matters and origin not in given

    return {name for name, op in stores.items() if undefined(op.result)}


class _FirstUses(NamedTuple):
    """What a program does with what its stores hold at the start."""

    matters: dict[SSAValue, bool]
    """Whether contents at the start are needed, or replaced before any other use; no entry where nothing uses them."""
    origins: dict[SSAValue, SSAValue]
    """The stores from which, by swaps, each store has what it holds at the end, or what launches made of it."""


def _first_uses(module: ModuleOp) -> _FirstUses:
    matters: dict[SSAValue, bool] = {}
    origins: dict[SSAValue, SSAValue] = {}
    for op in launches_and_swaps(module):
        if isinstance(op, SwapOp):
            a, b = op.first, op.second
            origins[a], origins[b] = origins.get(b, b), origins.get(a, a)
            continue
        accesses = op.accesses
        for access in accesses:
            if access.privilege.reads or access.privilege.reduces:
                matters.setdefault(origins.get(access.root, access.root), True)
        for access in accesses:
            if access.privilege.writes:
                matters.setdefault(origins.get(access.root, access.root), not access.covers_root(op.extents))
    return _FirstUses(matters, origins)


def shape_of(value: SSAValue) -> tuple[int, ...]:
    """The shape of a store or a view."""
    assert isinstance(value.type, ShapedStoreType)
    return value.type.extents


def dtype_of_store(value: SSAValue) -> np.dtype[Any]:
    """The dtype of a store's or a view's elements: booleans for ``i1``, signed for ``iN``, unsigned for ``uiN``."""
    assert isinstance(value.type, ShapedStoreType)
    return _dtype(value.type.element_type)


@lru_cache
def _dtype(element_type: Attribute) -> np.dtype[Any]:
    return DTYPES[str(element_type)]


def check_fits(name: str, shape: tuple[int, ...], dtype: np.dtype[Any], store: StoreOp) -> None:
    """Raises DTypeError or ShapeError unless an array of that shape and dtype, in any byte order, can be the store's contents."""
    expected = dtype_of_store(store.result)
    if dtype.newbyteorder("=") != expected:
        raise DTypeError(f"store '{name}' has elements of {expected}, the array given has {dtype}")
    if shape != shape_of(store.result):
        raise ShapeError(f"store '{name}' has shape {list(shape_of(store.result))}, the array given has {list(shape)}")


def fitted_array(name: str, array: Array, store: StoreOp) -> Array:
    """``array`` in native byte order, if it has the store's shape and element type. Raises DTypeError or ShapeError."""
    check_fits(name, array.shape, array.dtype, store)
    return array.astype(dtype_of_store(store.result), copy=False)


def fitted_scalar(name: str, value: Number, scalar: ScalarOp) -> np.generic:
    """``value`` as a scalar of the declared type. Integers may be given in their signed or unsigned reading.

    Raises DTypeError for a value that the type cannot hold.
    """
    element_type = str(scalar.result.type)
    dtype = DTYPES[element_type]
    if dtype.kind == "f":
        with np.errstate(all="ignore"):
            return dtype.type(value)
    if not isinstance(value, bool | int | np.integer | np.bool_):
        raise DTypeError(f"scalar '{name}' has type {element_type}: {value!r} is no integer")
    width = 1 if dtype.kind == "b" else 8 * dtype.itemsize
    number = int(value)
    if not -(2**width) // 2 <= number < 2**width:
        raise DTypeError(f"scalar '{name}' has type {element_type}, which cannot hold {number}")
    if dtype.kind == "b":
        return np.bool_(number != 0)
    return dtype.type(number - 2**width if number >= 2 ** (width - 1) else number)


def wrapped_scalar(value: Number, scalar: ScalarOp) -> np.generic:
    """``value`` as a scalar of the declared type, as kernels get it: integers wrap, floats round."""
    if DTYPES[str(scalar.result.type)].kind in "iu":
        value = int(value) & (2 ** (8 * DTYPES[str(scalar.result.type)].itemsize) - 1)
    return fitted_scalar("", value, scalar)


def scalar_values(module: ModuleOp, given: Mapping[str, Number]) -> dict[SSAValue, np.generic]:
    """The value of each scalar of the program: what is given, or else its default.

    Raises UsageError for a scalar that has neither and for names that the program does not have, DTypeError for values that do not fit.
    """
    if unknown := sorted(given.keys() - named_scalars(module).keys()):
        raise UsageError(f"the program has no scalar '{unknown[0]}'")
    values: dict[SSAValue, np.generic] = {}
    for op in module.ops:
        if not isinstance(op, ScalarOp):
            continue
        name = None if op.scalar_name is None else op.scalar_name.data
        if name is not None and name in given:
            values[op.result] = fitted_scalar(name, given[name], op)
        elif op.value is not None:
            values[op.result] = fitted_scalar(name or "", op.value.value.data, op)
        else:
            raise UsageError(f"scalar '{name}' has no default and no value is given")
    return values
