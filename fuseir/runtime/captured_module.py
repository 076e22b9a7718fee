"""A captured window as a `dist` module: the only place in the runtime that builds IR."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import lru_cache
from itertools import count
from typing import Any

import numpy as np
from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    FileLineColLoc,
    Float32Type,
    Float64Type,
    FloatAttr,
    IntAttr,
    IntegerAttr,
    IntegerType,
    ModuleOp,
    Signedness,
    StringAttr,
    TensorType,
    UnitAttr,
)
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, Operation, SSAValue

from fuseir.dialects.dist.attributes import StoreType, kernel_element_type, partition_attr
from fuseir.dialects.dist.launch import LaunchOp
from fuseir.dialects.dist.ops import INPUT_ONLY, FenceOp, ReleaseOp, ScalarOp, StoreOp, ViewOp
from fuseir.dialects.dist.partition import Shape
from fuseir.dialects.dist.view import View
from fuseir.dtypes import ELEMENT_NAMES
from fuseir.location import CallSite
from fuseir.passes.pipelines import no_garbage_collection
from fuseir.runtime.plan import Number
from fuseir.runtime.stores import RootStore
from fuseir.runtime.tasks import TaskInstance
from fuseir.runtime.window import Launch, Life, Segment


class CapturedModule:
    """A window as IR, with what the IR cannot hold: the callables of opaque tasks."""

    def __init__(self) -> None:
        self.module = ModuleOp([])
        self.opaque_tasks: dict[str, Callable[..., None]] = {}
        self.digests: dict[str, str] = {}
        """Of the kernels, by symbol."""


def capture_module(segment: Segment) -> CapturedModule:
    """The `dist` module of a window, stores and scalars in order of first occurrence.

    A store is named unless it comes and goes inside the window: names are what the world outside can see. A release stands behind
    the last launch that uses its store, whenever it came, and a fence between launches only: a window's key leaves open no more
    than names, places and scalars.
    """
    with no_garbage_collection():
        return _captured(segment)


def _captured(segment: Segment) -> CapturedModule:
    builder = _ModuleBuilder(segment)
    remaining = Counter(root for launch in segment.launches for root in launch.roots)
    for launch in segment.entries:
        if launch is None:
            builder.append(FenceOp.create())
            continue
        builder.launch(launch)
        remaining.subtract(launch.roots)
        for root in dict.fromkeys(launch.roots):
            if not remaining[root]:
                builder.release(root)
    return builder.captured


class _ModuleBuilder:
    def __init__(self, segment: Segment) -> None:
        self.captured = CapturedModule()
        self.block = self.captured.module.body.block
        self.lives = dict(zip(segment.roots, segment.key.lives, strict=True))
        self.stores: dict[RootStore, SSAValue] = {}
        self.views: dict[tuple[RootStore, View], SSAValue] = {}
        self.names: set[str] = set()
        self.symbols: dict[TaskInstance, str] = {}
        self.last_function: Operation | None = None
        self.scalar_count = 0

    def append(self, op: Operation) -> None:
        self.block.add_op(op)

    def launch(self, record: Launch) -> None:
        instance = record.instance
        arguments = [self.view(root, view) for root, view in zip(record.roots, record.views, strict=True)]
        scalars = [
            self.scalar(value, dtype) for value, dtype in zip(record.scalars, instance.scalar_types, strict=True)
        ]
        op = LaunchOp(
            self.symbol(instance),
            record.domain,
            arguments,
            instance.privileges,
            [partition_attr(partition) for partition in record.partitions],
            scalars,
        )
        op.location = _location(record.site)
        self.append(op)

    def release(self, root: RootStore) -> None:
        if self.lives[root] is not Life.HELD:
            self.append(ReleaseOp(self.stores[root]))

    def store(self, root: RootStore) -> SSAValue:
        known = self.stores.get(root)
        if known is None:
            name, life = None, self.lives[root]
            if life is not Life.INTERNAL:
                name = self._fresh(root.name or f"s{len(self.stores)}")
            op = StoreOp(_store_type(root.shape, root.dtype), name)
            if life is Life.RELEASED:
                op.attributes[INPUT_ONLY] = UnitAttr()
            self.append(op)
            if name is None and SSAValue.is_valid_name(root.name):
                # For people who read remarks and dumps: what is internal to the window has no name in the program.
                op.result.name_hint = root.name
            known = self.stores[root] = op.result
        return known

    def view(self, root: RootStore, view: View) -> SSAValue:
        store = self.store(root)
        if view.index_map is None:
            return store
        known = self.views.get((root, view))
        if known is None:
            op = ViewOp(store, view, element_attribute(root.dtype))
            self.append(op)
            known = self.views[root, view] = op.result
        return known

    def scalar(self, value: Number, dtype: np.dtype[Any]) -> SSAValue:
        scalar_type = kernel_element_type(element_attribute(dtype))
        op = ScalarOp(scalar_type, self._fresh(f"a{self.scalar_count}"), number_attribute(value, scalar_type))
        self.scalar_count += 1
        self.append(op)
        return op.result

    def _fresh(self, name: str) -> str:
        unique, suffixes = name, count(1)
        while unique in self.names:
            unique = f"{name}_{next(suffixes)}"
        self.names.add(unique)
        return unique

    def symbol(self, instance: TaskInstance) -> str:
        known = self.symbols.get(instance)
        if known is None:
            known = self.symbols[instance] = self._fresh(instance.symbol)
            self._declare(instance, known)
        return known

    def _declare(self, instance: TaskInstance, symbol: str) -> None:
        if instance.kernel is not None and instance.kernel_digest is not None:
            function = instance.kernel.clone()
            function.sym_name = StringAttr(symbol)
            self.captured.digests[symbol] = instance.kernel_digest
        else:
            tiles = [
                TensorType(kernel_element_type(element_attribute(dtype)), [DYNAMIC_INDEX] * rank)
                for dtype, rank in instance.argument_types
            ]
            inputs = [*tiles, *(kernel_element_type(element_attribute(dtype)) for dtype in instance.scalar_types)]
            outputs = [tile for tile, privilege in zip(tiles, instance.privileges, strict=True) if privilege.returned]
            function = FuncOp.external(symbol, inputs, outputs)
            assert instance.function is not None
            self.captured.opaque_tasks[symbol] = instance.function
        # Functions stand together at the top, in order of first use.
        if self.last_function is not None:
            self.block.insert_op_after(function, self.last_function)
        elif self.block.first_op is not None:
            self.block.insert_op_before(function, self.block.first_op)
        else:
            self.block.add_op(function)
        self.last_function = function


@lru_cache(maxsize=1024)
def _store_type(shape: Shape, dtype: np.dtype[Any]) -> StoreType:
    return StoreType(shape, element_attribute(dtype))


def element_attribute(dtype: np.dtype[Any]) -> Attribute:
    """The IR's element type of a dtype."""
    name = ELEMENT_NAMES[dtype]
    if name == "f32":
        return Float32Type()
    if name == "f64":
        return Float64Type()
    if name.startswith("u"):
        return IntegerType(int(name[2:]), Signedness.UNSIGNED)
    return IntegerType(int(name[1:]))


def number_attribute(value: Number, number_type: Attribute) -> IntegerAttr | FloatAttr:
    """A number as an attribute of a kernel element type; integers wrap to its width."""
    if isinstance(number_type, IntegerType):
        width = number_type.width.data
        wrapped = int(value) & ((1 << width) - 1)
        if width > 1 and wrapped >> (width - 1):
            wrapped -= 1 << width
        return IntegerAttr(wrapped, number_type)
    assert isinstance(number_type, Float32Type | Float64Type)
    return FloatAttr(float(value), number_type)


@lru_cache(maxsize=1024)
def _location(site: CallSite) -> FileLineColLoc:
    resolved = site.resolve()
    return FileLineColLoc(StringAttr(resolved.file), IntAttr(resolved.line), IntAttr(resolved.column))
