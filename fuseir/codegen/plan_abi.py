"""How the native part of a plan is called: the one description of the tables that the driver reads.

Everything is 64-bit words. A *table* says what to do and is made once; a *run block* says on what, and is made for each run;
a *state* is what the threads of one pool share. The driver is ``codegen/llvm/plan_driver.py``; executors write the tables.

A table's steps are calls of compiled kernels (``codegen/abi.py``). They form *phases*, one after another. A phase is cut into
chunks: chunk ``c`` of ``C`` runs points ``P * c / C`` to ``P * (c + 1) / C`` of each of its steps, step after step, ``P`` being the
step's number of points. Chunks of a phase run on any threads in any order, and all of them before the next phase.
"""

from __future__ import annotations

import ctypes
from enum import IntEnum
from typing import Any

WORD_BYTES = 8
LINE_WORDS = 8
"""A cache line: what different threads write lies on lines of its own."""


class Table(IntEnum):
    """The words at the start of a table; the last five are addresses."""

    STEPS = 0
    PHASES = 1
    LINKS = 2
    """How many base addresses the steps take, all together."""
    DATA_OFFSET = 3
    """Where the object that a word of the run block points to holds the address of its buffer."""
    STEP_RECORDS = 4
    PHASE_RECORDS = 5
    LINK_RECORDS = 6
    BASES = 7
    """Where the driver writes the base addresses."""
    REPORT = 8
    """Where the driver writes how it went."""
    WORDS = 9


class StepRecord(IntEnum):
    """One step: the kernel's address, its points, the addresses of its bases and layout, and where in the run block its scalars are."""

    KERNEL = 0
    POINTS = 1
    BASES = 2
    LAYOUT = 3
    SCALARS = 4
    WORDS = 5


class PhaseRecord(IntEnum):
    """One phase: its first step, how many steps it has, and how many chunks."""

    FIRST_STEP = 0
    STEPS = 1
    CHUNKS = 2
    WORDS = 3


class LinkRecord(IntEnum):
    """One base address: that of the buffer of the object that word ``PLACE`` of the run block points to, plus ``OFFSET`` bytes.

    A negative ``PLACE`` stands for no buffer: the base is ``OFFSET``.
    """

    PLACE = 0
    OFFSET = 1
    WORDS = 2


class Report(IntEnum):
    """How a run went: whether it has ended, whether a step failed, and from ``STATUSES`` on the status of each step."""

    ENDED = 0
    FAILED = 1
    STATUSES = 2


class State(IntEnum):
    """What the threads of a pool share. Waiting is done in *lots*: idle workers in one, threads with a plan at hand in the other."""

    SPINS = 0
    """How often a thread looks for what it waits for before it goes to sleep."""
    PARTICIPANTS = 1
    """Threads of the pool, the calling one included."""
    LOCK = 2
    UNLOCK = 3
    WAIT = 4
    BROADCAST = 5
    """The addresses of pthread_mutex_lock, pthread_mutex_unlock, pthread_cond_wait and pthread_cond_broadcast."""
    STOP = 6
    """Whether workers are to end."""
    BUSY = 8
    """Whether a run has the workers."""
    TABLE = 9
    BLOCK = 10
    """The addresses of the table and the run block at hand."""
    SIGNAL = 16
    """Changes when there is something to do for workers."""
    GATE = 24
    """How many workers are inside the run at hand, and ``GATE_CLOSED`` if no more may enter."""
    CURRENT = 32
    """The phase at hand; that of the table's number of phases is the end."""
    DONE = 40
    """Chunks of the phase that are done."""
    IDLE_LOT = 48
    JOB_LOT = 88
    COUNTERS = 128
    """One line for each thread, with the next chunk of its share: the phase in the upper half of the word, the chunk in the lower."""


class Lot(IntEnum):
    """A place to sleep: how many do, a mutex and a condition variable."""

    SLEEPERS = 0
    MUTEX = 8
    CONDITION = 24


GATE_CLOSED = 1 << 32
NO_PLACE = -1


def state_words(participants: int) -> int:
    """The size of a pool's state."""
    return State.COUNTERS + LINE_WORDS * participants


def run_function_type() -> Any:
    """``int64 run(table, block, state)``: runs a table, on the state's workers too unless it is null. Whether a step failed.

    Calling through it releases the GIL. It returns only when no thread works on the table any more. Blocks may be given as ``bytes``.
    """
    return ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)


def worker_function_type() -> Any:
    """``void worker(state, index)``: works as thread ``index`` of the pool until told to stop."""
    return ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64)


def stop_function_type() -> Any:
    """``void stop(state)``: has all workers end; does not wait for them."""
    return ctypes.CFUNCTYPE(None, ctypes.c_void_p)
