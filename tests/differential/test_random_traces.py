"""The replayer on random streams, against lists of pointers; random_traces.py checks as many as are asked for."""

from __future__ import annotations

import pytest
from random_traces import check

STREAMS = 150
CHUNKS = 4


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_streams(chunk: int) -> None:
    totals = check(STREAMS, chunk * STREAMS)
    # Traces are found in what is generated, and no fewer launches are replayed than by the published rules.
    assert totals["replayed"] >= totals["published"] > 10 * STREAMS
    assert totals["with changes"] > STREAMS
    assert totals["same rules"] > 0
