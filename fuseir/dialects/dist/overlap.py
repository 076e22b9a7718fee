"""Which points of a launch domain share elements of a store: the question behind every point-wise dependence.

Two accesses to one store conflict only where pieces meet; fusion needs to know whether any two *different* points are concerned
(Diffuse §4.1, Definitions 2 and 3). The answer is computed from the numbers of the two views and partitions: O(rank) steps of O(log)
integer arithmetic, and no loop over points, pieces or elements.

How. A piece is a box of the view, so in each dimension of the *store* it is a bounded arithmetic progression that moves with at most
one launch dimension. The pieces of points p and q meet if and only if neither is empty and their progressions meet in every dimension of
the store. One such dimension thus relates one coordinate of p with one coordinate of q, or with nothing:

- Common members of two progressions lie on a lattice (Chinese remainders). On it, each progression is again an interval that moves
  evenly, at least along every n-th launch coordinate; such a sequence of coordinates is a ``_Track``.
- Two moving intervals meet inside a window if and only if each meets the window and they meet each other (Helly on a line), and
  the last is ``low <= m*x - w*y <= high``. The pairs (x, y) for which that holds are counted in closed form, and so are those with x = y:
  no two different coordinates meet if the counts agree.

The answer is exact wherever each launch coordinate moves at most one dimension of the store on either side, which is how arrays are
divided. Elsewhere, and where the strides of views would need very many tracks, it may say ``CROSSING`` of what is not.
"""

from __future__ import annotations

from enum import Enum
from math import gcd
from typing import NamedTuple

from fuseir.dialects.dist.index_map import Coordinate
from fuseir.dialects.dist.partition import Interval, Partition, Range, Shape, nonempty_points
from fuseir.dialects.dist.view import View, views_meet

_MOST_TRACK_PAIRS = 64
"""Beyond so many pairs of tracks, pieces count as if they held also what lies between their elements."""


class Overlap(Enum):
    """How the pieces of two accesses to one store meet."""

    APART = "apart"
    """No element is in a piece of the one and in a piece of the other, at any two points, equal or not."""

    SAME_POINT = "same_point"
    """Elements are shared, but only between the two pieces of one and the same point."""

    CROSSING = "crossing"
    """Pieces of two different points may share an element."""


class Pieces(NamedTuple):
    """What each point of a launch domain gets of a store: a partition of a view of it."""

    store_shape: Shape
    view: View
    partition: Partition


def overlap(a: Pieces, b: Pieces, domain: Shape) -> Overlap:
    """How two accesses to one store meet over a launch domain. Sound: ``CROSSING`` where unsure."""
    same_view = a.view == b.view
    if not same_view and not views_meet(a.view, b.view):
        return Overlap.APART
    a_intervals = a.partition.intervals(a.view.shape)
    a_points = nonempty_points(a_intervals, domain)
    if a_points is None:
        return Overlap.APART
    if same_view and a.partition == b.partition:
        moving = {interval.launch_dim for interval in a_intervals}
        if any(count > 1 and j not in moving for j, count in enumerate(domain)):
            return Overlap.CROSSING
        if not a.view.repeats:
            return Overlap.SAME_POINT
        b_intervals, b_points = a_intervals, a_points
    else:
        b_intervals = b.partition.intervals(b.view.shape)
        b_points = nonempty_points(b_intervals, domain)
        if b_points is None:
            return Overlap.APART
    relations = [
        (_progression(x, a.view.shape, a_intervals), _progression(y, b.view.shape, b_intervals))
        for x, y in zip(a.view.map().results, b.view.map().results, strict=True)
    ]
    return _solve(relations, list(a_points), list(b_points))


class _Progression(NamedTuple):
    """The pieces in one dimension of the store: the elements ``base + step*i`` for ``i`` in the interval; ``step`` is at least 1."""

    base: int
    step: int
    interval: Interval

    def settled(self, points: list[Range]) -> _Progression:
        """The same where only ``points`` count: it stays if there is but one coordinate to move with."""
        j = self.interval.launch_dim
        if j is None or not _single(points[j]):
            return self
        return self._replace(interval=self.interval.fixed_at(points[j].low))

    def filled(self) -> _Progression:
        """What holds also all elements in between."""
        j, multiplier, addend, tile, extent = self.interval
        step = self.step
        hull = Interval(j, multiplier * step, addend * step, (tile - 1) * step + 1, (extent - 1) * step + 1)
        return _Progression(self.base, 1, hull)


def _progression(coordinate: Coordinate, shape: Shape, intervals: tuple[Interval, ...]) -> _Progression:
    """One result of a view's map, applied to what points get of the view. Whether that is empty is not its business."""
    dim, scale, offset = coordinate
    if dim is None or shape[dim] == 1:
        return _Progression(offset, 1, Interval(None, 0, 0, 1, 1))
    interval = intervals[dim]
    if scale > 0:
        return _Progression(offset, scale, interval)
    j, multiplier, addend, tile, extent = interval  # count from the other end
    mirrored = Interval(j, -multiplier, extent - addend - tile, tile, extent)
    return _Progression(offset + scale * (extent - 1), -scale, mirrored)


def _solve(relations: list[tuple[_Progression, _Progression]], p: list[Range], q: list[Range]) -> Overlap:
    """Whether points of the boxes ``p`` and ``q`` satisfy all relations, and whether different ones do."""
    on_diagonal: set[int] = set()
    # What narrows the boxes comes first, so that the rest may profit.
    for a, b in sorted(relations, key=_narrows_less):
        a, b = a.settled(p), b.settled(q)
        j, k = a.interval.launch_dim, b.interval.launch_dim
        xs = _NO_COORDINATE if j is None else p[j]
        ys = _NO_COORDINATE if k is None else q[k]
        found = _meetings(a, b, xs, ys)
        if found.pairs == 0:
            return Overlap.APART
        if j is not None and k is not None and j != k and found.pairs == 1:
            found = _the_one_meeting(a, b, found)
        if j is not None:
            p[j] = found.xs
        if k is not None:
            q[k] = found.ys
        if j is not None and j == k and found.pairs == found.equal:
            on_diagonal.add(j)
    for j, (xs, ys) in enumerate(zip(p, q, strict=True)):
        if j not in on_diagonal and not (xs == ys and _single(xs)):
            return Overlap.CROSSING
    return Overlap.SAME_POINT


def _narrows_less(relation: tuple[_Progression, _Progression]) -> int:
    """Order of relations: one side fixed, two launch dimensions, one launch dimension on both sides."""
    j, k = (side.interval.launch_dim for side in relation)
    return 0 if j is None or k is None else 1 if j != k else 2


def _single(coordinates: Range) -> bool:
    return coordinates.high - coordinates.low == 1


class _Meetings(NamedTuple):
    """The pairs (x, y) that satisfy one relation: how many, how many with x = y, and bounds of either."""

    pairs: int
    equal: int
    xs: Range
    ys: Range


_NO_COORDINATE = Range(0, 1)
_NEVER = _Meetings(0, 0, Range(0, 0), Range(0, 0))


def _meetings(a: _Progression, b: _Progression, xs: Range, ys: Range) -> _Meetings:
    """Where two progressions meet. Exact, but that pieces are filled up where tracks would be too many."""
    lattice = _common(a.base, a.step, b.base, b.step)
    if lattice is None:
        return _NEVER
    first, step = lattice
    x_pace = _pace(a, step)
    y_pace = _pace(b, step)
    if x_pace * y_pace > _MOST_TRACK_PAIRS:
        return _meetings(a.filled(), b.filled(), xs, ys)
    window = _window(a, first, step).meet(_window(b, first, step))
    x_tracks = _tracks(a, first, step, x_pace, xs, window)
    y_tracks = _tracks(b, first, step, y_pace, ys, window)
    if not x_tracks or not y_tracks:
        return _NEVER
    if a.interval.launch_dim is None or b.interval.launch_dim is None:
        pairs = sum(track.length for track in x_tracks) * sum(track.length for track in y_tracks)
        equal = 0
    else:
        pairs = sum(x.meetings(y) for x in x_tracks for y in y_tracks)
        equal = sum(x.meetings_at_one(y) for x in x_tracks for y in y_tracks)
    return _Meetings(pairs, equal, _bounds(x_tracks), _bounds(y_tracks))


def _the_one_meeting(a: _Progression, b: _Progression, found: _Meetings) -> _Meetings:
    """The same meeting with exact bounds, by bisection."""
    xs, ys = found.xs, found.ys
    while not _single(xs):
        middle = (xs.low + xs.high) // 2
        lower = Range(xs.low, middle)
        xs = lower if _meetings(a, b, lower, ys).pairs else Range(middle, xs.high)
    while not _single(ys):
        middle = (ys.low + ys.high) // 2
        lower = Range(ys.low, middle)
        ys = lower if _meetings(a, b, xs, lower).pairs else Range(middle, ys.high)
    return found._replace(xs=xs, ys=ys)


def _common(a: int, a_step: int, b: int, b_step: int) -> tuple[int, int] | None:
    """The numbers that are ``a`` modulo ``a_step`` and ``b`` modulo ``b_step``, as one of them and their step; None if there are none."""
    if a_step == b_step:
        return None if (a - b) % a_step else (a, a_step)
    g = gcd(a_step, b_step)
    if (b - a) % g:
        return None
    modulus = b_step // g
    k = (b - a) // g * pow(a_step // g, -1, modulus) % modulus
    return a + k * a_step, a_step * modulus


def _pace(side: _Progression, step: int) -> int:
    """Every how many launch coordinates the side moves by whole steps of the lattice."""
    stride = step // side.step
    return stride // gcd(stride, side.interval.multiplier)


def _on_lattice(side: _Progression, first: int, step: int, low: int, high: int) -> Range:
    """The numbers k for which ``first + k*step`` is the side's element at an index in ``[low, high)``."""
    start = (first - side.base) // side.step
    stride = step // side.step
    return Range(-((start - low) // stride), -((start - high) // stride))


def _window(side: _Progression, first: int, step: int) -> Range:
    """What of the lattice the view shows; what the side holds, if that does not move."""
    interval = side.interval
    low, high = interval.at(0) if interval.launch_dim is None else (0, interval.extent)
    return _on_lattice(side, first, step, low, high)


def _tracks(side: _Progression, first: int, step: int, pace: int, coordinates: Range, window: Range) -> list[_Track]:
    """Where the side's intervals on the lattice meet the window, as tracks."""
    j, multiplier, addend, tile, _ = side.interval
    if window.empty:
        return []
    if j is None:
        return [_Track(0, 1, 1, 0, window.low, window.high - window.low)]  # the window is part of it
    stride = step // side.step
    tracks: list[_Track] = []
    for x in range(coordinates.low, min(coordinates.low + pace, coordinates.high)):
        start = x * multiplier + addend
        low, high = _on_lattice(side, first, step, start, start + tile)
        if low >= high:
            continue  # between two members
        moving = Interval(0, multiplier * pace // stride, low, high - low, 0)
        inside = moving.coordinates_where(
            window.low - (high - low) + 1, window.high - 1, -((x - coordinates.high) // pace)
        )
        if not inside.empty:
            start = inside.low * moving.multiplier + low
            tracks.append(
                _Track(x + inside.low * pace, pace, inside.high - inside.low, moving.multiplier, start, high - low)
            )
    return tracks


class _Track(NamedTuple):
    """Launch coordinates ``first + u*pace`` for ``0 <= u < length``, which have the intervals ``[u*multiplier + start, … + tile)``."""

    first: int
    pace: int
    length: int
    multiplier: int
    start: int
    tile: int

    @property
    def last(self) -> int:
        """The last coordinate."""
        return self.first + (self.length - 1) * self.pace

    def _band(self, other: _Track) -> tuple[int, int]:
        """What ``u*multiplier - v*other.multiplier`` lies between if and only if the intervals at ``u`` and ``v`` meet."""
        shift = other.start - self.start
        return shift - self.tile + 1, shift + other.tile - 1

    def meetings(self, other: _Track) -> int:
        """How many pairs of coordinates have intervals that meet."""
        low, high = self._band(other)
        m, w = self.multiplier, other.multiplier
        if m < 0:
            m, w, low, high = -m, -w, -high, -low
        if w < 0:  # count v from the other end
            w, low, high = -w, low + w * (other.length - 1), high + w * (other.length - 1)
        return _pairs_up_to(high, m, self.length, w, other.length) - _pairs_up_to(
            low - 1, m, self.length, w, other.length
        )

    def meetings_at_one(self, other: _Track) -> int:
        """How many coordinates of both have intervals that meet."""
        shared = _common(self.first, self.pace, other.first, other.pace)
        if shared is None:
            return 0
        at, pace = shared
        at += -((at - max(self.first, other.first)) // pace) * pace  # the first in both
        count = (min(self.last, other.last) - at) // pace + 1
        if count <= 0:
            return 0
        start = (at - self.first) // self.pace * self.multiplier - (at - other.first) // other.pace * other.multiplier
        move = pace // self.pace * self.multiplier - pace // other.pace * other.multiplier
        inside = Interval(0 if move else None, move, start, 0, 0).coordinates_where(*self._band(other), count)
        return 0 if inside.empty else inside.high - inside.low


def _bounds(tracks: list[_Track]) -> Range:
    """The least range that holds all coordinates of the tracks."""
    return Range(min(track.first for track in tracks), max(track.last for track in tracks) + 1)


def _pairs_up_to(most: int, m: int, us: int, w: int, vs: int) -> int:
    """The number of pairs ``0 <= u < us``, ``0 <= v < vs`` with ``m*u - w*v <= most``, for positive m and w."""
    # At v there are floor((most + w*v) / m) + 1 of them, but at least none and at most all: those are where v reaches `some` and `full`.
    some = min(max(-(most // w), 0), vs)
    full = min(max(-((most - m * (us - 1)) // w), some), vs)
    return _floor_sum(full - some, m, w, most + w * some + m) + us * (vs - full)


def _floor_sum(count: int, m: int, a: int, b: int) -> int:
    """The sum of ``(a*i + b) // m`` for ``0 <= i < count``, as Euclid's algorithm does it; m is positive, a and b are not negative."""
    total = 0
    while count > 0:
        total += a // m * (count * (count - 1) // 2) + b // m * count
        a, b = a % m, b % m
        # What is left counts lattice points below a line of slope below 1: swap the axes.
        count, b = divmod(a * count + b, m)
        m, a = a, m
    return total
