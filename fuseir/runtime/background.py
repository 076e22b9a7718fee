"""Jobs that a thread of their own does, while the program goes on: plans that are made (``Options.background``), tokens that are mined.

What is done is collected by whoever submitted it, in the order in which it was submitted, so that nothing changes under anybody's hands.
"""

from __future__ import annotations

import atexit
import os
import threading
import weakref
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Any, Generic, NamedTuple, TypeVar

Job = TypeVar("Job")
Result = TypeVar("Result")


class Done(NamedTuple, Generic[Job, Result]):
    """What became of a job: a result, or what it failed with."""

    job: Job
    outcome: Result | Exception


class _Entry(Generic[Job, Result]):
    """A job, and what became of it as soon as that is known."""

    __slots__ = ("done", "job")

    def __init__(self, job: Job) -> None:
        self.job = job
        self.done: Done[Job, Result] | None = None


class Background(Generic[Job, Result]):
    """Jobs that are waiting, and those that are done. All calls come from one thread at a time, which is not the one that works.

    The thread ends when it has found nothing to do for ``linger`` seconds: to start one takes a tenth of a millisecond. ``turn`` is held
    while a job is done.
    """

    def __init__(
        self,
        work: Callable[[Job], Result],
        *,
        name: str,
        linger: float = 0.0,
        turn: AbstractContextManager[Any] | None = None,
    ) -> None:
        self._work = work
        self._name = name
        self._linger = linger
        self._turn = nullcontext() if turn is None else turn
        self._waiting: deque[_Entry[Job, Result]] = deque()
        self._submitted: deque[_Entry[Job, Result]] = deque()  # and not collected
        self._thread: threading.Thread | None = None
        self._more = threading.Event()
        self._ending = False
        _all.add(self)

    def submit(self, job: Job) -> None:
        """Has a job done."""
        entry: _Entry[Job, Result] = _Entry(job)
        self._submitted.append(entry)
        self._waiting.append(entry)
        self._see_that_it_works()

    @property
    def in_flight(self) -> int:
        """How many jobs were submitted and not collected."""
        return len(self._submitted)

    @property
    def ready(self) -> int:
        """How many of these are done: always the first."""
        if self._waiting:
            self._see_that_it_works()
        return sum(entry.done is not None for entry in self._submitted)

    def collect(self, most: int | None = None) -> list[Done[Job, Result]]:
        """What was done since the last time, or the first ``most`` of it."""
        count = self.ready if most is None else min(most, self.ready)
        entries = [self._submitted.popleft() for _ in range(count)]
        return [entry.done for entry in entries if entry.done is not None]

    def wait(self) -> None:
        """Waits until nothing is left to do."""
        while self._waiting or (self._thread is not None and self._thread.is_alive()):
            self._see_that_it_works()
            self._end_thread()

    def stop(self) -> None:
        """Forgets what is waiting, and waits for what is being done."""
        self._waiting.clear()
        self._end_thread()
        self._submitted = deque(entry for entry in self._submitted if entry.done is not None)

    def _see_that_it_works(self) -> None:
        # A thread ends when it finds nothing to do; a forked child has none of its parent's.
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()
        else:
            self._more.set()

    def _end_thread(self) -> None:
        if self._thread is not None:
            self._ending = True
            self._more.set()
            self._thread.join()
            self._ending = False

    def _run(self) -> None:
        while True:
            self._more.clear()
            self._do_what_is_waiting()
            if self._ending or not self._more.wait(self._linger):
                return

    def _do_what_is_waiting(self) -> None:
        # A job stays in its place until it is done: in a child that was forked meanwhile, it is still to do.
        while self._waiting:
            with self._turn:
                try:
                    entry = self._waiting[0]
                except IndexError:  # forgotten by now
                    return
                if entry.done is None:
                    entry.done = Done(entry.job, self._attempt(entry.job))
                with suppress(IndexError):
                    self._waiting.popleft()

    def _attempt(self, job: Job) -> Result | Exception:
        try:
            return self._work(job)
        except Exception as error:
            return error

    def forked(self) -> None:
        """In the child: the thread that may have held the event's lock is not there."""
        self._more = threading.Event()
        self._ending = False


_all: weakref.WeakSet[Background[Any, Any]] = weakref.WeakSet()

planning_turn = threading.Lock()
"""Held while a plan is made: all sessions of a process take turns. Nobody forks then: LLVM and its binding have locks, which would stay
locked in the child."""


def _in_child() -> None:
    planning_turn.release()
    for background in list(_all):
        background.forked()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=planning_turn.acquire, after_in_parent=planning_turn.release, after_in_child=_in_child)


def _stop_all() -> None:
    """At exit: no thread is left to come back to an interpreter that is gone."""
    for background in list(_all):
        background.stop()


atexit.register(_stop_all)
