"""Is every value defined before it is used?

xDSL's verifier does not ask. ``check_dominance`` does, in one walk: a use must come after the definition in its block, or
in a block that the definition's block dominates, or in a region inside such a place. Uses in blocks that control flow
never reaches are let pass, as in MLIR.
"""

from __future__ import annotations

from collections.abc import Iterator

from xdsl.ir import Block, BlockArgument, Operation, OpResult, Region, SSAValue


class DominanceError(Exception):
    """A use of a value that its definition does not dominate: the operation at fault, and why."""

    def __init__(self, op: Operation, message: str) -> None:
        super().__init__(message)
        self.op = op
        self.message = message


def check_dominance(root: Operation) -> None:
    """Raise DominanceError at the first operation under ``root`` that uses a value it cannot see."""
    checker = _Checker(root)
    for op in checker.order:
        for index, operand in enumerate(op.operands):
            checker.check(op, index, operand)


class _Checker:
    """Facts about one tree of operations, gathered as they are asked for."""

    def __init__(self, root: Operation) -> None:
        # A walk meets the operations of one block in their order, so one numbering serves all blocks.
        self.order = {op: number for number, op in enumerate(root.walk())}
        self.trees: dict[Region, dict[Block, tuple[int, int]]] = {}

    def check(self, user: Operation, index: int, value: SSAValue) -> None:
        """Raise DominanceError unless operand ``index`` of ``user``, ``value``, is visible there."""
        if isinstance(value, OpResult):
            home = value.op.parent
        elif isinstance(value, BlockArgument):
            home = value.block
        else:
            raise DominanceError(user, f"operand {index} has no definition")
        region = None if home is None else home.parent
        if home is None or region is None:
            raise DominanceError(user, f"operand {index} is defined outside the module")

        # The operation that stands in the definition's own region and is, or holds, the use.
        ancestor: Operation | None = user
        while ancestor is not None and (ancestor.parent is None or ancestor.parent.parent is not region):
            ancestor = ancestor.parent_op()
        name = f"%{value.name_hint}" if value.name_hint else f"operand {index}"
        if ancestor is None or ancestor.parent is None:
            raise DominanceError(user, f"uses {name} outside the region that defines it")

        if ancestor.parent is not home:
            if not self._dominates(region, home, ancestor.parent):
                raise DominanceError(user, f"uses {name}, whose definition does not dominate this use")
        elif isinstance(value, OpResult) and self.order[value.op] >= self.order[ancestor]:
            itself = value.op is user
            raise DominanceError(
                user, f"uses {name}, its own result" if itself else f"uses {name} before its definition"
            )

    def _dominates(self, region: Region, above: Block, below: Block) -> bool:
        if region not in self.trees:
            self.trees[region] = _dominator_tree(region)
        tree = self.trees[region]
        if below not in tree:
            return True
        if above not in tree:
            return False
        return tree[above][0] <= tree[below][0] and tree[below][1] <= tree[above][1]


def _dominator_tree(region: Region) -> dict[Block, tuple[int, int]]:
    """For each block that control reaches, when a walk of the dominator tree enters and leaves it.

    One block dominates another if its interval holds the other's. Immediate dominators by the iteration of Cooper,
    Harvey and Kennedy ("A Simple, Fast Dominance Algorithm").
    """
    postorder = _postorder(region)
    number = {block: index for index, block in enumerate(postorder)}
    predecessors: dict[Block, list[Block]] = {block: [] for block in postorder}
    for block in postorder:
        for successor in _successors(block):
            predecessors[successor].append(block)

    entry = postorder[-1]
    dominator = {entry: entry}
    changed = True
    while changed:
        changed = False
        for block in reversed(postorder[:-1]):
            known = [p for p in predecessors[block] if p in dominator]
            best = known[0]
            for other in known[1:]:
                while best is not other:
                    while number[best] < number[other]:
                        best = dominator[best]
                    while number[other] < number[best]:
                        other = dominator[other]
            if dominator.get(block) is not best:
                dominator[block] = best
                changed = True
    return _intervals(entry, dominator)


def _successors(block: Block) -> tuple[Block, ...]:
    # Branches to blocks of other regions are an error that xDSL's verifier reports.
    last = block.last_op
    return () if last is None else tuple(s for s in last.successors if s.parent is block.parent)


def _postorder(region: Region) -> list[Block]:
    entry = region.blocks[0]
    seen = {entry}
    order: list[Block] = []
    stack: list[tuple[Block, Iterator[Block]]] = [(entry, iter(_successors(entry)))]
    while stack:
        block, successors = stack[-1]
        for successor in successors:
            if successor not in seen:
                seen.add(successor)
                stack.append((successor, iter(_successors(successor))))
                break
        else:
            order.append(block)
            stack.pop()
    return order


def _intervals(entry: Block, dominator: dict[Block, Block]) -> dict[Block, tuple[int, int]]:
    children: dict[Block, list[Block]] = {block: [] for block in dominator}
    for block, parent in dominator.items():
        if block is not entry:
            children[parent].append(block)
    entered: dict[Block, int] = {}
    intervals: dict[Block, tuple[int, int]] = {}
    clock = 0
    stack = [(entry, False)]
    while stack:
        block, leaving = stack.pop()
        clock += 1
        if leaving:
            intervals[block] = (entered[block], clock)
            continue
        entered[block] = clock
        stack.append((block, True))
        stack.extend((child, False) for child in children[block])
    return intervals
