"""Frozen functions: what a function launches is captured once, and run again without calling it.

The first call with arguments of some kind runs the function, and plans all that it launched as one segment. Later calls bind the plan to
the arguments' stores, make new stores for the results, and run it: one native call, whatever the number of launches. It is a promise of
the function's author that nothing but the arguments decides what it launches.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Sequence
from itertools import islice
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fuseir.errors import FreezeWarning, UsageError
from fuseir.runtime.arrays import Array
from fuseir.runtime.device_arrays import contents_on_host
from fuseir.runtime.signatures import Signature
from fuseir.runtime.stores import Handle, RootStore, Store
from fuseir.runtime.window import Launch, Segment

if TYPE_CHECKING:
    from fuseir.runtime.planning import Planned
    from fuseir.runtime.session import Session

_MOST_RECORDINGS = 64

_PLAIN = (bool, int, str, bytes, type(None), type(Ellipsis), np.dtype)
_BY_IDENTITY = (type, ModuleType, FunctionType, BuiltinFunctionType)
_KINDS = "stores, numbers, strings, functions, and tuples, lists and dicts of them"


class Frozen:
    """A function whose launches are captured once for each kind of arguments. Made by ``fuseir.freeze``."""

    def __init__(self, function: Callable[..., Any], warn_after: int) -> None:
        functools.update_wrapper(self, function)
        self._function = function
        self._name = f"'{getattr(function, '__name__', function)}'"
        self._warn_after = warn_after
        self._recordings: dict[Any, Recording] = {}
        self._recorded = 0

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        """Calls the function, or runs what it launched when it was called with such arguments before.

        Raises UsageError for arguments and results that are not made of stores, numbers, strings and functions, and where the function
        reads a store, launches on one that is neither an argument nor made by itself, or keeps one that it does not return.
        """
        stores: list[Handle] = []
        key = _key((args, keywords), stores, {})
        recording = self._recordings.get(key)
        if not stores:
            raise UsageError(f"{self._name} is frozen: it needs a store among its arguments")
        session = stores[0].session
        if session.is_recording:
            return self._function(*args, **keywords)  # a part of what is being recorded
        if recording is not None:
            return recording.replay(session, stores)
        self._recorded += 1
        if self._recorded == self._warn_after:
            warnings.warn(
                f"{self._name} is frozen, and was captured anew for {self._recorded} kinds of arguments: a number that changes is best "
                "passed as a store of rank 0",
                FreezeWarning,
                stacklevel=2,
            )
        recording, result = _record(session, self._name, lambda: self._function(*args, **keywords), stores)
        if recording is not None:
            if len(self._recordings) >= _MOST_RECORDINGS:
                del self._recordings[next(iter(self._recordings))]
            self._recordings[key] = recording
        return result


def _key(value: Any, stores: list[Handle], numbers: dict[RootStore, int]) -> Any:
    """What of an argument decides what a function launches. Adds its stores to ``stores``. Raises UsageError."""
    if isinstance(value, Handle):
        stores.append(value)
        return value.signature, numbers.setdefault(value.root, len(numbers))
    kind = type(value)
    if kind is tuple or kind is list:
        return kind, tuple([_key(each, stores, numbers) for each in value])
    if kind is dict:
        return kind, tuple([(name, _key(each, stores, numbers)) for name, each in value.items()])
    if kind is float:
        return kind, value.hex()  # 0.0 and -0.0 are equal, and not the same argument
    if kind is slice:
        return kind, value.start, value.stop, value.step
    if isinstance(value, np.generic):
        return kind, value.tobytes()
    if isinstance(value, (*_PLAIN, *_BY_IDENTITY)):
        return kind, value
    raise UsageError(f"a frozen function takes {_KINDS}, not {kind.__name__}")


def _template(value: Any, stores: list[Handle]) -> Callable[[Sequence[Handle]], Any]:
    """What makes a result like this one, of other stores. Adds the result's stores to ``stores``. Raises UsageError."""
    if isinstance(value, Handle):
        place = len(stores)
        stores.append(value)
        return lambda made: made[place]
    kind = type(value)
    if kind is tuple or kind is list:
        parts = [_template(each, stores) for each in value]
        if kind is tuple:
            return lambda made: tuple([part(made) for part in parts])
        return lambda made: [part(made) for part in parts]
    if kind is dict:
        entries = [(name, _template(each, stores)) for name, each in value.items()]
        return lambda made: {name: part(made) for name, part in entries}
    if isinstance(value, (float, np.generic, *_PLAIN, *_BY_IDENTITY)):
        constant: Any = value
        return lambda made: constant
    raise UsageError(f"a frozen function returns {_KINDS}, not {kind.__name__}")


def _record(
    session: Session, name: str, function: Callable[[], Any], stores: Sequence[Handle]
) -> tuple[Recording | None, Any]:
    """Runs a function on these stores, and then what it launched as one segment. No recording if that is nothing.

    Raises what the function raises, and UsageError: what was launched until then stays captured.
    """
    with session.recording(name) as made:
        result = function()
        segment = session.take_recorded()
        if segment is None:
            return None, result
        given = {store.root: k for k, store in reversed(list(enumerate(stores)))}
        try:
            recording = Recording(session, segment, given, made, result)
            recording.check(name, segment, {*given, *made})
        except UsageError:
            session.put_back(segment)
            raise
        recording.planned = session.run_recorded(segment)
    return recording, result


class _New(NamedTuple):
    """A store that each call makes: its number in the segment, if any launch uses it, and what it is filled with, if it is."""

    number: int | None
    signature: Signature
    name: str | None
    contents: Array | None

    def make(self, session: Session) -> Store:
        root = RootStore(self.signature, self.name, None if self.contents is None else self.contents.copy())
        return Store(session, root, self.signature)


class Recording:
    """What a frozen function launched, ready to run on other stores. Keeps none of the stores it was recorded on.

    ``planned`` is set when it runs for the first time.
    """

    planned: Planned

    def __init__(
        self,
        session: Session,
        segment: Segment,
        given: dict[RootStore, int],
        made: Sequence[RootStore],
        result: Any,
    ) -> None:
        needed, changed = _uses(segment)
        returned: list[Handle] = []
        self._rebuild = _template(result, returned)
        filled = [root for root in made if root.buffer is not None]
        new = list(dict.fromkeys([store.root for store in returned if store.root not in given]))
        new += [root for root in filled if root in changed and root not in new]
        # What is filled and then only read is the same in each call: a handle keeps it.
        self._kept = [root.handle() or Store(session, root, root.signature) for root in filled if root not in new]
        self.key = segment.key  # what lives on is decided here
        self.scalars = segment.scalars
        self.launches = [(each.form, each.code, each.instruction) for each in segment.launches]
        numbers = {root: number for number, root in enumerate(segment.roots)}
        places = {root: place for place, root in enumerate(new)}
        self._given = [(numbers[root], k) for root, k in given.items() if root in numbers]
        self._needed = [given[root] for root in needed if root in given]
        self._written = [given[root] for root in changed if root in given]
        self._new = [
            _New(
                numbers.get(root),
                root.signature,
                root.name,
                None if root.buffer is None else np.array(contents_on_host(root.buffer)),
            )
            for root in new
        ]
        self._written_new = [places[root] for root in changed if root in places]
        self._returned = [
            (type(store), store.signature, given.get(store.root), places.get(store.root)) for store in returned
        ]
        # Stores that come and go in a call have no memory between calls, so that all calls may use the same.
        self._inside = [root for root in segment.roots if root not in given and root not in places]
        self._roots = [None if root in given or root in places else root for root in segment.roots]

    def check(self, name: str, segment: Segment, known: set[RootStore]) -> None:
        """Raises UsageError where other calls would need stores that only this one has."""
        inside = {root for root in self._inside if not root.released and root.handle() not in self._kept}
        for launch in segment.launches:
            for root in launch.roots:
                what = None
                if root not in known:
                    what = "that is neither an argument nor made by itself: pass it as an argument"
                elif root in inside:
                    what = "that it made and that is kept somewhere: return it"
                if what is not None:
                    raise UsageError(
                        f"{name} is frozen, and uses a store of shape {root.shape} {what}",
                        location=launch.site.resolve(),
                    )

    def replay(self, session: Session, stores: Sequence[Handle]) -> Any:
        """Runs the launches on other stores of the same kinds, and returns what the function would have returned.

        Raises what a task fails with, as if the function's launches had been run by a flush.
        """
        made = [new.make(session) for new in self._new]
        roots: list[Any] = self._roots.copy()
        for number, k in self._given:
            roots[number] = stores[k].root
        for new, store in zip(self._new, made, strict=True):
            if new.number is not None:
                roots[new.number] = store.root
        try:
            needed = [stores[k] for k in self._needed]
            written = [*(stores[k] for k in self._written), *(made[place] for place in self._written_new)]
            session.run_frozen(Call(self, roots), needed, written)
        except BaseException:
            for root in self._inside:
                root.lose(None)
            raise
        results: list[Handle] = []
        for kind, signature, k, place in self._returned:
            base = stores[k] if k is not None else made[place or 0]
            results.append(kind(session, base.root, signature, base.first))
        return self._rebuild(results)


class Call:
    """A recording bound to the stores of one call. Runs as a ``Segment`` does."""

    __slots__ = ("_recording", "key", "planned", "roots", "scalars")

    def __init__(self, recording: Recording, roots: Sequence[RootStore]) -> None:
        self._recording = recording
        self.key = recording.key
        self.planned = recording.planned
        self.roots = roots
        self.scalars = recording.scalars

    @property
    def launches(self) -> list[Launch]:
        """The launches, on the stores of this call, at the lines where they were captured."""
        numbers = iter(self._recording.key.numbers)
        return [
            Launch(form, tuple([self.roots[k] for k in islice(numbers, len(form.views))]), (), code, instruction)
            for form, code, instruction in self._recording.launches
        ]


def _uses(segment: Segment) -> tuple[list[RootStore], list[RootStore]]:
    """The roots whose contents the segment needs, and those it changes."""
    needed: dict[RootStore, None] = {}
    changed: dict[RootStore, None] = {}
    for launch in segment.launches:
        uses = list(zip(launch.roots, launch.instance.privileges, strict=True))
        needed.update({root: None for root, p in uses if (p.reads or p.reduces) and root not in changed})
        changed.update({root: None for root, p in uses if p.returned})
    return list(needed), list(changed)
