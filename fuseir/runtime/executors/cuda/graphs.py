"""A program as CUDA graphs: one call launches all of it.

A graph is made once. What changes from run to run are parameters of nodes, addresses and scalars, and a launch passes what they are
set to: so each graph that was made ready (*executable*) is known by all of its words, and is launched for these words only. For others,
the nodes that differ are set first; launches that have begun are not affected by that. Where many differ, as buffers take turns in
a loop, there is another executable, up to ``MOST_EXECUTABLES``.

Kernels could find their parameters in a table in the device's memory instead, so that one copy changes them all. But then every kernel
begins by waiting for its parameters, for ever, and not only where they change.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fuseir.runtime.executors.cuda.driver import Driver, NodeParams
from fuseir.runtime.executors.cuda.program import Program

MOST_EXECUTABLES = 4

FEW_NODES = 4
"""As many nodes are set rather than that another executable is made."""


@dataclass
class _Executable:
    handle: int
    words: np.ndarray[tuple[int], np.dtype[np.uint64]]
    """What its nodes are set to."""


class ProgramGraph:
    """The graph of a program, with the edges that its launches wait along: what is independent runs at a time."""

    def __init__(self, driver: Driver, program: Program) -> None:
        """Raises CudaError; so does ``launch``."""
        self._driver = driver
        self._program = program
        self._graph = driver.create_graph()
        self._executables: dict[bytes, _Executable] = {}
        """By the words that they are set to."""
        self._at: dict[tuple[int, ...], _Executable] = {}
        """By the addresses that they were launched for, with the words that they still have."""
        weakref.finalize(self, _destroy, driver, self._graph, self._executables)
        self._nodes: list[int] = []
        for launch in program.launches:
            after = [self._nodes[number] for number in launch.after]
            self._nodes.append(driver.add_node(self._graph, after, self._params(len(self._nodes))))
        # It may be that this device, or this driver, has none: better said here than when it is to be launched.
        self._executables[program.words.tobytes()] = _Executable(driver.instantiate(self._graph), program.words.copy())
        # The node of each word.
        self._node_of = np.repeat(np.arange(len(self._nodes)), [launch.words for launch in program.launches])

    def launch_known(self, addresses: tuple[int, ...], stream: int) -> bool:
        """Launches what was launched for these addresses before; False if there is none. For programs without scalars."""
        executable = self._at.get(addresses)
        if executable is None:
            return False
        self._driver.launch_graph(executable.handle, stream)
        return True

    def launch(self, addresses: tuple[int, ...], stream: int) -> None:
        """Launches the program with the words that it has now, which it has for these addresses."""
        key = self._program.words.tobytes()
        executable = self._executables.pop(key, None)
        if executable is None:
            executable = self._set_to_words()
        self._executables[key] = executable
        if not self._program.scalars:
            self._at[addresses] = executable
        self._driver.launch_graph(executable.handle, stream)

    def _set_to_words(self) -> _Executable:
        """An executable with the program's words: the nearest one, or a new one."""
        words = self._program.words
        changed = {key: self._nodes_that_differ(each) for key, each in self._executables.items()}
        nearest = min(changed, key=lambda key: len(changed[key]), default=None)
        if nearest is None or (len(changed[nearest]) > FEW_NODES and len(changed) < MOST_EXECUTABLES):
            made = _Executable(self._driver.instantiate(self._graph), words.copy())
            self._set(made, range(len(self._nodes)))  # the graph has the words that it was made with
            return made
        executable = self._executables.pop(nearest)
        self._at = {addresses: each for addresses, each in self._at.items() if each is not executable}
        self._set(executable, changed[nearest])
        executable.words[:] = words
        return executable

    def _nodes_that_differ(self, executable: _Executable) -> list[int]:
        return np.unique(self._node_of[self._program.words != executable.words]).tolist()

    def _set(self, executable: _Executable, nodes: Sequence[int]) -> None:
        try:
            for node in nodes:
                self._driver.set_node(executable.handle, self._nodes[node], self._params(node))
        except BaseException:
            # Nobody knows what it is set to.
            self._driver.destroy_executable(executable.handle)
            raise

    def _params(self, number: int) -> NodeParams:
        launch = self._program.launches[number]
        return NodeParams.of(launch.function, launch.grid, launch.block, self._program.parameters(launch))


def _destroy(driver: Driver, graph: int, executables: dict[bytes, _Executable]) -> None:
    for executable in executables.values():
        driver.destroy_executable(executable.handle)
    driver.destroy_graph(graph)
