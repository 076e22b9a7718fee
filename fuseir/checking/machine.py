"""Runs programs on terms: tasks are uninterpreted, so what a store holds tells everything that led to it.

At each point, a task's pieces give one digest of the terms that it reads, in order, and of the shapes that it sees; each element that it
writes gets a term made from the task, its scalars, the argument, the index within the piece, and the digest. Only copies are
understood: they move terms. A plain launch reads at all points before it writes at any. The points of a fused task run one after the
other, each all members in order; its temporaries hold nothing before and after a point.

Contributions to a reduction are sums, which do not depend on the order of points. They are folded into the store's terms, in order of
the members, when all points are done; or before, at elements that any member touches in another way: contributions that points still to
come make there are then missing, and a dependence between two points shows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from random import Random
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue

from fuseir.checking.geometry import Piece
from fuseir.checking.hashing import UNDEFINED, Words, digest, filled, fold, mix, word_of, write_terms
from fuseir.checking.program import Argument, Call, Group, Program, Swap, read_program, require_few_terms

Order: TypeAlias = Literal["ascending", "descending"] | int
"""The order in which the points of a fused task run; a number is the seed of a shuffle."""

Watch: TypeAlias = Callable[[Call, int, int, int], None]
"""Is told what a launch finds: the launch, the point, the argument, the digest of its piece. May raise to stop the run."""


def terms(module: ModuleOp, order: Order = "ascending") -> dict[SSAValue, Words]:
    """What each store of a verified module holds at its end, as one term for each element in row-major order.

    Launches must name tasks as they were written. Raises LimitError if that would take too long, UnsupportedError for an unknown kind
    of partition.
    """
    program = read_program(module)
    require_few_terms(program, range(len(program.stores)))
    machine = Machine(program)
    machine.run_in_order(order)
    return {store.op.result: machine.terms_of(number) for number, store in enumerate(program.stores)}


def points_in(order: Order, count: int) -> Sequence[int]:
    """The numbers of ``count`` points in that order."""
    if order == "ascending":
        return range(count)
    if order == "descending":
        return range(count - 1, -1, -1)
    points = list(range(count))
    Random(order).shuffle(points)
    return points


class _Sums:
    """What the points contributed to one ``reduce`` argument of a fused task, and is not folded yet: 0 where nothing."""

    __slots__ = ("call", "operator", "rank", "words")

    def __init__(self, rank: tuple[int, int], call: Call, operator: int, size: int) -> None:
        self.rank = rank
        self.call = call
        self.operator = operator
        self.words: Words = np.zeros(size, np.uint64)


class Machine:
    """The state of a program that runs on terms.

    ``writers``, if kept, tells for each element which call changed it last: its place in ``calls`` plus 1, or 0 if none.
    """

    def __init__(self, program: Program, *, watch: Watch | None = None, keep_writers: bool = False) -> None:
        self.program = program
        self.watch = watch
        self.calls: list[Call] = []
        self.writers: dict[int, NDArray[np.int64]] | None = {} if keep_writers else None
        self._number: dict[Call, int] = {}
        self._terms: list[Words | None] = [None] * len(program.stores)
        # By store; in the order of the members, and within one of its arguments: the order in which they will be folded.
        self._pending: dict[int, list[_Sums]] = {}
        self._world = 0
        self._seen = 0

    @property
    def world(self) -> int:
        """What opaque tasks may have done elsewhere: a word for which of them ran, in which order, and what they saw."""
        return self._world

    @property
    def seen(self) -> int:
        """A word for what the tasks of the last fused task saw at each point; the order of points as such is not in it."""
        return self._seen

    def run(self, run_group: Callable[[Group], None]) -> None:
        """Run the whole program; fused tasks are given to ``run_group``."""
        for step in self.program.steps:
            if isinstance(step, Call):
                self.launch(step)
            elif isinstance(step, Group):
                run_group(step)
            else:
                self._swap(step)

    def run_in_order(self, order: Order) -> None:
        """Run the whole program, the points of every fused task in that order."""
        self.run(lambda group: self.run_group(group, order))

    def terms_of(self, store: int) -> Words:
        """What a store holds. The array is the store: it changes as the program runs on."""
        words = self._terms[store]
        if words is None:
            declared = self.program.stores[store]
            if declared.name is None:
                words = np.full(declared.size, UNDEFINED, np.uint64)
            else:
                words = filled(word_of(declared.name), declared.size)
            self._terms[store] = words
        return words

    def set_terms(self, store: int, words: Words) -> None:
        """Let a store hold other terms."""
        self._terms[store] = words

    def writer(self, store: int, element: int) -> Call | None:
        """The call that changed an element last. ``keep_writers`` must have been asked for."""
        assert self.writers is not None
        number = int(self.writers[store][element]) if store in self.writers else 0
        return self.calls[number - 1] if number else None

    # Launches

    def launch(self, call: Call) -> None:
        """Run a launch at all points: first all read, then all write, then reductions are folded."""
        if call.copies:
            source, target = call.arguments
            for point in range(call.points):
                self._watch_copy(call, point)
            moved = [piece.of(self.terms_of(source.store)).copy() for piece in source.pieces if piece.size]
            for piece, words in zip([piece for piece in target.pieces if piece.size], moved, strict=True):
                piece.of(self.terms_of(target.store))[...] = words
                self._changed(call, target.store, piece)
            return
        memo: dict[int, int] = {}
        digests = [self._digests(call, point, memo) for point in range(call.points)]
        if call.opaque:
            for seen, _ in digests:
                self._world = mix(self._world, seen)
        for k, argument in enumerate(call.arguments):
            if argument.writes:
                for point, seen in enumerate(digests):
                    self._write(call, k, argument, point, seen)
            elif argument.operator:
                sums = _Sums((0, k), call, argument.operator, self.program.stores[argument.store].size)
                for point, seen in enumerate(digests):
                    self._contribute(sums, k, argument, point, seen)
                self._fold(argument.store, sums)

    def run_group(self, group: Group, order: Order) -> None:
        """Run a fused task, its points in that order."""
        self._seen = 0
        for store in group.temporaries:
            self.terms_of(store).fill(UNDEFINED)
            if self.writers is not None:
                self.writers.pop(store, None)
        for point in points_in(order, prod(group.domain)):
            for rank, call in enumerate(group.members):
                self._run_point(call, rank, point)
            self._forget(group, point)
        for store, pending in self._pending.items():
            for sums in pending:
                self._fold(store, sums)
        self._pending.clear()

    def _run_point(self, call: Call, rank: int, point: int) -> None:
        for argument in call.arguments:
            piece = argument.pieces[point]
            if self._pending and argument.used and piece.size:
                self._settle(argument, piece)
        if call.copies:
            source, target = call.arguments
            self._watch_copy(call, point)
            if (piece := target.pieces[point]).size:
                piece.of(self.terms_of(target.store))[...] = source.pieces[point].of(self.terms_of(source.store))
                self._changed(call, target.store, piece)
            return
        seen = self._digests(call, point, None)
        self._seen ^= mix(mix(seen[0], rank), point)
        for k, argument in enumerate(call.arguments):
            if argument.writes:
                self._write(call, k, argument, point, seen)
            elif argument.operator and argument.pieces[point].size:
                self._contribute(self._sums_of(call, rank, k, argument), k, argument, point, seen)

    def _settle(self, argument: Argument, piece: Piece) -> None:
        """Fold what is pending at the elements of a piece, unless it is reductions with the very operator."""
        for sums in self._pending.get(argument.store, ()):
            if sums.operator != argument.operator:
                self._fold(argument.store, sums, piece)

    def _sums_of(self, call: Call, rank: int, k: int, argument: Argument) -> _Sums:
        pending = self._pending.setdefault(argument.store, [])
        for sums in pending:
            if sums.rank == (rank, k):
                return sums
        sums = _Sums((rank, k), call, argument.operator, self.program.stores[argument.store].size)
        pending.append(sums)
        pending.sort(key=lambda sums: sums.rank)
        return sums

    def _forget(self, group: Group, point: int) -> None:
        """Let the temporaries hold nothing, as a point is done: those of the next are its own."""
        if not group.temporaries:
            return
        for store in group.temporaries:
            self._pending.pop(store, None)
        for call in group.members:
            for argument in call.arguments:
                piece = argument.pieces[point]
                if argument.used and argument.store in group.temporaries and piece.size:
                    piece.of(self.terms_of(argument.store)).fill(UNDEFINED)
                    if self.writers is not None and argument.store in self.writers:
                        piece.of(self.writers[argument.store].view(np.uint64)).fill(0)

    # What happens at a point

    def _digests(self, call: Call, point: int, memo: dict[int, int] | None) -> tuple[int, int]:
        """A word for what the task sees at a point, and one for that of it that all points see alike.

        ``memo`` may be given where nothing changes between the points: it keeps what is the same for all.
        """
        seen = common = call.key
        for k, argument in enumerate(call.arguments):
            piece = argument.pieces[point]
            word = piece.key
            if argument.reads:
                if memo is not None and argument.fixed and k in memo:
                    contents = memo[k]
                else:
                    contents = digest(piece.of(self.terms_of(argument.store)), piece.size) if piece.size else 0
                    if memo is not None and argument.fixed:
                        memo[k] = contents
                if self.watch is not None:
                    self.watch(call, point, k, contents)
                word = mix(word, contents)
            seen = mix(seen, word)
            if argument.fixed:
                common = mix(common, word)
        return seen, common

    def _watch_copy(self, call: Call, point: int) -> None:
        piece = call.arguments[0].pieces[point]
        if self.watch is not None and piece.size:
            self.watch(call, point, 0, digest(piece.of(self.terms_of(call.arguments[0].store)), piece.size))

    def _write(self, call: Call, k: int, argument: Argument, point: int, seen: tuple[int, int]) -> None:
        piece = argument.pieces[point]
        if piece.size:
            # Through `replicated` all points must write the same, so it cannot depend on what only one of them sees.
            base = mix(seen[1] if argument.replicated else seen[0], k)
            write_terms(base, piece.of(self.terms_of(argument.store)), piece.size)
            self._changed(call, argument.store, piece)

    def _contribute(self, sums: _Sums, k: int, argument: Argument, point: int, seen: tuple[int, int]) -> None:
        piece = argument.pieces[point]
        if piece.size:
            contribution = np.empty(piece.shape, np.uint64)
            # Whose it is counts, as points that see the same might make up for what others did not contribute in time.
            write_terms(mix(mix(seen[0], point), k), contribution, piece.size)
            view = piece.of(sums.words)
            np.add(view, contribution, out=view)

    def _fold(self, store: int, sums: _Sums, piece: Piece | None = None) -> None:
        """Fold pending sums into the store, everywhere or at the elements of a piece."""
        held, pending = self.terms_of(store), sums.words
        if piece is not None:
            held, pending = piece.of(held), piece.of(pending)
        touched = fold(held, pending, sums.operator)
        if touched is not None and self.writers is not None:
            self._changed(sums.call, store, piece, touched)

    # Who changed what

    def _changed(self, call: Call, store: int, piece: Piece | None, where: NDArray[np.bool_] | None = None) -> None:
        if self.writers is None:
            return
        number = self._number.get(call)
        if number is None:
            self.calls.append(call)
            number = self._number[call] = len(self.calls)
        if store not in self.writers:
            self.writers[store] = np.zeros(self.program.stores[store].size, np.int64)
        words = self.writers[store].view(np.uint64)
        np.copyto(
            words if piece is None else piece.of(words), np.uint64(number), where=True if where is None else where
        )

    def _swap(self, swap: Swap) -> None:
        first, second = self.terms_of(swap.first), self.terms_of(swap.second)
        self._terms[swap.first], self._terms[swap.second] = second, first
        if self.writers is not None:
            moved = self.writers.pop(swap.first, None), self.writers.pop(swap.second, None)
            for store, words in zip((swap.second, swap.first), moved, strict=True):
                if words is not None:
                    self.writers[store] = words
