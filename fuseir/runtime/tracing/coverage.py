"""How much of the stream is replayed: what reports are made of (Apophenia §6.4; check J4)."""

from __future__ import annotations

from collections import deque


class Coverage:
    """Counts what was issued, in traces and not; and of the last ``window`` launches, how many were replayed."""

    def __init__(self, window: int = 5000) -> None:
        self._window = window
        self._recent: deque[tuple[int, bool]] = deque()
        self._recent_count = 0
        self._recent_replayed = 0
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
        return self._recent_count

    @property
    def share(self) -> float:
        """The share of all launches that was replayed; 0 before the first."""
        return self.replayed / self.issued if self.issued else 0.0

    @property
    def recent_share(self) -> float:
        """The share of the last launches that was replayed, as many of these as the window has; 0 before the first."""
        return self._recent_replayed / self._recent_count if self._recent_count else 0.0

    def _add(self, count: int, *, replayed: bool) -> None:
        self.issued += count
        self.replayed += count * replayed
        self._recent_count += count
        self._recent_replayed += count * replayed
        if self._recent and self._recent[-1][1] == replayed:
            count += self._recent.pop()[0]
        self._recent.append((count, replayed))
        while self._recent_count > self._window:
            oldest, was_replayed = self._recent.popleft()
            kept = max(oldest - (self._recent_count - self._window), 0)
            self._recent_count -= oldest - kept
            self._recent_replayed -= (oldest - kept) * was_replayed
            if kept:
                self._recent.appendleft((kept, was_replayed))
