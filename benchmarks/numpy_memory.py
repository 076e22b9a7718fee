"""What programs of fuseir.numpy take in memory: a chain of operations on large arrays, and a long loop on small ones.

    python benchmarks/numpy_memory.py [elements of the chain] [operations of the loop]

The chain is 50 element-wise operations: its peak is compared with its input and output together. The loop's resident memory is compared
between a tenth of the operations and all of them. Linux only: figures are from /proc/self.
"""

from __future__ import annotations

import sys

import fuseir
import fuseir.numpy as np

OPERATIONS = 50


def _status(field: str) -> float:
    """A figure of this process, in MB."""
    with open("/proc/self/status", encoding="ascii") as lines:
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(field + ":"))


def chain(x: np.ndarray) -> np.ndarray:
    y = x
    for k in range(OPERATIONS // 2):
        y = (y + 1.0 / (k + 1)) * 0.5
    return y


def peak_of_the_chain(elements: int) -> float:
    """The peak over what input and output take."""
    chain(np.ones(elements // 1000)).numpy()  # compiles
    fuseir.flush()
    before = _status("VmRSS")
    with open("/proc/self/clear_refs", "w", encoding="ascii") as peak:
        peak.write("5")
    x = np.ones(elements)
    fuseir.flush()
    y = chain(x)
    fuseir.flush()
    megabytes = _status("VmHWM") - before
    both = (x.nbytes + y.nbytes) / 2**20
    print(f"{OPERATIONS} operations on {elements} elements: {megabytes:.0f} MB at most, input and output {both:.0f} MB")
    return megabytes / both


def growth_of_the_loop(operations: int) -> float:
    """Resident memory after all operations over that after a tenth of them."""
    x, early = np.ones(1000), 0.0
    for k in range(operations // 5):
        y = x * 0.5 + 1.0
        y[1:-1] = x[1:-1] - y[2:]
        x = np.sqrt(y * y)
        if k % 1000 == 0:
            float(x.sum())
        if k == operations // 50:
            early = _status("VmRSS")
    float(x.sum())
    late = _status("VmRSS")
    print(f"{operations} operations: {early:.1f} MB after a tenth, {late:.1f} MB after all")
    return late / early


def main(elements: int = 16_000_000, operations: int = 1_000_000) -> None:
    # The loop first: what the chain leaves in the pool would hide its growth.
    print(f"memory of the loop, all over a tenth: {growth_of_the_loop(operations):.4f}")
    print(f"peak of the chain over its input and output: {peak_of_the_chain(elements):.2f}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
