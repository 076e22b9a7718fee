"""What stores do not do, refused in one clear message each.

A store has no arithmetic of its own: operators belong to the library that is built on tasks. Left to Python and NumPy, some of these
would be silent (``store == 1`` is False, ``array == store`` too) and others would end in messages about something else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from fuseir.errors import UnsupportedError

_SIGNS = {
    "add": "+",
    "sub": "-",
    "mul": "*",
    "matmul": "@",
    "truediv": "/",
    "floordiv": "//",
    "mod": "%",
    "divmod": "divmod",
    "pow": "**",
    "lshift": "<<",
    "rshift": ">>",
    "and": "&",
    "or": "|",
    "xor": "^",
}
_UNARY = {"neg": "-", "pos": "+", "invert": "~", "abs": "abs"}
_COMPARISONS = {"lt": "<", "le": "<=", "gt": ">", "ge": ">="}


class StoreOperatorError(UnsupportedError, TypeError):
    """An operator, or a protocol of Python or NumPy, that stores do not have."""


def _refused(sign: str) -> Callable[..., NoReturn]:
    def refuse(_self: Any, *_operands: Any) -> NoReturn:
        raise StoreOperatorError(
            f"stores have no operator '{sign}': launch a task that computes it, or compute with .numpy()"
        )

    return refuse


class RefusedOperators:
    """Every operator of Python and every ufunc of NumPy, refused."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        # Weak references and containers compare what is one and the same object, which is no question about elements.
        if other is self:
            return True
        raise StoreOperatorError(
            "stores are not compared by '==' or '!=': launch a task that compares elements, compare .numpy(), or ask 'is'"
        )

    __hash__ = object.__hash__

    def __setitem__(self, index: Any, value: Any) -> NoReturn:
        raise StoreOperatorError("stores are not assigned to: launch a task that writes the view store[...]")

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **keywords: Any) -> NoReturn:
        raise StoreOperatorError(
            f"numpy.{ufunc.__name__} does not take stores: launch a task that computes it, or pass .numpy()"
        )

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise StoreOperatorError(
            "a store belongs to its session and cannot be pickled or deep-copied: take .numpy() and make a store of it"
        )


for _name, _sign in _SIGNS.items():
    for _prefix in ("", "r", "i"):
        # An in-place operator is refused under its own sign; divmod has none.
        if (_name, _prefix) != ("divmod", "i"):
            setattr(RefusedOperators, f"__{_prefix}{_name}__", _refused(_sign + "=" * (_prefix == "i")))
for _name, _sign in {**_UNARY, **_COMPARISONS}.items():
    setattr(RefusedOperators, f"__{_name}__", _refused(_sign))
