"""Object code of one function that kernels or executors call, and its form as an entry of the disk cache."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from fuseir.cache import Entry
from fuseir.codegen.llvm.math_functions import allowed_externs

SYMBOL = re.compile(r"fz_[a-z]+_[0-9]+_[0-9a-f]{12}")
"""What this package calls functions."""


@dataclass(frozen=True)
class ObjectCode:
    """Object code that defines ``symbol``. Good only for the same processor and package versions.

    ``externs`` are functions of the closed table that it calls, ``support`` the support functions: their symbols.
    """

    symbol: str
    code: bytes
    externs: tuple[str, ...]
    support: tuple[str, ...] = ()

    def entry(self, support_keys: dict[str, str]) -> Entry:
        """The entry of the disk cache, which says under which keys the support functions are."""
        keys = {symbol: support_keys[symbol] for symbol in self.support}
        return Entry({"symbol": self.symbol, "externs": self.externs, "support": keys}, self.code)


def object_of(entry: Entry) -> tuple[ObjectCode, dict[str, str]] | None:
    """The code of an entry, and the keys of its support functions; None for what this package never wrote."""
    match entry.header:
        case {"symbol": str(symbol), "externs": list(externs), "support": dict(support)}:
            names = _texts(externs)
            keys = {symbol: key for symbol, key in support.items() if isinstance(key, str)}
            symbols = [symbol, *keys]
            known = allowed_externs().issuperset(names) and all(SYMBOL.fullmatch(each) for each in symbols)
            if not known or len(names) < len(externs) or len(keys) < len(support) or not entry.payload:
                return None
            return ObjectCode(symbol, entry.payload, names, tuple(keys)), keys
        case _:
            return None


def _texts(values: list[Any]) -> tuple[str, ...]:
    return tuple(value for value in values if isinstance(value, str))
