"""What ``fuseir.trace_report()`` says."""

from __future__ import annotations

from dataclasses import dataclass

from fuseir.runtime.tracing.reasons import ReplayReport

_SHOWN = 10


@dataclass(frozen=True)
class TracingReport:
    """What was found in a session's stream, how much of it that covers, and why it is not more. ``print`` it."""

    launches: int
    """Launches and fences captured so far."""
    recent: int
    """The last so many of these ..."""
    recent_replayed: int
    """... of which so many were replayed."""
    first_replay: int | None
    """After how many launches the first trace was replayed; None if none was."""
    samples_left_out: int
    """Samples of the stream that were not mined, as too many were waiting."""
    replays: ReplayReport

    @property
    def coverage(self) -> float:
        """The share of the recent launches that was replayed."""
        return self.recent_replayed / self.recent if self.recent else 0.0

    def __str__(self) -> str:
        replays = self.replays
        first = "none yet" if self.first_replay is None else f"after {self.first_replay} launches"
        lines = [
            f"{replays.replayed_launches} of {self.launches} launches were replayed, in {replays.replays} replays; the first: {first}",
            f"of the last {self.recent} launches: {100 * self.coverage:.1f} %",
            f"{len(replays.traces)} traces now, {replays.promoted} in all; {len(replays.watched)} candidates are watched for",
        ]
        most = sorted(replays.traces, key=lambda trace: -trace.replays * len(trace.tokens))
        lines += [
            f"  {len(trace.tokens):5} launches, replayed {trace.replays} times of {trace.visits}"
            for trace in most[:_SHOWN]
        ]
        lines += [f"  … and {len(most) - _SHOWN} more"] * (len(most) > _SHOWN)
        if self.samples_left_out:
            lines.append(f"{self.samples_left_out} samples of the stream were not mined: too many were waiting")
        if replays.reasons:
            lines.append("why not more:")
            lines += [f"  {count:5} times: {reason.value}" for reason, count in replays.reasons.items()]
        return "\n".join(lines)
