"""The automaton that recognises traces in the stream (Aho and Corasick, CACM 18(6), 1975).

Its state is the longest end of the stream that is a proper beginning of some trace; shorter such ends are the states that its fallbacks
lead to. Together these are the paper's active pointers (Apophenia §4.3): one that began d launches ago is a state of depth d.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from fuseir.runtime.tracing.candidates import Trace
from fuseir.runtime.tracing.prefix_free import Tokens


class State(dict[int, "State"]):
    """A state, which is itself the table of its *plain* transitions: token → next state.

    A transition is plain if all there is to do is to take it: the same pointer goes on, nothing completes on the way, and the longest trace
    that the pointer can still become is the same.
    """

    __slots__ = ("completes", "depth", "fallback", "longest", "others", "resume", "through")

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self.others: dict[int, State] = _NONE
        """Where the same pointer goes on, but there is more to do."""
        self.fallback: State = self
        """The state of the next shorter pointer; the root's own is the root."""
        self.resume: State = self
        """The state to go on from: this one, unless nothing goes on from it."""
        self.completes: tuple[Trace, ...] = ()
        """The traces that end here, longest first."""
        self.longest = 0
        """The length of the longest trace that the pointer can become."""
        self.through: Trace | None = None
        """One such trace."""

    def after(self, token: int, root: State) -> State:
        """The state that a token leads to, which may be the end of a trace."""
        state = self
        while True:
            found = state.get(token)
            if found is None:
                found = state.others.get(token)
            if found is not None:
                return found
            if state is root:
                return root
            state = state.fallback

    def beginning(self) -> Tokens:
        """The end of the stream that this state stands for."""
        return self.through.tokens[: self.depth] if self.through is not None else ()


_NONE: dict[int, State] = {}


def automaton(traces: Iterable[Trace]) -> State:
    """The root of the automaton for traces. Linear in their tokens, about 2 µs each."""
    root = State(0)
    for trace in traces:
        _insert(root, trace)
    # Breadth first: what falls back does so to smaller depth. All transitions are still in the states' own tables.
    states: deque[State] = deque([root])
    order: list[State] = []
    while states:
        state = states.popleft()
        order.append(state)
        for token, child in state.items():
            states.append(child)
            child.fallback = root if state is root else state.fallback.after(token, root)
            child.completes += child.fallback.completes
            if not child:  # nothing begins with what has come
                child.resume = child.fallback.resume
    for state in order:
        state.fallback = state.fallback.resume
        others = {token: child for token, child in state.items() if not _is_plain(state, child)}
        if others:
            state.others = others
            for token in others:
                del state[token]
    return root


def dismantle(root: State) -> None:
    """Takes an automaton apart. Its states refer to each other in circles: they would stay until garbage is collected."""
    states = [root]
    for state in states:  # which grows
        states += state.values()
        states += state.others.values()
        state.clear()
        del state.others, state.fallback, state.resume


def _insert(root: State, trace: Trace) -> None:
    states = [root]
    for token in trace.tokens:
        following = states[-1].get(token)
        if following is None:
            following = states[-1][token] = State(len(states))
        states.append(following)
    states[-1].completes = (trace,)
    for state in states:
        if trace.length > state.longest:
            state.longest, state.through = trace.length, trace


def _is_plain(state: State, child: State) -> bool:
    ends = child.resume is not child  # what completes there is noted with the next token
    return (ends or not child.completes) and (state.depth == 0 or child.longest == state.longest)
