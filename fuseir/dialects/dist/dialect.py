"""The dialect object."""

from xdsl.ir import Dialect

from fuseir.dialects.dist.attributes import (
    IndexMapAttr,
    NoneAttr,
    PrivilegeAttr,
    ReplicatedAttr,
    StoreType,
    TilingAttr,
    ViewType,
)
from fuseir.dialects.dist.launch import FusedTaskOp, LaunchOp
from fuseir.dialects.dist.ops import FenceOp, ReleaseOp, ScalarOp, StoreOp, SwapOp, ViewOp
from fuseir.dialects.dist.trace import ReplayOp, TraceOp

DIST = Dialect(
    "dist",
    [StoreOp, ScalarOp, ViewOp, LaunchOp, FusedTaskOp, TraceOp, ReplayOp, ReleaseOp, SwapOp, FenceOp],
    [StoreType, ViewType, IndexMapAttr, NoneAttr, ReplicatedAttr, TilingAttr, PrivilegeAttr],
)
