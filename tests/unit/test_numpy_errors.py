"""Calls that NumPy refuses: fuseir.numpy refuses them at the call, too, by an exception of NumPy's class that says what is wrong."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
import pytest

import fuseir
import fuseir.numpy as fnp

# In these, z(3) are zeros, i(3) integers, b(3) truth values of a shape, and s a scalar.
CALLS = """
    z(3) + z(4)
    z(3) - z(2, 4)
    z(3) * i(4)
    z(2, 3) / z(2)
    z(3) < z(4)
    z(3) == z(4)
    z(3) & z(3)
    z(3) | i(3)
    z(3) << 1
    i(3) >> 1.0
    ~z(3)
    -b(3)
    b(3) - b(3)
    z(3) + "a"
    z(3) + None
    z(3) < "a"
    z(3) @ z(4)
    z(2, 3) @ z(2, 3)
    z(3) @ 2.0
    s @ z(3)
    i(3, t="int8") + 300
    i(3, t="uint8") - 300
    i(3, t="uint8") + -1
    i(3) ** -1
    i(3) ** -i(3)
    i(3) ** np.int64(-1)
    i(3).__ipow__(-i(3))
    np.power(2, -i(3))
    np.add(i(3), z(3), casting="no")
    np.add(z(3), z(3), z(3), out=z(3))
    z(2, 3).reshape(6, order="K")
    divmod(z(3), z(4))
    z(3).__iadd__(z(4))
    z(3).__iadd__(z(2, 3))
    i(3).__iadd__(z(3))
    i(3).__itruediv__(2)
    b(3).__isub__(b(3))
    i(3, t="int8").__iadd__(300)
    i(3).__ipow__(0.5)
    z(2, 2).__imatmul__(z(3, 3))
    z(3)[5]
    z(3)[-4]
    z(3)[1, 2]
    z(3)[1.5]
    z(3)["a"]
    z(3)[None, 1, 2]
    z(3)[..., ...]
    z(3)[[0, 5]]
    z(3)[[0.5]]
    z(3)[b(4)]
    z(2, 3)[b(3)]
    z(2, 3)[0, 1, 2]
    z(2, 3)[:, 3]
    z(2, 3)[[0, 1], [0, 1, 2]]
    z(3)[::0]
    z(3)[1:"a"]
    z(3)[{}]
    z(0)[0]
    np.array(1.0)[0]
    np.array(1.0)[1:]
    z(3).__setitem__(5, 1.0)
    z(3).__setitem__(slice(2), z(3))
    z(3).__setitem__(slice(None), z(4))
    z(3).__setitem__(slice(None), z(2, 3))
    z(3).__setitem__(0, z(2))
    z(3).__setitem__([0, 7], 1.0)
    z(3).__setitem__(b(4), 1.0)
    z(3).__setitem__(b(3, v=True), z(2))
    z(3).__setitem__(0, "a")
    i(3, t="int8").__setitem__(0, 300)
    i(3, t="uint8").__setitem__(slice(None), -1)
    z(3).__setitem__(1.5, 0)
    z(3).__delitem__(0)
    len(np.array(1.0))
    iter(np.array(1.0))
    bool(z(3))
    bool(z(0))
    float(z(3))
    int(z(2, 2))
    complex(z(3))
    range(z(3))
    [1, 2, 3][z(1)[0]]
    hash(z(3))
    z(3).item()
    z(3).item(5)
    z(3).item(0, 0)
    z(2, 3).reshape(4, 2)
    z(2, 3).reshape(-1, -1)
    z(2, 3).reshape(-1, 4)
    z(2, 3).reshape(1.5)
    z(2, 3).reshape("a")
    z(2, 3).T.reshape(6, copy=False)
    z(2, 3).reshape(6, order="X")
    z(2, 3).transpose(0, 0)
    z(2, 3).transpose(0)
    z(2, 3).transpose(0, 2)
    z(2, 3).transpose(0, 1, 2)
    z(3).mT
    z(2, 3).swapaxes(0, 2)
    z(2, 3).squeeze(0)
    z(2, 3).squeeze(5)
    z(2, 3).sum(axis=2)
    z(2, 3).sum(axis=(0, 0))
    z(2, 3).sum(axis=1.0)
    z(2, 3).sum(axis="a")
    z(2, 3).sum(out=z(3))
    z(2, 3).sum(axis=0, out=z(2))
    z(2, 3).mean(axis=2)
    z(2, 3).var(axis=-3)
    z(2, 3).all(axis=2)
    z(0).max()
    z(0).min()
    z(2, 0).max(axis=1)
    z(0).argmax()
    z(3).argmax(axis=1)
    z(3).cumsum(axis=1)
    z(3).sort(axis=1)
    z(3).sort(kind="nonsense")
    z(3).astype("nonsense")
    z(3).astype(np.int8, casting="safe")
    z(3).astype(np.int8, casting="nonsense")
    z(3).fill([1, 2])
    z(3).dot(z(4))
    z(3).clip(z(4), 1.0)
    z(3).repeat([1, 2])
    z(3).repeat(-1)
    z(3).take([5])
    z(3).nonsense
    z(3).view(np.complex128)
    z(2, 3)[:, ::2].view(np.int8)
    np.zeros(-1)
    np.zeros((2, -1))
    np.zeros("a")
    np.zeros(2.5)
    np.zeros(3, dtype="nonsense")
    np.zeros(3, device="gpu")
    np.ones((2, "a"))
    np.full(3, [1, 2])
    np.full((2, 3), z(2))
    np.array([[1, 2], [3]])
    np.array([1, "a"], dtype=float)
    np.array([300], dtype=np.int8)
    np.array([1, 2], copy=False)
    np.asarray(z(3), dtype=np.float32, copy=False)
    np.arange()
    np.arange(0, 1, 0)
    np.arange("a", 3)
    np.linspace(0, 1, -1)
    np.linspace(0, 1, 2.5)
    np.eye(-1)
    np.add(z(3))
    np.add(z(3), z(3), z(3), z(3))
    np.add(z(2), 1.0, out=z(3))
    np.add(z(2), 1.5, out=i(2))
    np.add(z(3), z(3), out=z(1))
    np.add(z(3), z(3), nonsense=1)
    np.add(z(3), z(3), where=b(4))
    np.add(z(3), z(3), dtype=np.int8)
    np.add(z(3), z(3), casting="nonsense")
    np.sqrt("a")
    np.sqrt(z(3), z(4))
    np.invert(z(2))
    np.bitwise_and(z(3), 1)
    np.left_shift(i(3), z(3))
    np.minimum.reduce(z(0))
    np.add.reduce(z(3), axis=1)
    np.add.outer(z(2), z(3), out=z(2))
    np.subtract.reduce(z(2, 2), axis=(0, 1))
    np.add.at(z(3), [5], 1.0)
    np.where(b(3), z(3))
    np.where(b(3), z(3), z(4))
    np.where(b(4), z(3), 1.0)
    np.clip(z(3), z(4), 1.0)
    np.concatenate([])
    np.concatenate([z(2, 3), z(2, 4)])
    np.concatenate([z(2), z(2, 2)])
    np.concatenate([z(2), z(2)], axis=1)
    np.concatenate([np.array(1.0), np.array(2.0)])
    np.concatenate(z(3))
    np.concatenate([z(2), z(2)], out=z(3))
    np.stack([])
    np.stack([z(2), z(3)])
    np.stack([z(2), z(2)], axis=3)
    np.vstack([z(2), z(3)])
    np.hstack([z(2, 2), z(3, 2)])
    np.roll(z(3), 1, axis=1)
    np.tile(z(3), -1)
    np.diff(z(3), n=-1)
    np.diff(z(3), axis=1)
    np.diff(np.array(1.0))
    np.flip(z(3), 1)
    np.moveaxis(z(2, 3), 0, 2)
    np.moveaxis(z(2, 3), [0, 1], [0])
    np.expand_dims(z(3), 3)
    np.expand_dims(z(3), (0, 0))
    np.broadcast_to(z(3), (3, 2))
    np.broadcast_to(z(3), -1)
    np.broadcast_arrays(z(3), z(4))
    np.broadcast_to(z(1), (3,)).__setitem__(0, 1.0)
    np.broadcast_to(z(1), (3,)).__iadd__(1.0)
    np.dot(z(3), z(4))
    np.dot(z(2, 3), z(2, 3))
    np.vdot(z(3), z(4))
    np.inner(z(2, 3), z(2, 4))
    np.matmul(np.array(1.0), z(3))
    np.matmul(z(2, 2), z(2, 2), out=z(3, 3))
    np.tensordot(z(2, 3), z(2, 4))
    np.einsum("ij,jk", z(2, 3), z(2, 3))
    np.linalg.inv(z(2, 3))
    np.linalg.solve(z(2, 2), z(3))
    np.fft.fft(z(3), n=0)
    np.take(z(3), [0, 5])
    np.put(z(3), [5], 1.0)
    np.searchsorted(z(3), 1.0, side="middle")
    np.sort(z(3), axis=2)
    np.split(z(5), 2)
    np.meshgrid(z(2), indexing="ab")
    np.pad(z(3), -1)
    np.from_dlpack([1.0])
    np.from_dlpack(z(3), device="gpu")
    np.nonsense
"""


def names(module: Any) -> dict[str, Any]:
    def zeros(*shape: int) -> Any:
        return module.zeros(shape)

    def ones(*shape: int, t: str = "int64") -> Any:
        return module.ones(shape, dtype=t)

    def truths(*shape: int, v: bool = False) -> Any:
        return module.full(shape, v)

    return {"np": module, "z": zeros, "i": ones, "b": truths, "s": module.zeros(3).sum()}


@pytest.fixture(scope="module", autouse=True)
def session() -> Generator[fuseir.Session]:
    with fuseir.Session() as session:
        yield session


def refused(call: str, module: Any) -> BaseException:
    with pytest.raises(Exception) as caught:  # noqa: PT011 (which one is the question)
        eval(call, names(module))
    return caught.value


@pytest.mark.parametrize("call", [line.strip() for line in CALLS.strip().splitlines()])
@pytest.mark.filterwarnings("ignore")
def test_what_numpy_refuses_is_refused_in_its_terms(call: str) -> None:
    expected, found = refused(call, np), refused(call, fnp)
    # Some classes of NumPy's are its own business.
    kind = next(each for each in type(expected).__mro__ if not each.__module__.startswith("numpy._core"))
    assert isinstance(found, kind), f"{type(found).__name__} instead of {kind.__name__}: {found}"
    assert str(found)


AFTER_THEIR_LIKE = """
    z(4)[1:]; z(4)[1.0:]
    z(4, 4)[1:, 1:]; z(4, 4)[1:, 1.0:]
    z(4, 4)[0, 1:]; z(4, 4)[0, :1.0]
    z(4, 4)[0, 1:]; z(4, 4)[0.0, 1:]
    z(4)[1]; z(4)[1.0]
    z(5, 1); np.zeros((5, 1.0))
    z(5); np.zeros(5.0)
    z(5).sum(axis=0); z(5).sum(axis=0.0)
    np.concatenate((z(5), z(5)), axis=0); np.concatenate((z(5), z(5)), axis=0.0)
    i(3, t="int8") + 3; i(3, t="int8") + 300
    i(3) ** 2; i(3) ** -1
    z(3).astype("i4"); z(3).astype("i4", casting="safe")
"""


@pytest.mark.parametrize("calls", [line.strip() for line in AFTER_THEIR_LIKE.strip().splitlines()])
def test_what_equals_a_call_that_is_remembered_is_refused_all_the_same(calls: str) -> None:
    right, wrong = calls.split("; ")
    for _ in range(2):
        eval(right, names(fnp))
    expected, found = refused(wrong, np), refused(wrong, fnp)
    assert isinstance(found, type(expected)) or type(expected).__module__.startswith("numpy._core")
