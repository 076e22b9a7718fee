"""Unsound edits of the code that decides what may fuse: each makes it believe something that is not so.

``run.py`` applies one at a time and asks the test-suite to notice. An edit replaces ``old``, which occurs once in ``file``, by ``new``.
"""

from __future__ import annotations

from typing import NamedTuple


class Edit(NamedTuple):
    """One unsound change."""

    name: str
    file: str
    old: str
    new: str


_DEPENDENCE = "fuseir/passes/analysis/dependence.py"
_OVERLAP = "fuseir/dialects/dist/overlap.py"
_PARTITION = "fuseir/dialects/dist/partition.py"
_LAST_USES = "fuseir/passes/analysis/last_uses.py"
_GROUPING = "fuseir/passes/analysis/grouping.py"
_RENAMING = "fuseir/passes/analysis/renaming.py"
_SCALARS = "fuseir/passes/analysis/scalar_promotion.py"
_LIVENESS = "fuseir/passes/analysis/liveness.py"
_RUNS = "fuseir/passes/analysis/runs.py"
_SINKING = "fuseir/passes/analysis/sinking.py"
_REUSE = "fuseir/passes/reuse_inputs.py"
_ACCESS = "fuseir/dialects/dist/access.py"
_FORWARDING = "fuseir/passes/forward_copies.py"
_ASSEMBLED = "fuseir/passes/analysis/assembled_stores.py"
_ELEMENT_WISE = "fuseir/passes/analysis/element_wise_launch.py"
_COPIED = "fuseir/passes/analysis/copied_views.py"

EDITS = (
    # The constraints
    Edit("drop anti dependence", _DEPENDENCE, "if earlier.reads and later.writes:", "if False:"),
    Edit(
        "drop read after write",
        _DEPENDENCE,
        "if earlier.writes and (later.reads or later.writes):",
        "if earlier.writes and later.writes:",
    ),
    Edit(
        "drop write after write",
        _DEPENDENCE,
        "if earlier.writes and (later.reads or later.writes):",
        "if earlier.writes and later.reads:",
    ),
    Edit("ignore the reduction operator", _DEPENDENCE, "not (both_fold and earlier == later)", "not both_fold"),
    Edit(
        "let reductions follow anything",
        _DEPENDENCE,
        "both_fold = earlier.reduces and later.reduces",
        "both_fold = later.reduces; later = earlier",
    ),
    Edit(
        "ignore the launch domain",
        _DEPENDENCE,
        "if task.domain != first.domain:",
        "if len(task.domain) != len(first.domain):",
    ),
    Edit(
        "let anything follow a replicated write",
        _DEPENDENCE,
        "privilege.writes and not later_privilege.returned:",
        "privilege.writes:",
    ),
    Edit(
        "look at the first use of pieces only",
        _DEPENDENCE,
        "pieces.by_privilege.setdefault(",
        "pieces.by_privilege or pieces.by_privilege.setdefault(",
    ),
    # Geometry
    Edit(
        "forget the offset of a view",
        _OVERLAP,
        "return _Progression(offset, scale, interval)",
        "return _Progression(0, scale, interval)",
    ),
    Edit(
        "forget that a view runs backwards",
        _OVERLAP,
        "mirrored = Interval(j, -multiplier, extent - addend - tile, tile, extent)",
        "mirrored = interval",
    ),
    Edit("off by one where intervals meet (< for <=)", _OVERLAP, "shift + other.tile - 1", "shift + other.tile - 2"),
    Edit("take all meetings for diagonal ones", _OVERLAP, "found.pairs == found.equal", "found.equal > 0"),
    Edit(
        "ignore a launch dimension that moves nothing",
        _OVERLAP,
        "if j not in on_diagonal and not (xs == ys and _single(xs)):",
        "if on_diagonal and j not in on_diagonal and not (xs == ys and _single(xs)) and False:",
    ),
    Edit(
        "forget the clip at the end",
        _PARTITION,
        "return Range(max(start, 0), min(start + self.tile, self.extent))",
        "return Range(max(start, 0), start + self.tile)",
    ),
    Edit(
        "tiles shared by points count as disjoint",
        _PARTITION,
        "return all(count <= 1 or j in moving for j, count in enumerate(domain))",
        "return bool(moving) or all(count <= 1 for count in domain)",
    ),
    # Reordering
    Edit(
        "let launches pass those that read what they write",
        _LAST_USES,
        "return max(self.read, self.changed) if later.access.privilege.returned else self.changed",
        "return self.changed",
    ),
    Edit(
        "forget that folds change a store",
        _LAST_USES,
        "if use.access.privilege.returned:",
        "if use.access.privilege.writes:",
    ),
    Edit(
        "join groups before the last conflict",
        _GROUPING,
        "position = bisect_right(numbers, floor)",
        "position = bisect_right(numbers, floor - 2)",
    ),
    Edit(
        "sink past those that overwrite what a launch reads",
        _SINKING,
        "return min([first, *(self._exchanged.get(access.root, first) for access in task.accesses)])",
        "return min([self._exchanged.get(access.root, first) for access in task.accesses])",
    ),
    Edit(
        "leave behind those that need what sinks",
        _SINKING,
        "if any(each < other < k for other in users(use.access.root, group.number) - together):",
        "if False:",
    ),
    Edit(
        "sink into groups whose other points come too late",
        _DEPENDENCE,
        "return self._refusal(task) is None and not any(",
        "return task.domain == self._members[0].domain and bool(",
    ),
    # Renaming and promotion
    Edit(
        "carry nothing behind the written part",
        _RENAMING,
        "for outside in (Range(0, inside.low), Range(inside.high, shape[k])):",
        "for outside in (Range(0, inside.low),):",
    ),
    Edit(
        "rename where the write leaves gaps",
        _RENAMING,
        "if not access.partition.covers(access.shape, task.domain):",
        "if False:",
    ),
    Edit(
        "later members see the old version",
        _GROUPING,
        "joining = substituted(at_its_points, group.versions, self._comparisons)",
        "joining = at_its_points",
    ),
    Edit(
        "promote updates in place",
        _SCALARS,
        "access.privilege.reduces or (access.privilege.writes and access.root in read)",
        "access.privilege.reduces",
    ),
    # Temporaries and kernels
    Edit(
        "a partial write hides what was there",
        _LIVENESS,
        "if access.privilege.writes and access.covers_root(launch.extents):\n                self._pending.pop",
        "if access.privilege.writes:\n                self._pending.pop",
    ),
    Edit(
        "believe reads through other pieces",
        _LIVENESS,
        "use.covering is None or not use.covering.same_pieces(access, member.extents)",
        "use.covering is None",
    ),
    Edit(
        "put overlapping pieces into one kernel",
        _RUNS,
        "return self.comparisons.overlap(a, b, domain) is Overlap.APART",
        "return True",
    ),
    Edit("take memory of what is read later", _REUSE, ".last == number", ".last >= number"),
    Edit(
        "take memory that opaque tasks saw", _REUSE, "not in kernels.by_name\n    return uses", "in ()\n    return uses"
    ),
    Edit(
        "take memory that other points read",
        _REUSE,
        "and accesses[k].partition == accesses[result].partition",
        "and True",
    ),
    Edit("take memory that the application holds", _REUSE, " and use.released", ""),
    Edit("take memory of outputs", _REUSE, " and not use.barred", ""),
    Edit("take memory for a part of a result", _REUSE, " and accesses[result].covers_root(launch.extents)", ""),
    Edit("take memory that a launch has twice", _REUSE, " and roots.count(each.root) == 1", ""),
    Edit("take other rows for broadcasts of a point's own", _ACCESS, " if agree else None", ""),
    Edit(
        "forget where rows that repeat begin", _ACCESS, "partition.of_leading(rank)", "Tiling.of(partition.tile[:rank])"
    ),
    Edit("take another window for a broadcast", _ACCESS, "own[1:] != theirs[1:] or ", ""),
    # Copies
    Edit(
        "read what was copied while it is changed",
        _FORWARDING,
        "use.position >= changed:",
        "use.position > changed:",
    ),
    Edit("read what was copied after it has changed", _FORWARDING, "if changed is not None and", "if not use and"),
    Edit(
        "forget a copy that the world outside can see",
        _FORWARDING,
        "return found if self._outside.private(target.root) else",
        "return found if found else",
    ),
    Edit("take any write for the end of a copy", _FORWARDING, " and access.covers_root(use.launch.extents):", ":"),
    Edit(
        "forward what was not copied",
        _COPIED,
        "if min(offset, last) < 0 or max(offset, last) >= target.shape[at.dim]:",
        "if False:",
    ),
    Edit("round to what was copied", _COPIED, "if rest or uneven:", "if uneven:"),
    Edit(
        "take copies of other tiles for copies of elements",
        _COPIED,
        "return same and pieces.covers(shape, domain)",
        "return pieces.covers(shape, domain)",
    ),
    Edit(
        "take a copy of some tiles for one of all elements",
        _COPIED,
        "return same and pieces.covers(shape, domain)",
        "return same",
    ),
    Edit("read what was copied though it has changed since", _ASSEMBLED, "end = self.positions[reader]", "end = -1"),
    Edit("take for a copy what is written otherwise", _ASSEMBLED, "and root not in self._otherwise", ""),
    Edit("let pieces of a store meet", _ASSEMBLED, "a.target.apart_from(b.target)", "a is not b"),
    Edit("split a launch that counts positions", _ELEMENT_WISE, "isinstance(inner, linalg.IndexOp)", "inner is nest"),
    Edit(
        "write a part of a fresh version",
        _ELEMENT_WISE,
        "len(changes) == 1 and changes[0].value is access.root and changes[0].covers_root(self.launch.extents)",
        "len(changes) == 1",
    ),
)
