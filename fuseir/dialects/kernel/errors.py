"""The error of the kernel contract."""

from __future__ import annotations

from xdsl.ir import Operation
from xdsl.utils.exceptions import VerifyException


class KernelError(VerifyException):
    """A rule of the kernel contract broken at ``operation``."""

    def __init__(self, operation: Operation, message: str) -> None:
        super().__init__(message)
        self.operation = operation
