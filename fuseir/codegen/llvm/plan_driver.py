"""The driver: native code that runs the native part of a plan on a pool of threads, and the loop that its workers stay in.

One module, compiled once a process; what it does is all in tables (``codegen/plan_abi.py``).

How threads work together. A run *opens the gate* and signals; workers that come in time enter, those that do not are not waited
for, so a short run ends as soon as the caller has done it alone. Who is inside takes chunks of the current phase, of its own share
first, then of others. Who finishes the last chunk sets up the next phase and publishes it; the others wait for that. At the end the
caller closes the gate and waits until nobody is inside.

Memory order. What kernels write in a chunk happens before the release in ``DONE``'s increment; the increment of the last finisher
acquires all of those; its store of ``CURRENT`` releases them, and everybody loads ``CURRENT`` with acquire. In the same way ``GATE``
hands the table to workers, and what they did to the caller. Chunks are taken by compare-and-swap on a word that holds the phase
too, so a slow thread can never take a chunk of a later phase.

Sleeping. Who is about to sleep counts itself, then looks at the word again; who changes the word then looks at the count. Both are
sequentially consistent, so one sees the other. The look, and the sleep, are under the lot's mutex, which the waker takes too: no
wake-up is lost in between.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from functools import cache
from typing import Any

import llvmlite.binding as llvm

from fuseir.cache import DiskCache
from fuseir.codegen.abi import STATUS_OK
from fuseir.codegen.llvm.code_cache import CodeCache
from fuseir.codegen.llvm.support import support_library
from fuseir.codegen.llvm.target import Target, host_target
from fuseir.codegen.llvm.text import FunctionText, ModuleText, SupportFunction
from fuseir.codegen.plan_abi import (
    GATE_CLOSED,
    LINE_WORDS,
    LinkRecord,
    Lot,
    PhaseRecord,
    Report,
    State,
    StepRecord,
    Table,
    run_function_type,
    stop_function_type,
    worker_function_type,
)

_CHUNK_BITS = 32
_CHUNK_MASK = (1 << _CHUNK_BITS) - 1


@dataclass(frozen=True)
class PlanDriver:
    """The driver's functions; ``codegen/plan_abi.py`` has their types. Their code is never given up."""

    run: Any
    worker: Any
    stop: Any


_drivers: dict[str, PlanDriver] = {}


def plan_driver(disk: DiskCache | None = None) -> PlanDriver:
    """The driver for this machine, loaded once a process: from ``disk`` if it is there, to which it is added else. Raises CompileError."""
    target = host_target()
    function = driver_function(target)
    found = _drivers.get(function.symbol)
    if found is None:
        support_library(target).provide([function], CodeCache.of(disk, target))
        addresses = (ctypes.c_void_p * 3)()
        ctypes.CFUNCTYPE(None, ctypes.c_void_p)(llvm.address_of_symbol(function.symbol))(addresses)
        run, worker, stop = addresses
        found = PlanDriver(run_function_type()(run), worker_function_type()(worker), stop_function_type()(stop))
        _drivers[function.symbol] = found
    return found


@cache
def driver_function(target: Target) -> SupportFunction:
    """The driver as one function, which writes the addresses of ``run``, ``worker`` and ``stop`` to where its argument points."""
    module = ModuleText(target)
    park, wake = module.define("park", _park(module)), module.define("wake", _wake())
    part = module.define("part", _part())
    advance = module.define("advance", _advance(wake))
    work = module.define("work", _work(park, part, advance))
    run = module.define("run", _run(park, wake, part, advance, work))
    worker = module.define("worker", _worker(park, wake, work))
    stop = module.define("stop", _stop(wake))
    text = FunctionText(["ptr"])
    for number, symbol in enumerate((run, worker, stop)):
        text.do(f"store ptr @{symbol}, ptr {_place(text, '%a0', number)}, align 8")
    text.do("ret void")
    symbol = module.define("driver", text, linkage="")
    return SupportFunction(symbol, "\n\n".join(module.functions), module.declarations, ())


# Words


def _place(text: FunctionText, base: str, index: int | str) -> str:
    return text.op(f"getelementptr i64, ptr {base}, i64 {int(index) if isinstance(index, int) else index}")


def _word(text: FunctionText, base: str, index: int | str) -> str:
    return text.op(f"load i64, ptr {_place(text, base, index)}, align 8")


def _pointer(text: FunctionText, base: str, index: int | str) -> str:
    return text.op(f"load ptr, ptr {_place(text, base, index)}, align 8")


def _load(text: FunctionText, place: str, order: str) -> str:
    return text.op(f"load atomic i64, ptr {place} {order}, align 8")


def _store(text: FunctionText, place: str, value: str | int, order: str) -> None:
    text.do(f"store atomic i64 {value}, ptr {place} {order}, align 8")


def _share(text: FunctionText, total: str, number: str, shares: str) -> str:
    """Where share ``number`` of ``shares`` begins, of ``total`` things."""
    return text.op(f"udiv i64 {text.op(f'mul i64 {total}, {number}')}, {shares}")


# Waiting


def _pause(module: ModuleText, text: FunctionText) -> None:
    """Tells the processor that this loop waits, where there is an instruction for it."""
    triple = llvm.get_process_triple()
    if triple.startswith("x86_64"):
        text.do(f"call void {module.declare('llvm.x86.sse2.pause', 'void', [])}()")
    elif triple.startswith(("aarch64", "arm64")):
        text.do(f"call void {module.declare('llvm.aarch64.hint', 'void', ['i32'])}(i32 1)")


def _park(module: ModuleText) -> FunctionText:
    """``park(state, lot, word, value)``: wait while the word has that value; look for a while, then sleep."""
    text = FunctionText(["ptr", "ptr", "ptr", "i64"])
    state, lot, word, value = "%a0", "%a1", "%a2", "%a3"
    gone = text.label()
    with text.loop("0", _word(text, state, State.SPINS), 1):
        waiting = text.label()
        seen = _load(text, word, "acquire")
        text.branch_if(text.op(f"icmp ne i64 {seen}, {value}"), gone, waiting)
        text.place(waiting)
        _pause(module, text)
    mutex, condition = _place(text, lot, Lot.MUTEX), _place(text, lot, Lot.CONDITION)
    sleepers = _place(text, lot, Lot.SLEEPERS)
    look, sleep, awake = text.label(), text.label(), text.label()
    text.op(f"call i32 {_pointer(text, state, State.LOCK)}(ptr {mutex})")
    text.op(f"atomicrmw add ptr {sleepers}, i64 1 seq_cst")
    text.branch(look)
    text.place(look)
    seen = _load(text, word, "seq_cst")
    text.branch_if(text.op(f"icmp ne i64 {seen}, {value}"), awake, sleep)
    text.place(sleep)
    text.op(f"call i32 {_pointer(text, state, State.WAIT)}(ptr {condition}, ptr {mutex})")
    text.branch(look)
    text.place(awake)
    text.op(f"atomicrmw sub ptr {sleepers}, i64 1 seq_cst")
    text.op(f"call i32 {_pointer(text, state, State.UNLOCK)}(ptr {mutex})")
    text.branch(gone)
    text.place(gone)
    text.do("ret void")
    return text


def _wake() -> FunctionText:
    """``wake(state, lot)``: after a sequentially consistent change of a word, wakes who sleeps in the lot."""
    text = FunctionText(["ptr", "ptr"])
    state, lot = "%a0", "%a1"
    sleepers = _load(text, _place(text, lot, Lot.SLEEPERS), "seq_cst")
    with text.when(text.op(f"icmp ne i64 {sleepers}, 0")):
        mutex = _place(text, lot, Lot.MUTEX)
        text.op(f"call i32 {_pointer(text, state, State.LOCK)}(ptr {mutex})")
        text.op(f"call i32 {_pointer(text, state, State.BROADCAST)}(ptr {_place(text, lot, Lot.CONDITION)})")
        text.op(f"call i32 {_pointer(text, state, State.UNLOCK)}(ptr {mutex})")
    text.do("ret void")
    return text


# Working


def _part() -> FunctionText:
    """``part(table, block, first step, steps, chunk, chunks)``: runs one chunk of some steps, and notes which failed."""
    text = FunctionText(["ptr", "ptr", "i64", "i64", "i64", "i64"])
    table, block, first, steps, chunk, chunks = (f"%a{k}" for k in range(6))
    records = _pointer(text, table, Table.STEP_RECORDS)
    report = _pointer(text, table, Table.REPORT)
    after = text.op(f"add i64 {chunk}, 1")
    with text.loop(first, text.op(f"add i64 {first}, {steps}"), 1) as number:
        record = _place(text, records, text.op(f"mul i64 {number}, {int(StepRecord.WORDS)}"))
        points = _word(text, record, StepRecord.POINTS)
        begin, end = _share(text, points, chunk, chunks), _share(text, points, after, chunks)
        with text.when(text.op(f"icmp slt i64 {begin}, {end}")):
            kernel = _pointer(text, record, StepRecord.KERNEL)
            bases, layout = _pointer(text, record, StepRecord.BASES), _pointer(text, record, StepRecord.LAYOUT)
            scalars = text.op(f"getelementptr i8, ptr {block}, i64 {_word(text, record, StepRecord.SCALARS)}")
            given = f"i64 {begin}, i64 {end}, ptr {bases}, ptr {layout}, ptr {scalars}"
            status = text.op(f"call i32 {kernel}({given})")
            with text.when(text.op(f"icmp ne i32 {status}, {STATUS_OK}")):
                # Several threads may note the same thing.
                place = _place(text, report, text.op(f"add i64 {number}, {int(Report.STATUSES)}"))
                _store(text, place, text.op(f"zext i32 {status} to i64"), "monotonic")
                _store(text, _place(text, report, Report.FAILED), 1, "monotonic")
    text.do("ret void")
    return text


def _advance(wake: str) -> FunctionText:
    """``advance(state, phase)``: makes it the current phase. Nobody works on another one."""
    text = FunctionText(["ptr", "i64"])
    state, phase = "%a0", "%a1"
    table = _pointer(text, state, State.TABLE)
    with text.when(text.op(f"icmp slt i64 {phase}, {_word(text, table, Table.PHASES)}")):
        record = _place(
            text,
            _pointer(text, table, Table.PHASE_RECORDS),
            text.op(f"mul i64 {phase}, {int(PhaseRecord.WORDS)}"),
        )
        chunks = _word(text, record, PhaseRecord.CHUNKS)
        participants = _word(text, state, State.PARTICIPANTS)
        tag = text.op(f"shl i64 {phase}, {_CHUNK_BITS}")
        with text.loop("0", participants, 1) as number:
            value = text.op(f"or i64 {tag}, {_share(text, chunks, number, participants)}")
            _store(text, _counter(text, state, number), value, "monotonic")
        _store(text, _place(text, state, State.DONE), 0, "monotonic")
    _store(text, _place(text, state, State.CURRENT), phase, "seq_cst")
    text.do(f"call void @{wake}(ptr {state}, ptr {_place(text, state, State.JOB_LOT)})")
    text.do("ret void")
    return text


def _counter(text: FunctionText, state: str, number: str) -> str:
    return _place(text, state, text.op(f"add i64 {text.op(f'mul i64 {number}, {LINE_WORDS}')}, {int(State.COUNTERS)}"))


def _work(park: str, part: str, advance: str) -> FunctionText:
    """``work(state, index)``: takes part in the run at hand until its last phase is done."""
    text = FunctionText(["ptr", "i64"])
    state, index = "%a0", "%a1"
    table, block = _pointer(text, state, State.TABLE), _pointer(text, state, State.BLOCK)
    phases = _word(text, table, Table.PHASES)
    records = _pointer(text, table, Table.PHASE_RECORDS)
    participants = _word(text, state, State.PARTICIPANTS)
    current, done = _place(text, state, State.CURRENT), _place(text, state, State.DONE)
    look, enter, end = text.label(), text.label(), text.label()
    text.branch(look)
    text.place(look)
    phase = _load(text, current, "acquire")
    text.branch_if(text.op(f"icmp slt i64 {phase}, {phases}"), enter, end)
    text.place(enter)
    record = _place(text, records, text.op(f"mul i64 {phase}, {int(PhaseRecord.WORDS)}"))
    first, steps = _word(text, record, PhaseRecord.FIRST_STEP), _word(text, record, PhaseRecord.STEPS)
    chunks = _word(text, record, PhaseRecord.CHUNKS)
    with text.loop("0", participants, 1) as turn:
        share = text.op(f"urem i64 {text.op(f'add i64 {index}, {turn}')}, {participants}")
        stop = _share(text, chunks, text.op(f"add i64 {share}, 1"), participants)
        counter = _counter(text, state, share)
        claim, wanted, taken, last, nothing = (text.label() for _ in range(5))
        text.branch(claim)
        text.place(claim)
        value = _load(text, counter, "monotonic")
        chunk = text.op(f"and i64 {value}, {_CHUNK_MASK}")
        same_phase = text.op(f"icmp eq i64 {text.op(f'lshr i64 {value}, {_CHUNK_BITS}')}, {phase}")
        left = text.op(f"icmp ult i64 {chunk}, {stop}")
        text.branch_if(text.op(f"and i1 {same_phase}, {left}"), wanted, nothing)
        text.place(wanted)
        following = text.op(f"add i64 {value}, 1")
        pair = text.op(f"cmpxchg ptr {counter}, i64 {value}, i64 {following} acquire monotonic")
        text.branch_if(text.op(f"extractvalue {{ i64, i1 }} {pair}, 1"), taken, claim)
        text.place(taken)
        given = f"ptr {table}, ptr {block}, i64 {first}, i64 {steps}, i64 {chunk}, i64 {chunks}"
        text.do(f"call void @{part}({given})")
        before = text.op(f"atomicrmw add ptr {done}, i64 1 acq_rel")
        count = text.op(f"add i64 {before}, 1")
        text.branch_if(text.op(f"icmp eq i64 {count}, {chunks}"), last, claim)
        text.place(last)
        text.do(f"call void @{advance}(ptr {state}, i64 {text.op(f'add i64 {phase}, 1')})")
        text.branch(nothing)
        text.place(nothing)
    text.do(f"call void @{park}(ptr {state}, ptr {_place(text, state, State.JOB_LOT)}, ptr {current}, i64 {phase})")
    text.branch(look)
    text.place(end)
    text.do("ret void")
    return text


def _worker(park: str, wake: str, work: str) -> FunctionText:
    """``worker(state, index)``."""
    text = FunctionText(["ptr", "i64"])
    state, index = "%a0", "%a1"
    signal, gate = _place(text, state, State.SIGNAL), _place(text, state, State.GATE)
    idle, job = _place(text, state, State.IDLE_LOT), _place(text, state, State.JOB_LOT)
    # Signals start at 0: one given before this thread came is seen.
    seen = text.alloca("i64", 8, "0")
    wait, ask, enter, leave, end = (text.label() for _ in range(5))
    text.branch(wait)
    text.place(wait)
    before = text.op(f"load i64, ptr {seen}, align 8")
    text.do(f"call void @{park}(ptr {state}, ptr {idle}, ptr {signal}, i64 {before})")
    text.do(f"store i64 {_load(text, signal, 'acquire')}, ptr {seen}, align 8")
    stopped = _load(text, _place(text, state, State.STOP), "acquire")
    text.branch_if(text.op(f"icmp ne i64 {stopped}, 0"), end, ask)
    text.place(ask)
    # Who adds itself to an open gate is waited for; to a closed one, looks at nothing and takes itself off again.
    found = text.op(f"atomicrmw add ptr {gate}, i64 1 acq_rel")
    text.branch_if(text.op(f"icmp ult i64 {found}, {GATE_CLOSED}"), enter, leave)
    text.place(enter)
    text.do(f"call void @{work}(ptr {state}, i64 {index})")
    text.branch(leave)
    text.place(leave)
    left = text.op(f"atomicrmw sub ptr {gate}, i64 1 seq_cst")
    with text.when(text.op(f"icmp eq i64 {left}, {GATE_CLOSED + 1}")):
        text.do(f"call void @{wake}(ptr {state}, ptr {job})")
    text.branch(wait)
    text.place(end)
    text.do("ret void")
    return text


def _stop(wake: str) -> FunctionText:
    """``stop(state)``."""
    text = FunctionText(["ptr"])
    state = "%a0"
    _store(text, _place(text, state, State.STOP), 1, "seq_cst")
    text.op(f"atomicrmw add ptr {_place(text, state, State.SIGNAL)}, i64 1 seq_cst")
    text.do(f"call void @{wake}(ptr {state}, ptr {_place(text, state, State.IDLE_LOT)})")
    text.do("ret void")
    return text


def _run(park: str, wake: str, part: str, advance: str, work: str) -> FunctionText:
    """``run(table, block, state)``."""
    text = FunctionText(["ptr", "ptr", "ptr"], "i64")
    table, block, state = "%a0", "%a1", "%a2"
    report = _pointer(text, table, Table.REPORT)
    steps = _word(text, table, Table.STEPS)
    _bind(text, table, block)
    with text.loop(str(int(Report.FAILED)), text.op(f"add i64 {steps}, {int(Report.STATUSES)}"), 1) as number:
        text.do(f"store i64 0, ptr {_place(text, report, number)}, align 8")
    ask, alone, together, end = (text.label() for _ in range(4))
    text.branch_if(text.op(f"icmp eq ptr {state}, null"), alone, ask)
    text.place(ask)
    busy = _place(text, state, State.BUSY)
    pair = text.op(f"cmpxchg ptr {busy}, i64 0, i64 1 acquire monotonic")
    # A pool that another thread's run has is not waited for.
    text.branch_if(text.op(f"extractvalue {{ i64, i1 }} {pair}, 1"), together, alone)
    text.place(alone)
    text.do(f"call void @{part}(ptr {table}, ptr {block}, i64 0, i64 {steps}, i64 0, i64 1)")
    text.branch(end)
    text.place(together)
    gate = _place(text, state, State.GATE)
    text.do(f"store ptr {table}, ptr {_place(text, state, State.TABLE)}, align 8")
    text.do(f"store ptr {block}, ptr {_place(text, state, State.BLOCK)}, align 8")
    text.do(f"call void @{advance}(ptr {state}, i64 0)")
    text.op(f"atomicrmw and ptr {gate}, i64 {~GATE_CLOSED} release")
    text.op(f"atomicrmw add ptr {_place(text, state, State.SIGNAL)}, i64 1 seq_cst")
    text.do(f"call void @{wake}(ptr {state}, ptr {_place(text, state, State.IDLE_LOT)})")
    text.do(f"call void @{work}(ptr {state}, i64 0)")
    text.op(f"atomicrmw or ptr {gate}, i64 {GATE_CLOSED} acq_rel")
    look, inside, empty = text.label(), text.label(), text.label()
    text.branch(look)
    text.place(look)
    left = _load(text, gate, "acquire")
    text.branch_if(text.op(f"icmp eq i64 {left}, {GATE_CLOSED}"), empty, inside)
    text.place(inside)
    text.do(f"call void @{park}(ptr {state}, ptr {_place(text, state, State.JOB_LOT)}, ptr {gate}, i64 {left})")
    text.branch(look)
    text.place(empty)
    _store(text, busy, 0, "release")
    text.branch(end)
    text.place(end)
    text.do(f"store i64 1, ptr {_place(text, report, Report.ENDED)}, align 8")
    text.do(f"ret i64 {_word(text, report, Report.FAILED)}")
    return text


def _bind(text: FunctionText, table: str, block: str) -> None:
    """Writes the base addresses of all steps."""
    links, bases = _pointer(text, table, Table.LINK_RECORDS), _pointer(text, table, Table.BASES)
    data_offset = _word(text, table, Table.DATA_OFFSET)
    with text.loop("0", _word(text, table, Table.LINKS), 1) as number:
        link = _place(text, links, text.op(f"mul i64 {number}, {int(LinkRecord.WORDS)}"))
        place = _word(text, link, LinkRecord.PLACE)
        base = _place(text, bases, number)
        text.do(f"store i64 {_word(text, link, LinkRecord.OFFSET)}, ptr {base}, align 8")
        with text.when(text.op(f"icmp sge i64 {place}, 0")):
            holder = text.op(f"getelementptr i8, ptr {_pointer(text, block, place)}, i64 {data_offset}")
            address = text.op(f"load i64, ptr {holder}, align 8")
            offset = text.op(f"load i64, ptr {base}, align 8")
            text.do(f"store i64 {text.op(f'add i64 {address}, {offset}')}, ptr {base}, align 8")
