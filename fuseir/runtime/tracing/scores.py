"""How good a trace is: what decides between traces that want the same launches.

Positions are those of a match's first launch.
"""

from __future__ import annotations

from fuseir.runtime.tracing.parameters import Costs

_DECAY = 0.99
_MOST_VISITS = 10
_MOST_FOR_REPLAYS = 1.75
_MOST_FOR_BACK_TO_BACK = 2.0


class Score:
    """Length × visits, with the constants of Legion's implementation (Apophenia §4.3).

    Visits fade by 1 % for each of the trace's lengths that passes, so that rare traces stay low however long they are known; the cap of
    ten lets a longer trace that is found later win; what replays already, or follows itself without a gap, is preferred up to a bound.
    """

    __slots__ = ("_back_to_back", "_last", "_last_back_to_back", "length", "replays", "visits")

    def __init__(self, length: int) -> None:
        self.length = length
        self.replays = 0
        """How often it was replayed, the run that records it included."""
        self.visits = 0.0
        """How often it was seen, faded, as of the last time."""
        self._last: int | None = None
        self._back_to_back = 0.0
        self._last_back_to_back = 0

    def visit(self, position: int) -> None:
        """It was seen, beginning there. Overlapping the last one, it does not count."""
        last = self._last
        if last is None:
            self.visits = 1.0
        else:
            lengths = (position - last) // self.length
            if lengths == 0:
                return
            self.visits = _DECAY**lengths * self.visits + 1
            if position - last == self.length:
                lengths = (position - self._last_back_to_back) // self.length
                self._back_to_back = _DECAY**lengths * self._back_to_back + 1
                self._last_back_to_back = position
        self._last = position

    def faded_visits(self, position: int) -> float:
        """How often it was seen, faded, as of now."""
        if self._last is None:
            return 0.0
        lengths = (position - self._last) // self.length
        return _DECAY**lengths * self.visits if lengths else self.visits

    def score(self, position: int) -> float:
        """The published score (Apophenia §4.3; A43–A47)."""
        visits = self.faded_visits(position) + 1
        found = (visits if visits < _MOST_VISITS else _MOST_VISITS) * self.length
        if self.replays > 1:  # the least whole number above the bound
            found *= _MOST_FOR_REPLAYS
        if self._back_to_back > 1:
            found *= self._back_to_back if self._back_to_back < _MOST_FOR_BACK_TO_BACK else _MOST_FOR_BACK_TO_BACK
        return found

    def value(self, position: int, costs: Costs | None) -> float:
        """What one replay is worth: the values of replays that are made together are added up.

        By default, the published score. By measured costs, the time saved, where the run that records is shared out among those to be
        expected.
        """
        if costs is None:
            return self.score(position)
        saved = costs.saved(self.length)
        if self.replays:
            return saved
        expected = self.faded_visits(position)
        return (self.length * (costs.untraced - costs.recorded) + expected * saved) / (1 + expected)
