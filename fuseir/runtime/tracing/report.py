"""What ``fuseir.trace_report()`` says."""

from __future__ import annotations

from dataclasses import dataclass

from fuseir.runtime.tracing.coverage import Coverage
from fuseir.runtime.tracing.reasons import ReplayReport

_SHOWN = 10


@dataclass(frozen=True)
class TracingReport:
    """What was found in a session's stream, how much of it that covers, and why it is not more. ``print`` it."""

    coverage: Coverage
    """How many launches there were, and how many were replayed."""
    samples_left_out: int
    """Samples of the stream that were not mined, as too many were waiting."""
    replays: ReplayReport

    def __str__(self) -> str:
        replays, coverage = self.replays, self.coverage
        first = "none yet" if coverage.warm_up is None else f"after {coverage.warm_up} launches"
        lines = [
            f"{coverage.replayed} of {coverage.issued} launches were replayed, in {replays.replays} replays; the first: {first}",
            f"of the last {coverage.recent}: {100 * coverage.recent_share:.1f} %",
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
