"""Plans in the disk cache, for the next process: it needs no pass, no xDSL and no LLVM to run what this one ran.

A plan is found by the text of its window's key: all that ``window.py`` puts into a key, spelt out so that it means the same in every
process, with the options that decide what becomes of a window. What the key leaves open is bound when a plan runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from fuseir.cache import DiskCache, Entry
from fuseir.codegen.llvm.cache_keys import CacheKeys, keys_of
from fuseir.codegen.llvm.target import host_target
from fuseir.dialects.dist.partition import Partition
from fuseir.dialects.dist.view import View
from fuseir.options import Options
from fuseir.runtime.executors.native_machine import NativeMachine
from fuseir.runtime.forms import Form
from fuseir.runtime.plan import Slot
from fuseir.runtime.plan_checks import check_plan
from fuseir.runtime.plan_format import decode_plan, encode_plan, kernels_of
from fuseir.runtime.planning import Planned
from fuseir.runtime.window import Key


class StoredPlans:
    """The plans in a cache, for sessions with some options."""

    def __init__(self, disk: DiskCache, keys: CacheKeys, machine: NativeMachine, options: Options) -> None:
        self._disk = disk
        self._keys = keys
        self._machine = machine
        self._options = f"threads {machine.pool.participants} fuse {options.fuse}"

    @staticmethod
    def of(disk: DiskCache, machine: NativeMachine, options: Options) -> StoredPlans | None:
        """The plans in a cache; None if nothing is to be looked up or kept."""
        keys = keys_of(host_target()) if disk.active else None
        return None if keys is None else StoredPlans(disk, keys, machine, options)

    def find(self, key: Key) -> Planned | None:
        """The plan of a window; None if there is none, or not all of its kernels are there. Compiles nothing."""
        text = window_text(key)
        return None if text is None else self._disk.get(self._key(text), lambda entry: self._read(key, entry.header))

    def keep(self, key: Key, planned: Planned) -> None:
        """Keep a plan, if another process can know its window, and run it."""
        text = window_text(key)
        header = None if text is None else encode_plan(planned)
        if text is not None and header is not None:
            self._disk.put(self._key(text), Entry(header, b""))

    def _key(self, text: str) -> str:
        return self._keys.key("plan", f"{self._options}\n{text}")

    def _read(self, key: Key, header: Mapping[str, Any]) -> Planned | None:
        forms = [form for form in key.forms if form is not None]
        scalars = sum(len(form.instance.scalar_types) for form in forms)
        try:
            if not self._machine.find(*kernels_of(header)):
                return None
            planned = decode_plan(header, self._machine.kernels, self._machine.pool)
            check_plan(
                planned.plan,
                [Slot(None, signature.store_shape, signature.dtype) for signature in key.signatures],
                scalars,
            )
        except (KeyError, IndexError, TypeError, ValueError, OverflowError):
            return None
        taken = range(len(forms)) if planned.taken is None else planned.taken
        return planned if all(number < len(forms) for number in taken) else None


def window_text(key: Key) -> str | None:
    """The key of a window as text that means the same in every process; None if there is none, as an opaque task is in it."""
    parts: list[str] = [f"first task {key.full}"]
    texts: dict[Form, str | None] = {}
    for form in key.forms:
        if form is None:
            parts.append("fence")
            continue
        if form not in texts:
            texts[form] = _form_text(form)
        text = texts[form]
        if text is None:
            return None
        parts.append(text)
    parts.append(" ".join(map(str, key.numbers)))
    parts += [
        f"{signature.store_shape} {signature.dtype.str} {life}"
        for signature, life in zip(key.signatures, key.lives, strict=True)
    ]
    return "\n".join(parts)


def _form_text(form: Form) -> str | None:
    """What a launch does, and on which pieces. The digest of a kernel stands for its text."""
    instance = form.instance
    if instance.kernel_digest is None:
        return None
    privileges = " ".join(map(str, instance.privileges))
    tensors = " ".join(f"{dtype.str}{rank}" for dtype, rank in instance.argument_types)
    scalars = " ".join(dtype.str for dtype in instance.scalar_types)
    pieces = (_pieces_text(*pieces) for pieces in zip(form.views, form.partitions, strict=True))
    return f"{instance.kernel_digest} ({privileges}) ({tensors}) ({scalars}) {form.domain} {'; '.join(pieces)}"


@lru_cache(maxsize=4096)
def _pieces_text(view: View, partition: Partition) -> str:
    """Both are data classes, whose text has all fields."""
    return f"{view!r} {partition!r}"
