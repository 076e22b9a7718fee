"""The worker threads of an executor: each makes one native call, in which it works and sleeps until the pool ends.

How they share work is the driver's business (``codegen/llvm/plan_driver.py``); here they start and end.
"""

from __future__ import annotations

import atexit
import ctypes
import os
import threading
import weakref

from fuseir.codegen.llvm.plan_driver import PlanDriver
from fuseir.codegen.plan_abi import GATE_CLOSED, WORD_BYTES, Lot, State, state_words
from fuseir.resources import available_cpus

_SPINS = 1000
"""How often a waiting thread looks before it sleeps: some 20 to 50 microseconds, which is what waking a thread takes."""

_JOIN_SECONDS = 10.0

_threads: weakref.WeakSet[threading.Thread] = weakref.WeakSet()
_pools: weakref.WeakSet[WorkerPool] = weakref.WeakSet()


class WorkerPool:
    """The threads of one executor, the calling one among them. They start with the first run that asks for them.

    A forked child has none of its parent's threads, and gets its own. Workers sleep natively when there is nothing to do: they hold
    no lock that Python knows, and cost nothing.
    """

    def __init__(self, driver: PlanDriver, participants: int, spins: int | None = None) -> None:
        self._driver = driver
        self.participants = participants
        # Where threads share a processor, who looks keeps the other from working.
        self._spins = (_SPINS if available_cpus() > 1 else 0) if spins is None else spins
        self._memory: ctypes.Array[ctypes.c_int64] | None = None
        self._address = 0
        self._process = 0

    def run(self, table: int, block: bytes, *, parallel: bool) -> int:
        """Runs the table at an address; ``parallel`` says whether workers can be of use. Whether a step failed."""
        if parallel and self._process != os.getpid():
            self._start()
        return self._driver.run(table, block, self._address if parallel else None)

    def stop(self) -> None:
        """Has the workers end; does not wait for them. The next run starts others."""
        if self._address and self._process == os.getpid():
            self._driver.stop(self._address)
        self._memory, self._address, self._process = None, 0, 0

    def __del__(self) -> None:
        # Takes no lock of Python's: finalisers run anywhere.
        self.stop()

    def _start(self) -> None:
        self._memory, self._address, self._process = None, 0, os.getpid()
        if self.participants == 1:
            return
        memory, address = _new_state(self.participants, self._spins)
        started = 0
        for index in range(1, self.participants):
            thread = threading.Thread(
                target=_work, args=(self._driver, memory, address, index), name=f"fuseir-{index}", daemon=True
            )
            try:
                thread.start()
            except RuntimeError:  # the system has no more threads: those there are do all the work
                break
            _threads.add(thread)
            started += 1
        if started:
            self._memory, self._address = memory, address
            _pools.add(self)


def _work(driver: PlanDriver, memory: ctypes.Array[ctypes.c_int64], address: int, index: int) -> None:
    """A worker's whole life. It keeps the memory that it looks at, whoever gives up the pool meanwhile."""
    assert ctypes.addressof(memory) <= address
    driver.worker(address, index)


def _new_state(participants: int, spins: int) -> tuple[ctypes.Array[ctypes.c_int64], int]:
    """The memory of a state without a run, and where in it the state starts: at a cache line."""
    words = state_words(participants)
    line = 64
    memory = (ctypes.c_int64 * (words + line // WORD_BYTES))()
    address = -(-ctypes.addressof(memory) // line) * line
    state = (ctypes.c_int64 * words).from_address(address)
    library = ctypes.CDLL(None)
    state[State.SPINS] = spins
    state[State.PARTICIPANTS] = participants
    for word, function in (
        (State.LOCK, library.pthread_mutex_lock),
        (State.UNLOCK, library.pthread_mutex_unlock),
        (State.WAIT, library.pthread_cond_wait),
        (State.BROADCAST, library.pthread_cond_broadcast),
    ):
        state[word] = ctypes.cast(function, ctypes.c_void_p).value or 0
    state[State.GATE] = GATE_CLOSED
    for lot in (State.IDLE_LOT, State.JOB_LOT):
        library.pthread_mutex_init(ctypes.c_void_p(address + WORD_BYTES * (lot + Lot.MUTEX)), None)
        library.pthread_cond_init(ctypes.c_void_p(address + WORD_BYTES * (lot + Lot.CONDITION)), None)
    return memory, address


def _end_all() -> None:
    """At exit: no thread is left to come back to an interpreter that is gone."""
    for pool in list(_pools):
        pool.stop()
    for thread in list(_threads):
        thread.join(_JOIN_SECONDS)


atexit.register(_end_all)
