"""Plans made on a thread of their own, while what they are for runs another way (``Options.background``).

One thread a session, as long as there is something to do; all sessions of a process take turns. What is done is collected by whoever
submitted it, so that nothing changes under anybody's hands.
"""

from __future__ import annotations

import atexit
import os
import threading
import weakref
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from fuseir.runtime.planning import Planned
from fuseir.runtime.window import Segment


class Done(NamedTuple):
    """What became of a window to be planned: the plan, or what it failed with."""

    segment: Segment
    outcome: Planned | Exception


class Background:
    """Jobs that are waiting, and those that are done. All calls come from one thread at a time, which is not the one that works."""

    def __init__(self, make: Callable[[Segment], Planned]) -> None:
        self._make = make
        self._waiting: deque[Segment] = deque()
        self._done: deque[Done] = deque()
        self._thread: threading.Thread | None = None
        _all.add(self)

    def submit(self, segment: Segment) -> None:
        """Has a plan made."""
        self._waiting.append(segment)
        self._see_that_it_works()

    def collect(self) -> list[Done]:
        """What was done since the last time."""
        if self._waiting:
            self._see_that_it_works()
        return [self._done.popleft() for _ in range(len(self._done))]

    def wait(self) -> None:
        """Waits until nothing is left to do."""
        while self._waiting or (self._thread is not None and self._thread.is_alive()):
            self._see_that_it_works()
            assert self._thread is not None
            self._thread.join()

    def stop(self) -> None:
        """Forgets what is waiting, and waits for what is being done."""
        self._waiting.clear()
        if self._thread is not None:
            self._thread.join()

    def _see_that_it_works(self) -> None:
        # A thread ends when it finds nothing to do; a forked child has none of its parent\'s.
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._work, name="fuseir-plans", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        # A job stays in its place until it is done: in a child that was forked meanwhile, it is still to do.
        while self._waiting:
            with _turn:
                try:
                    segment = self._waiting[0]
                except IndexError:  # forgotten by now
                    return
                try:
                    outcome = self._make(segment)
                except Exception as error:
                    outcome = error
                self._done.append(Done(segment, outcome))
                with suppress(IndexError):
                    self._waiting.popleft()


_all: weakref.WeakSet[Background] = weakref.WeakSet()

_turn = threading.Lock()
"""Held while a job is done. Nobody forks then: LLVM and its binding have locks, which would stay locked in the child."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_turn.acquire, after_in_parent=_turn.release, after_in_child=_turn.release)


def _stop_all() -> None:
    """At exit: no thread is left to come back to an interpreter that is gone."""
    for background in list(_all):
        background.stop()


atexit.register(_stop_all)
