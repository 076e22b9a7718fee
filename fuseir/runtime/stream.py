"""The stream of launches of a session: captured into its window, cut into segments, and run.

The hot path is ``capture`` and ``produce``: one record is appended, and one look-up says whether a trace goes on; no IR, no analysis
(design rule R2). Everything else happens under the lock.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from threading import get_ident
from types import CodeType, FrameType
from typing import TYPE_CHECKING, TypeVar
from weakref import ReferenceType

from fuseir.cache import cache_of
from fuseir.dialects.dist.view import View
from fuseir.errors import FuseirError, UsageError
from fuseir.location import CallSite
from fuseir.options import Options
from fuseir.runtime.arrays import Array
from fuseir.runtime.device_arrays import contents_on_host, copy_of_view, replace_contents
from fuseir.runtime.execution import Execution
from fuseir.runtime.executors import make_buffers
from fuseir.runtime.forms import Form
from fuseir.runtime.plan import Number
from fuseir.runtime.planning import Planned, Planner
from fuseir.runtime.signatures import Signature
from fuseir.runtime.statistics import Statistics
from fuseir.runtime.stores import Handle, RootStore, raise_if_lost
from fuseir.runtime.tracing.replayer import Replay, Replayer
from fuseir.runtime.tracing.report import TracingReport
from fuseir.runtime.tracing.tracer import Tracer
from fuseir.runtime.usage import Usage
from fuseir.runtime.window import Segment, Window

if TYPE_CHECKING:
    from fuseir.runtime.freezing import Call

_H = TypeVar("_H", bound=Handle)
_new = object.__new__

_FEW = 8
"""Tasks of a full window that take at most one launch in so many, each, do not need a window of that size."""


class Stream:
    """What a session captures, and how that comes to run. Calls from several threads are serialised."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.statistics = Statistics()
        self.usage = Usage(options.sync, options.fallback)
        self._lock = threading.RLock()
        self._window = Window(options.window)
        self._tracer = Tracer(self._window) if options.trace and options.fuse else None
        self._replayer: Replayer | None = None
        """The tracer's, while there are traces."""
        self._disk = cache_of(options)
        self._planner = Planner(options, self.statistics)
        self.buffers = make_buffers(options)
        self._execution = Execution(self._planner, self._window, self.buffers, self.statistics)
        # Whether tasks run, and whether a frozen function is recorded; then, which thread does it.
        self._running = False
        self._recorded: str | None = None
        self._exclusive = False
        self._runner = 0
        self._explicit = 0
        """How many ``trace`` blocks this is in."""
        self.made: list[RootStore] | None = None
        """Roots made since a frozen function is being recorded. What makes roots adds them (freezing.py)."""

    def capture(
        self,
        form: Form,
        roots: tuple[RootStore, ...],
        scalars: tuple[Number, ...],
        code: CodeType,
        instruction: int,
    ) -> None:
        """Adds a launch of a known form to the window; runs the window, or a part of it, when that is full.

        This and ``launch`` are the hot path: no IR, no analysis (design rule R2), nothing made but one tuple, and what does not depend on
        the stores themselves looked up by one key. Raises as ``launch`` does.
        """
        if self._exclusive:
            self._wait_for_turn()
        try:
            for k in form.needed:
                if not roots[k].plain:
                    _raise_if_unreadable(form, k, roots[k])
            if len({*roots}) < len(roots):
                form.check_overlaps(roots)
        except FuseirError as error:
            error.add_note(f"launched at {CallSite(code, instruction).resolve()}")
            raise
        window = self._window
        # One append, so that no lock is needed.
        window.records.append((form, roots, scalars, code, instruction))
        for k in form.changed:
            if not roots[k].plain:
                _note_written(form, k, roots[k])
        replayer = self._replayer
        if replayer is not None:
            state = replayer.state.get(form.token)
            if state is None:
                self._step(form.token)
            else:
                replayer.state = state
        elif len(window.records) >= window.limit:
            self._look_at_window()

    def produce(
        self,
        kind: type[_H],
        form: Form,
        signature: Signature,
        inputs: tuple[RootStore, ...],
        scalars: tuple[Number, ...],
        frame: FrameType,
        contents: Array | None = None,
    ) -> _H:
        """The first handle, of a kind, on a new root, behind a launch that reads the inputs and writes to the root, its last argument.

        The launch writes all of it, or folds into ``contents``, or is the first of some that write a part each. Where client libraries'
        programs spend their time: ``capture`` with all that cannot happen here left out, and objects made without their ``__init__``, the
        call of which takes longer than what it does. Raises as ``launch`` does.
        """
        root = _new(RootStore)
        root.signature = signature
        root.buffer = contents
        root.name = root.failure = None
        root.defined = root.plain = True
        root.replaced = False
        root.watchers = ()
        handle = _new(kind)
        handle.session = self  # pyright: ignore[reportAttributeAccessIssue] (of which it is the larger part)
        handle.root = root
        handle.signature = signature
        handle._base = None  # pyright: ignore[reportPrivateUsage]
        root.handle = ReferenceType(handle)
        if self._exclusive:
            return self._captured(handle, form, inputs, scalars, frame)
        for each in inputs:
            if not each.plain:
                return self._captured(handle, form, inputs, scalars, frame)
        window = self._window
        window.records.append((form, (*inputs, root), scalars, frame.f_code, frame.f_lasti))
        replayer = self._replayer
        if replayer is not None:
            state = replayer.state.get(form.token)
            if state is None:
                self._step(form.token)
            else:
                replayer.state = state
        elif len(window.records) >= window.limit:
            self._look_at_window()
        return handle

    def _captured(
        self, made: _H, form: Form, inputs: tuple[RootStore, ...], scalars: tuple[Number, ...], frame: FrameType
    ) -> _H:
        """The handle, behind the launch: what ``produce`` does where anything is not as always."""
        if self.made is not None:
            self.made.append(made.root)
        self.capture(form, (*inputs, made.root), scalars, frame.f_code, frame.f_lasti)
        return made

    def fence(self) -> None:
        """Ends the window: nothing captured before fuses with anything captured after."""
        with self._lock:
            self._replay_rest()
            self._window.fence()

    # Execution

    def flush(self) -> None:
        """Runs everything captured. Raises what a task failed with; other tasks of the window have run."""
        with self._lock:
            if self._exclusive:
                self._refuse_inside_tasks("flush")
                self._refuse_in_recording("runs what was captured")
            self._run_all()

    def read(self, root: RootStore, view: View) -> Array:
        """The contents of a view of a store as a new array, after running what was captured if that changes the store (A37)."""
        with self._lock:
            # Copied here: outside the lock another thread's launch could change the contents meanwhile.
            return copy_of_view(self.contents(root), view)

    def item(self, root: RootStore, view: View) -> bool | int | float | complex:
        """The only element of a view, as a Python number, as ``read``."""
        with self._lock:
            return copy_of_view(self.contents(root), view).item()

    def memory(self, root: RootStore) -> Array:
        """A store's memory itself, with its contents, after running what was captured if that changes the store.

        Who keeps it has to see to it that the store keeps it too (``fuseir.numpy.sharing``).
        """
        with self._lock:
            root.buffer = contents_on_host(self.contents(root))
            return root.buffer

    def contents(self, root: RootStore) -> Array:
        """The same, wherever the executor keeps it (``device_arrays.py``)."""
        with self._lock:
            if self._exclusive:
                self._refuse_inside_tasks("read")
                self._refuse_in_recording("reads a store")
            if self._window.changes(root):
                self.usage.note_sync()
                self.statistics.forced_flushes += 1
                self._run_all()
            raise_if_lost(root)
            if root.buffer is None:
                raise UsageError(f"store {root.name or ''}{root.shape} is read before anything was written to it")
            return root.buffer

    def run_in(self, root: RootStore, memory: Array) -> None:
        """Runs what was captured, and lets a store have its contents in this memory, where others see them. Raises as ``flush`` does."""
        with self._lock:
            try:
                self.flush()
            finally:
                if root.buffer is not None and root.buffer is not memory:
                    replace_contents(memory, root.buffer)
                    root.buffer = memory

    # Frozen functions (freezing.py)

    @property
    def is_recording(self) -> bool:
        """Whether this thread is in the first call of a frozen function."""
        return self._recorded is not None and self._runner == get_ident()

    @contextmanager
    def recording(self, name: str) -> Generator[list[RootStore]]:
        """Inside, everything this thread launches waits, and other threads do. Yields the roots that are made meanwhile."""
        with self._lock:
            self._refuse_inside_tasks("call a frozen function on")
            self._run_all()
            self._recorded, self._runner, self._exclusive = name, get_ident(), True
            self.made = made = []
            self._follow()
            try:
                yield made
            finally:
                self._recorded, self._exclusive, self.made = None, False, None
                self._look_at_window()

    def take_recorded(self) -> Segment | None:
        """All that was launched in ``recording``; None if nothing was."""
        return self._window.take(full=False)

    def put_back(self, segment: Segment) -> None:
        """Undoes ``take_recorded``."""
        self._window.put_back(segment.records)

    def run_recorded(self, segment: Segment) -> Planned:
        """Runs what was recorded, on the stores it was recorded on, and returns its plan. Inside ``recording``."""
        self._start_tasks()
        try:
            planned = self._execution.planned(segment)
            self._execution.execute(segment, planned)
        finally:
            self._end_tasks()
        return planned

    def run_frozen(self, call: Call, needed: Sequence[Handle], written: Sequence[Handle]) -> None:
        """Runs what was recorded on other stores, behind everything captured. Raises as a launch does, and as ``flush`` does."""
        with self._lock:
            self._refuse_inside_tasks("call a frozen function on")
            self._run_all()
            for store in needed:
                raise_if_lost(store.root)
                if not store.root.defined:
                    raise UsageError(f"{store!r} is used before anything was written to it")
            for store in written:
                store.root.define()
            planned = self._planner.latest(call.key, call.planned)
            self._execution.require_memory(planned, call.roots)
            self._start_tasks()
            try:
                self._execution.execute(call, planned)
            finally:
                self._end_tasks()
            self.statistics.frozen_calls += 1
            for store in written:
                for watcher in store.root.watchers:
                    watcher.written(store.root)

    # Traces

    def trace_report(self) -> TracingReport | None:
        """The traces that were found so far, how much of the stream they cover, and why not more; None where nobody looks for any."""
        with self._lock:
            return None if self._tracer is None else self._tracer.report()

    @contextmanager
    def trace(self) -> Generator[None]:
        """Inside, what is launched runs as one segment at the end, whatever its length; the search for traces stands aside (A38).

        For who knows what repeats. What is read inside runs then, with what was launched before it.
        """
        with self._lock:
            self._refuse_inside_tasks("begin a trace on")
            if not self._explicit:
                self._run_all()
            self._explicit += 1
            self._follow()
        try:
            yield
        finally:
            with self._lock:
                self._explicit -= 1
                if not self._explicit and self._recorded is None:
                    if self._tracer is not None:
                        self._tracer.skip()
                    self._run(full=False)
                    self._look_at_window()

    def _follow(self) -> None:
        """Sets what the hot path does: follows traces, if there are any, and looks at the window when that is long enough."""
        if self._explicit or self._recorded is not None:
            self._replayer = None
            self._window.limit = sys.maxsize
        elif self._tracer is not None:
            self._replayer = self._tracer.following

    def _refuse_inside_tasks(self, what: str) -> None:
        """Raises UsageError in the thread that runs a task. Other threads have nothing to do with it."""
        if self._running and self._runner == get_ident():
            raise UsageError(f"a task's body cannot {what} the session that runs it")

    def _refuse_in_recording(self, what: str) -> None:
        """Raises UsageError in a frozen function. Under the lock, which nobody else has meanwhile."""
        if self._recorded is not None and not self._running:
            raise UsageError(f"{self._recorded} is frozen, and {what}: do that outside of it")

    def _wait_for_turn(self) -> None:
        """What a launch has to do while tasks run, or while a frozen function is recorded."""
        self._refuse_inside_tasks("launch tasks on")
        if self._recorded is not None:
            with self._lock:  # another thread's launch must not become a part of the function
                pass

    def _step(self, token: int) -> None:
        """The launch captured last does not just carry on a trace: what is to be replayed now is."""
        with self._lock:
            replayer = self._replayer
            if replayer is not None:
                self._replay(replayer.step(token, self._window.end - 1))
                if len(self._window.records) >= self._window.limit:
                    self._look_at_window()

    def _replay(self, replays: Sequence[Replay]) -> None:
        """Runs traces, each as one segment, and before each what was captured before it."""
        window = self._window
        for replay in replays:
            # Another thread's launches may have come in between, so that the places are not what they were: any will do.
            if window.start < replay.start:
                self._run(full=False, end=replay.start)
            if window.start < replay.end:
                self._run(full=False, end=replay.end, replay=replay)
                self.statistics.replays += 1
                self.statistics.replayed += replay.end - replay.start

    def _look_at_window(self) -> None:
        """So many launches wait that it is time to look for traces, or to run the first tasks of a full window."""
        with self._lock:
            window = self._window
            if self._explicit:
                return
            while True:
                # What may become a trace waits for that.
                settled = window.end if self._replayer is None else self._replayer.settled(window.end)
                self._note(settled)
                waiting = window.count(settled)
                if waiting < window.size:
                    break
                self._run(full=True, end=settled)
            missing = window.size - waiting
            if self._tracer is not None:
                missing = min(missing, self._tracer.interval)
            window.limit = len(window.records) + missing
            self._follow()

    def _note(self, end: int, replay: Replay | None = None) -> None:
        """Has what was captured before a position looked at for traces; ``replay`` says that it is one."""
        if self._tracer is not None:
            self._tracer.note(end, replay=replay)
            self._follow()

    def _run_all(self) -> None:
        """Runs the window. Under the lock."""
        self._replay_rest()
        self._run(full=False)
        if self._tracer is not None:
            self._tracer.cut()

    def _replay_rest(self) -> None:
        """Replays what can be before this place of the stream."""
        if self._replayer is not None:
            self._replay(self._replayer.flush(self._window.end))

    def _run(self, *, full: bool, end: int | None = None, replay: Replay | None = None) -> None:
        """Runs the window up to a position, which may be a replay, or the first tasks of a full one (D29, D30)."""
        # What cannot fuse gains nothing by waiting.
        full = full and self.options.fuse and self.options.target != "reference"
        self._note(self._window.end if end is None else end, replay)
        segment = self._window.take(full=full, end=end)
        if segment is None:
            return
        self._start_tasks()
        try:
            planned = self._execution.planned(segment)
            if full:
                self.statistics.full_windows += 1
                self._resize(planned)
            self._execution.execute(segment, planned)
        finally:
            self._end_tasks()

    def _start_tasks(self) -> None:
        """Marks the time in which tasks run, until ``_end_tasks``. No context manager: those take a microsecond."""
        self._running = self._exclusive = True
        self._runner = get_ident()

    def _end_tasks(self) -> None:
        self._running = False
        self._exclusive = self._recorded is not None

    def _resize(self, planned: Planned) -> None:
        """Grows or shrinks the window by what became of a full one."""
        size = self._window.size
        if planned.grows:
            self._window.size = max(size, min(2 * size, self.options.max_window))
        elif planned.taken is not None and _FEW * len(planned.taken) <= size * planned.plan.launches:
            # A larger window is as many launches to plan, for each place where it may begin in the program.
            self._window.size = max(self.options.window, size // 2)


def _raise_if_unreadable(form: Form, argument: int, root: RootStore) -> None:
    """Raises what reading a root raises: its contents were lost, or it has none yet."""
    raise_if_lost(root)
    if not root.defined:
        privilege, name = form.instance.privileges[argument], form.instance.argument_names[argument]
        store = f"store {root.name!r}" if root.name else "a store"
        raise UsageError(
            f"{store} of shape {root.shape} is used as '{privilege}' ({name} of task '{form.instance.task_name}') before anything was "
            "written to it"
        )


def _note_written(form: Form, argument: int, root: RootStore) -> None:
    """Notes that a launch of the form, captured just now, writes to a root."""
    root.define()
    if root.failure is not None and form.replaces(argument, root.shape):
        root.replaced = True  # nobody will look at what was lost
    for watcher in root.watchers:
        watcher.written(root)
