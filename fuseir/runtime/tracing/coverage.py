"""How much of the stream is replayed: what reports are made of (Apophenia §6.4; check J4)."""

from __future__ import annotations

from collections import deque


class Coverage:
    """Counts what was issued, in traces and not; and of the last ``window`` launches, how many were replayed."""

    def __init__(self, window: int = 5000) -> None:
        self._window = window
        self._replayed: deque[tuple[int, int]] = deque()
        """From which launch to which one all were replayed, as far as these are among the last."""
        self.issued = 0
        self.replayed = 0
        self.recorded = 0
        """Launches in traces that ran for the first time: they had to be planned, and count as not replayed."""
        self.warm_up: int | None = None
        """Launches before the first replay; None as long as there was none."""

    def untraced(self, count: int) -> None:
        """So many launches were issued outside of traces."""
        self._add(count, replayed=False)

    def traced(self, count: int, *, recording: bool = False) -> None:
        """So many launches were issued as a trace, which ``recording`` says is new."""
        if recording:
            self.recorded += count
        elif self.warm_up is None:
            self.warm_up = self.issued
        self._add(count, replayed=not recording)

    @property
    def recent(self) -> int:
        """How many launches the last ones are."""
        return min(self.issued, self._window)

    @property
    def share(self) -> float:
        """The share of all launches that was replayed; 0 before the first."""
        return self.replayed / self.issued if self.issued else 0.0

    @property
    def recent_share(self) -> float:
        """The share of the last launches that was replayed, as many of these as the window has; 0 before the first."""
        begin = max(self.issued - self._window, 0)
        replayed = sum(max(end - max(start, begin), 0) for start, end in self._replayed)
        return replayed / self.recent if self.issued else 0.0

    def _add(self, count: int, *, replayed: bool) -> None:
        start = self.issued
        self.issued = end = start + count
        if not replayed:
            return
        self.replayed += count
        ranges = self._replayed
        if ranges and ranges[-1][1] == start:
            ranges[-1] = ranges[-1][0], end
            return
        ranges.append((start, end))
        while ranges[0][1] <= end - self._window:
            ranges.popleft()
