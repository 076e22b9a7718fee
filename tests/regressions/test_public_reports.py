"""Wrong answers that other fusing compilers gave, by the names of their public reports, as NumPy programs.

Each runs at a size within one tile and at one that crosses tiles (pytorch#198033 was right at 8x8 and wrong at 1024x1024).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fuseir
import fuseir.numpy as fnp


def copy_then_mutate(np: Any, x: Any) -> Any:
    """pytorch#198131, pytorch#198096: a copy keeps what was there when the original changes."""
    y = x.copy()
    x *= 0.0
    x += 1.0
    return y, x


def result_of_a_view_is_used_after_the_mutation(np: Any, x: Any) -> Any:
    """pytorch#198101: a value computed from a view, changed itself, before the viewed elements change."""
    y = x.reshape(-1) * 2.0
    y -= -4.0
    x[:, 2:5] = 2.0
    return y, x


def transposed_in_place(np: Any, x: Any) -> Any:
    """pytorch#198033, pytorch#198280: what is read is written, at other places."""
    x[...] = x.T * 1.0
    return x


def added_to_its_transpose(np: Any, x: Any) -> Any:
    """pytorch#198033, cupy#2405, cupy#2407: the same, in a sum."""
    x += x.T
    return x


def average_that_is_read_later(np: Any, x: Any) -> Any:
    """pytorch#183575: an array that a later kernel only reads keeps its contents, while its memory looks free."""
    m, g = np.zeros_like(x), x * 3.0
    m += (g - m) * 0.05
    p = x - m * 0.01
    other = (g @ x).astype(np.float32)
    return m, p, other


def result_that_looks_like_its_input(np: Any, x: Any) -> Any:
    """pytorch#195451, pytorch#198096: an assignment that changes nothing still makes a result of its own."""
    y = x.copy()
    y[1:3] = x[1:3]
    x.fill(2.0)
    return y, x


def reversed_into_what_it_was_copied_from(np: Any, x: Any) -> Any:
    """pytorch#198031: the copy is an operand in its own right."""
    y = x.copy()
    x[::-1] = y
    return x * 2.0


def earlier_result_of_what_changes_in_place(np: Any, x: Any) -> Any:
    """pytorch#94777: a function of an array, and then the same function in place."""
    y = np.sqrt(x)
    np.sqrt(x, out=x)
    return y, x


def added_at_computed_positions(np: Any, x: Any) -> Any:
    """pytorch#138908: elements are doubled once each."""
    places = np.array([0, 0]) + 0
    x[places] += x[places]
    return x


def flipped_in_place(np: Any, x: Any) -> Any:
    """pytorch#101950: a flip is no element-wise read."""
    x[...] = np.flip(x) + 1.0
    return x


def divided_by_its_maximum(np: Any, x: Any) -> Any:
    """numba#9139: the reduction is over before its result is used."""
    return (x / x.max(),)


def shifted_sums(np: Any, x: Any) -> Any:
    """numba#8007: sums of shifted parts of a padded array, while the name is bound to each partial sum."""
    rows, columns = x.shape
    padded = np.zeros((rows + 4, columns + 4))
    x = x - np.amin(x)
    padded[2 : 2 + rows, 2 : 2 + columns] = x
    total = np.zeros(x.shape, dtype=np.float32)
    for i in range(2):
        for j in range(2):
            total = total + padded[i : i + rows, j : j + columns]
    return (total,)


def rows_that_are_reduced_into_elements(np: Any, x: Any) -> Any:
    """numba#7578: elements that are assigned one by one are all there when the whole is changed."""
    b = x[0] * 0.5
    result = np.empty_like(b)
    for k in range(4):
        result[k] = (b[k] * b).sum()
    result[4:] = 0.0
    result -= b**2
    return result - x[1]


def incremented_and_then_set(np: Any, x: Any) -> Any:
    """numba#7201: the assignment comes after the increment."""
    x += 1.0
    x[:] = 3.0
    return x


def assigned_to_an_empty_slice(np: Any, x: Any) -> Any:
    """numba#4630: nothing is written to no elements."""
    x[:0] = 2.0
    return x


def product_into_its_operand(np: Any, x: Any) -> Any:
    """cupy#6214: the operand is read as a whole before the product is written to it."""
    np.matmul(np.round(x), np.round(x), out=x)
    return x


def sum_that_is_added_to_what_was_summed(np: Any, x: Any) -> Any:
    """IntelLabs/numba#49: every element gets the whole sum."""
    return x + np.round(x).sum()


def added_to_parts_at_odd_places(np: Any, x: Any) -> Any:
    """pytorch#152425: what is written to a part that begins anywhere is in the whole."""
    for part in (x[0, :-1], x[0, 1:], x[1:, 3]):
        part += 1.0
    return x


def parts_changed_by_opaque_functions(np: Any, x: Any) -> Any:
    """pytorch#153389, pytorch#127821: what an opaque function does to a part is in the whole, and is read afterwards."""
    part = x[1:3]
    np.put(part, [0, 2], -1.0)
    np.add.at(x[1], [0, 0, 3], 2.0)
    return x * part[0], (part * part).sum()


def flipped_into_itself_beside_sums_of_rows(np: Any, x: Any) -> Any:
    """pytorch#162410: the flip is read before it is written, and the sums are complete before they are added."""
    y = x * 0.5
    x[:] = x[:, ::-1]
    y = y.sum(axis=1) + y
    return x + y


def doubled_with_gaps(np: Any, x: Any) -> Any:
    """pytorch#198102: what lies between the columns that are changed stays."""
    columns = x[:, ::5]
    columns += columns
    return x


def edges_in_what_is_reduced(np: Any, x: Any) -> Any:
    """pytorch#189895: a padded edge is an edge in a reduction, too."""
    ends = np.pad(np.cumsum(np.round(x[0])), (1, 0))
    return ends[1:] - ends[:-1], ends.max(), ends[::-1].min()


def shifted_into_itself(np: Any, x: Any) -> Any:
    """nv-legate/cupynumeric#1110: right for 8 elements, wrong for 20,000."""
    flat = x.reshape(-1)
    flat[1:] += flat[:-1]
    flat[1:] *= 0.5
    return flat


def all_added_to_one_element(np: Any, x: Any) -> Any:
    """numba#6920: the array of one element is filled before anything is added to it."""
    total = np.zeros(1)
    for k in range(5):
        total[0] += x[0, k]
    return total


def counts_read_by_all_that_come_later(np: Any, x: Any) -> Any:
    """numba#8515: the second loop reads what other iterations of the first wrote."""
    counts, before = np.zeros(x.shape[0]), np.zeros(x.shape[0])
    counts += x[:, 0]
    for k in range(1, 5):
        before[k] = counts[:k].sum()
    return before + counts, before


def correlation(np: Any, x: Any) -> Any:
    """dace#1638, dace#1642: deviations are replaced where they are small, and divide afterwards."""
    deviation = np.sqrt(np.mean((x - np.mean(x, axis=0)) ** 2, axis=0))
    deviation[deviation <= 4.0] = 1.0
    x -= np.mean(x, axis=0)
    x /= deviation
    return x.T @ x


def copied_back_but_for_the_last_column(np: Any, x: Any) -> Any:
    """dace#1445: the two loops do not go over the same elements."""
    doubled = np.zeros_like(x)
    doubled[:] = x * 2.0
    x[:, :-1] = doubled[:, :-1]
    return x


def extremes_of_different_parts(np: Any, x: Any) -> Any:
    """tinygrad#9987: one reduction is over fewer elements than the other."""
    return x[0, 1:4].max() - x[0, 1:3].min()


def read_before_a_part_is_assigned(np: Any, x: Any) -> Any:
    """tinygrad#17074: what was computed first does not see what is assigned later, whatever runs first."""
    reader = x + 10.0
    x[:1] = 9.0
    return x, reader


def covariance(np: Any, x: Any) -> Any:
    """Polybench's program, which cuPyNumeric got wrong: rows and columns of the result are assigned one by one."""
    x -= np.mean(x, axis=0)
    found = np.zeros((4, 4))
    for k in range(4):
        found[k:4, k] = found[k, k:4] = x[:, k] @ x[:, k:4] / (x.shape[0] - 1.0)
    return found


def factors(np: Any, x: Any) -> Any:
    """Polybench's lu and cholesky, which cuPyNumeric got wrong: each element is read by those that follow."""
    a = x[:3, :3] + 20.0 * np.eye(3)
    b = 0.5 * (a + a.T)
    for i in range(3):
        for j in range(i):
            a[i, j] -= a[i, :j] @ a[:j, j]
            a[i, j] /= a[j, j]
            b[i, j] -= b[i, :j] @ b[j, :j]
            b[i, j] /= b[j, j]
        for j in range(i, 3):
            a[i, j] -= a[i, :i] @ a[:i, j]
        b[i, i] -= b[i, :i] @ b[i, :i]
        b[i, i] = np.sqrt(b[i, i])
    return a, b


PROGRAMS = [each for each in list(globals().values()) if callable(each) and each.__module__ == __name__]

SETTINGS = {
    "fused": {"threads": 2},
    "unfused": {"fuse": False},
    "small windows": {"window": 2, "max_window": 2, "procs": 3},
}


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_programs_that_others_got_wrong(program: Callable[..., Any], setting: str) -> None:
    for extent in (8, 129):
        x = (np.arange(extent * extent, dtype=float).reshape(extent, extent) * 7 % 13) + 1.0
        expected = program(np, x.copy())
        with fuseir.Session(**SETTINGS[setting]):
            found = program(fnp, fnp.array(x))
            if not isinstance(expected, tuple):
                found, expected = (found,), (expected,)
            for one, other in zip(found, expected, strict=True):
                assert one.dtype == other.dtype
                np.testing.assert_allclose(np.asarray(one), other, rtol=1e-12 if one.dtype == np.float64 else 1e-5)


def test_what_repeats_elements_is_not_written_to() -> None:
    """pytorch#152425: a write to one element of an expanded array, which changes all of them or one; NumPy refuses it."""
    for module in (np, fnp):
        x = module.ones(1)
        with pytest.raises(ValueError, match="read-only"):
            module.broadcast_to(x, (3,))[-1] = 3.0
        assert float(x[0]) == 1.0
