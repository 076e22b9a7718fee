"""Contents that were lost must not come back as something else.

A task that fails loses what it was to write; whatever depends on that is lost as well, and reading it raises. Five ways around that were
found by asking what else touches such a store.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fuseir
from fuseir.errors import StorePoisonedError
from fuseir.runtime.compiler import Compiler

Array = np.ndarray[Any, np.dtype[Any]]
COPY = fuseir.task("task copy(x: read, z: write) { z = x }")


def _fail(y: Array) -> None:
    raise KeyError("no such thing")


FAIL = fuseir.opaque_task(_fail, ["write"])


@pytest.fixture(params=["cpu", "reference"])
def session(request: pytest.FixtureRequest) -> fuseir.Session:
    return fuseir.Session(target=request.param)


def lose(session: fuseir.Session, store: fuseir.Store) -> None:
    session.launch(FAIL, store)
    with pytest.raises(KeyError):
        session.flush()


def test_writing_a_part_of_a_lost_store_in_a_later_window_does_not_bring_the_rest_back(session: fuseir.Session) -> None:
    """Each window began with a clean slate: after the second launch, the store read as ``[5 5 2 3]``, old contents included."""
    x = session.from_numpy(np.arange(4.0))
    lose(session, x)
    session.launch(COPY, session.full(2, 5.0), x[:2])
    with pytest.raises(StorePoisonedError):
        x.numpy()
    session.launch(COPY, session.full(4, 6.0), x)
    assert x.numpy().tolist() == [6.0] * 4


def test_a_lost_store_can_be_used_as_soon_as_something_is_to_replace_it(session: fuseir.Session) -> None:
    """It was refused until the window with the new contents had run."""
    x, y = session.full(4, 1.0), session.store(4)
    lose(session, x)
    session.launch(COPY, session.full(4, 6.0), x)
    session.launch(COPY, x, y)
    assert y.numpy().tolist() == [6.0] * 4
    lose(session, x)
    session.launch(COPY, session.full(2, 6.0), x[:2])
    with pytest.raises(StorePoisonedError):
        session.launch(COPY, x, y)


def test_a_task_that_only_looks_does_not_see_lost_contents(session: fuseir.Session) -> None:
    """A step was skipped for what it could not make; one that makes nothing ran, on whatever the memory held."""
    seen: list[Array] = []
    look = fuseir.opaque_task(lambda x: seen.append(x), ["read"])
    x = session.from_numpy(np.arange(4.0))
    session.launch(FAIL, x)
    session.launch(look, x)
    with pytest.raises(KeyError):
        session.flush()
    assert seen == []


def test_a_window_that_cannot_be_planned_loses_what_it_was_to_change(
    session: fuseir.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its launches were forgotten: the next read returned the contents from before them."""
    x, y, z = session.full(3, 1.0), session.full(3, 2.0), session.full(3, 3.0)

    def broken(self: Compiler, records: object) -> None:
        raise RuntimeError("the compiler is broken")

    session.launch(COPY, x, y)
    with monkeypatch.context() as patch:
        patch.setattr(Compiler, "plan", broken)
        with pytest.raises(RuntimeError):
            session.flush()
    with pytest.raises(StorePoisonedError):
        y.numpy()
    assert x.numpy().tolist() == [1.0] * 3
    assert z.numpy().tolist() == [3.0] * 3


def test_an_interrupt_while_planning_loses_nothing(session: fuseir.Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C during compilation dropped the window, as above; now the window is still there, and runs when asked again."""
    x, y = session.full(3, 1.0), session.full(3, 2.0)

    def interrupted(self: Compiler, records: object) -> None:
        raise KeyboardInterrupt

    session.launch(COPY, x, y)
    with monkeypatch.context() as patch:
        patch.setattr(Compiler, "plan", interrupted)
        with pytest.raises(KeyboardInterrupt):
            y.numpy()
    assert y.numpy().tolist() == [1.0] * 3


def test_a_temporary_does_not_hide_what_a_fused_task_depends_on(session: fuseir.Session) -> None:
    """Arguments were counted with the temporary ``t`` and looked up without it: ``w`` was lost as if it had been made of ``y``."""
    x, y, t, w, z = session.full(4, 1.0), session.store(4), session.store(4), session.store(4), session.store(4)
    session.launch(FAIL, y)
    session.launch(COPY, x, t)
    session.launch(COPY, t, w)
    session.launch(COPY, y, z)
    del t
    with pytest.raises(KeyError):
        session.flush()
    assert w.numpy().tolist() == [1.0] * 4
    with pytest.raises(StorePoisonedError):
        z.numpy()
