"""The kernel contract of docs/kernels.md, section 1, as code.

``verify_kernel`` says whether a function keeps it, ``extent_classes`` what it assumes about the shapes of its tiles,
``kernel_privileges`` what its arguments are for; ``operators`` holds the reduction operators of kernels.
"""

from __future__ import annotations

from fuseir.dialects.kernel.contract import KernelError, verify_kernel
from fuseir.dialects.kernel.extents import ExtentClasses, extent_classes, is_divisible
from fuseir.dialects.kernel.generic import is_scalar_operation
from fuseir.dialects.kernel.operators import (
    combiner_operator,
    compares_unsigned,
    fold_of,
    folds_into,
    identity_constant,
    identity_of,
)
from fuseir.dialects.kernel.privileges import (
    PRIVILEGES_ATTRIBUTE,
    destination_root,
    is_kernel,
    kernel_privileges,
    privileges_attribute,
    result_parameters,
)
from fuseir.dialects.kernel.sources import Source, sources_of_results
from fuseir.dialects.kernel.types import is_lowered, lowered_type

__all__ = [
    "PRIVILEGES_ATTRIBUTE",
    "ExtentClasses",
    "KernelError",
    "Source",
    "combiner_operator",
    "compares_unsigned",
    "destination_root",
    "extent_classes",
    "fold_of",
    "folds_into",
    "identity_constant",
    "identity_of",
    "is_divisible",
    "is_kernel",
    "is_lowered",
    "is_scalar_operation",
    "kernel_privileges",
    "lowered_type",
    "privileges_attribute",
    "result_parameters",
    "sources_of_results",
    "verify_kernel",
]
