"""The option `check`: windows that passes get wrong run another way, with results that are right."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from xdsl.dialects.builtin import ModuleOp

import fuseir
from fuseir.checking import program
from fuseir.dialects.dist.launch import FusedTaskOp, LaunchOp
from fuseir.errors import FallbackWarning, UsageError
from fuseir.options import options_from
from fuseir.passes.eliminate_temporaries import EliminateTemporariesPass
from fuseir.passes.fuse_tasks import FuseTasksPass
from fuseir.passes.remarks import Remarks

ADD = "task add(x: read, y: read, z: write) { z = x + y }"


def sums_of_neighbours(session: fuseir.Session) -> np.ndarray:
    """Two launches of which the second reads what other points of the first write."""
    with session:
        add = fuseir.task(ADD)
        x = fuseir.from_numpy(np.arange(16.0), name="x")
        y, z = fuseir.zeros(16, name="y"), fuseir.zeros(15, name="z")
        add(x, x, y)
        add(y[1:], y[:-1], z)
        return z.numpy()


EXPECTED = 2 * np.arange(15.0) + 2 * np.arange(1.0, 16.0)


def fuse_all(_pass: FuseTasksPass, module: ModuleOp, _remarks: Remarks) -> None:
    """What fuse-tasks would be without any rule."""
    members = [op for op in module.ops if isinstance(op, LaunchOp)]
    group = FusedTaskOp(members[0].extents)
    module.body.block.insert_op_after(group, members[-1])
    for member in members:
        member.detach()
    group.body.block.add_ops(members)


def erase_first(_pass: EliminateTemporariesPass, module: ModuleOp, _remarks: Remarks) -> None:
    """What eliminate-temporaries would be without liveness."""
    first = next(op for op in module.walk() if isinstance(op, LaunchOp))
    first.detach()
    first.erase()


def test_what_is_right_runs_as_ever():
    session = fuseir.Session(check=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(sums_of_neighbours(session), EXPECTED)
    assert session.statistics.fallbacks == 0


@pytest.mark.parametrize(
    ("broken", "replacement", "message"),
    [(FuseTasksPass, fuse_all, 'of store "y"'), (EliminateTemporariesPass, erase_first, 'in store "y"')],
)
def test_what_a_pass_gets_wrong_runs_another_way(
    broken: type, replacement: object, message: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(broken, "run", replacement)
    session = fuseir.Session(check=True)
    with pytest.warns(FallbackWarning, match="LegalityError"):
        np.testing.assert_array_equal(sums_of_neighbours(session), EXPECTED)
    assert session.statistics.fallbacks == 1
    (remark,) = [remark for remark in session.explain() if remark.code == "FIR-N150"]
    assert message in remark.message


def test_what_is_too_large_runs_unchecked(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(program, "MOST_TERMS", 7)
    session = fuseir.Session(check=True)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        np.testing.assert_array_equal(sums_of_neighbours(session), EXPECTED)
        with session:
            copy, z = fuseir.task("task copy(x: read, y: write) { y = x }"), fuseir.zeros(16)
            copy(fuseir.from_numpy(np.arange(16.0)), z)
            np.testing.assert_array_equal(z.numpy(), np.arange(16.0))  # a second window, and no second warning
    assert ["is not checked" in str(warning.message) for warning in caught] == [True]
    assert caught[0].category is FallbackWarning
    assert [remark.code for remark in session.explain() if remark.code == "FIR-N152"] == ["FIR-N152"]
    assert session.statistics.fallbacks == 0


@pytest.mark.parametrize(("text", "value"), [("1", True), ("0", False), ("", False)])
def test_the_variable_turns_it_on(text: str, value: bool):
    assert options_from({}, {"FUSEIR_CHECK": text}).check is value


def test_other_values_are_refused():
    with pytest.raises(UsageError, match="FUSEIR_CHECK is 0 or 1"):
        options_from({}, {"FUSEIR_CHECK": "yes"})
    with pytest.raises(UsageError, match="'check' is True or False"):
        options_from({"check": 2}, {})
