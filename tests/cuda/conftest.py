"""The emulated GPU, for the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from compare_executors import on
from emulated_device import AVAILABLE, EmulatedDevice


@pytest.fixture
def device() -> Iterator[EmulatedDevice]:
    """What sessions with the target ``cuda`` run on in the meantime. Nobody may have written beside its memory in the end."""
    if not AVAILABLE:
        pytest.skip("the emulation takes g++ and an x86-64")
    with on(EmulatedDevice()) as made:
        yield made
    assert made.overruns == []
