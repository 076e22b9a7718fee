"""The format of one entry: a mark, a SHA-256 of all that follows, a JSON header, and raw bytes.

Nothing in it can run by being read: no pickle, no marshal, no Python source. What is damaged anywhere is no entry.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MARK = b"FuseIR cache 1\n\0"
"""How every entry starts; the number is that of this format."""

_DIGEST = 32
_LENGTH = 4
_START = len(MARK) + _DIGEST


@dataclass(frozen=True)
class Entry:
    """What is kept under a key: ``header`` is whatever JSON can say, ``payload`` any bytes."""

    header: Mapping[str, Any]
    payload: bytes


def encode(key: str, entry: Entry) -> bytes:
    """The bytes of an entry. Equal entries have equal bytes."""
    header = json.dumps({**entry.header, "key": key}, sort_keys=True, separators=(",", ":")).encode("ascii")
    rest = len(header).to_bytes(_LENGTH, "little") + header + entry.payload
    return MARK + _digest(rest) + rest


def decode(key: str, data: bytes) -> Entry | None:
    """The entry that ``encode`` made these bytes of for this key; None for any other bytes. Raises nothing."""
    if not data.startswith(MARK) or _digest(data[_START:]) != data[len(MARK) : _START]:
        return None
    payload = _START + _LENGTH + int.from_bytes(data[_START : _START + _LENGTH], "little")
    try:
        header = json.loads(data[_START + _LENGTH : payload])
    except (ValueError, RecursionError):
        return None
    if payload > len(data) or not isinstance(header, dict) or header.pop("key", None) != key:
        return None
    return Entry(header, data[payload:])


def _digest(rest: bytes) -> bytes:
    return hashlib.sha256(MARK + rest).digest()
