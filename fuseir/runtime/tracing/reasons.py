"""Why candidates did not become traces, and why traces were not replayed: counted, for reports."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from fuseir.runtime.tracing.prefix_free import Tokens


class Reason(StrEnum):
    """What became of a candidate, of a trace, or of a match; the values are what reports say."""

    TOO_SHORT = "too short to be worth it"
    """A candidate, or what is left of one that begins with known ones."""
    KNOWN = "known"
    """Or the beginning of a known one, where candidates are ``prefix_free``."""
    LOST_BEFORE = "always lost to better ones before"
    SAME_LOOP = "covers the loop of a known one"
    NO_ROOM = "no room: everything known is in use"
    NOT_SEEN_AGAIN = "not seen again"
    """A candidate forgotten after ``patience``."""
    REPLACED = "not seen any more, and replaced"
    """A candidate or a trace, by another one of its loop."""
    LONGEST_SILENT = "made room for others"
    """A candidate or a trace that had not been seen for longest."""
    LOST_TO_OTHERS = "always lost to better ones"
    """A trace forgotten after ``losses``."""
    AWAITED_IN_VAIN = "others waited for it, and it did not come"
    """A trace forgotten after ``losses`` and ``patience``."""
    MISMATCH = "the stream went another way"
    """Launches that had matched the beginning of a trace."""
    INTERRUPTED = "a fence or a read came in between"
    """Launches that had matched the beginning of a trace."""
    OVERLAPPED = "a better trace took the launches"
    """A complete match."""
    UNPROFITABLE = "costs more than it saves"
    """A complete match, by measured costs."""


class TraceReport(NamedTuple):
    """A trace, as reports show it."""

    number: int | None
    """Drawn when it is replayed first; None before that."""
    tokens: Tokens
    visits: int
    """Complete matches."""
    replays: int
    """How many of them were replayed, the first of which recorded it."""


class ReplayReport(NamedTuple):
    """What the replayer has done so far."""

    watched: tuple[Tokens, ...]
    """Candidates that were not seen often enough yet."""
    traces: tuple[TraceReport, ...]
    promoted: int
    """Candidates that became traces, forgotten ones included."""
    replays: int
    replayed_launches: int
    reasons: dict[Reason, int]
    """How often each was given."""
