"""Topological order with wishes: some edges must hold, others should."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from heapq import heapify, heappop, heappush


def ancestor_masks(predecessors: Sequence[AbstractSet[int]]) -> list[int]:
    """For each node of a graph numbered in a topological order, its ancestors as a bit mask."""
    masks: list[int] = []
    for before in predecessors:
        mask = 0
        for p in before:
            mask |= masks[p] | (1 << p)
        masks.append(mask)
    return masks


def order_with_wishes(required: Sequence[AbstractSet[int]], wished: Sequence[AbstractSet[int]]) -> list[int]:
    """An order in which each node follows its ``required`` predecessors, and its ``wished`` ones unless that is a circle.

    Among nodes that may come next the smallest does. Near-linear in edges.
    """
    successors: list[list[int]] = [[] for _ in required]
    wishers: list[list[int]] = [[] for _ in required]
    for node, (before, hoped) in enumerate(zip(required, wished, strict=True)):
        for p in before:
            successors[p].append(node)
        for p in hoped - before:
            wishers[p].append(node)
    waiting = [len(before) for before in required]
    hoping = [len(hoped - before) for before, hoped in zip(required, wished, strict=True)]
    # Ready nodes whose wishes hold, and all ready nodes, to fall back on where wishes go in a circle.
    content = [node for node, count in enumerate(waiting) if count == hoping[node] == 0]
    ready = [node for node, count in enumerate(waiting) if count == 0]
    heapify(content)
    heapify(ready)
    order: list[int] = []
    done: set[int] = set()
    while ready:
        node = heappop(content) if content else heappop(ready)
        if node in done:
            continue
        done.add(node)
        order.append(node)
        for successor in successors[node]:
            waiting[successor] -= 1
            if waiting[successor] == 0:
                heappush(ready, successor)
                if hoping[successor] == 0:
                    heappush(content, successor)
        for wisher in wishers[node]:
            hoping[wisher] -= 1
            if hoping[wisher] == waiting[wisher] == 0:
                heappush(content, wisher)
    return order
