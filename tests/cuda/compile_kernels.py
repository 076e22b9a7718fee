"""The kernels of ``compare_kernels.py`` through NVRTC: ``python tests/cuda/compile_kernels.py --kernels 500``.

It prints what they take: registers, and bytes of stack and spilled, the most of all versions of all kernels.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from itertools import islice
from pathlib import Path

os.environ["FUSEIR_CACHE"] = "0"
sys.path.append(str(Path(__file__).parents[1]))

import corpus
from nvrtc import compile_source

from fuseir.codegen.cuda import emit_kernels
from fuseir.codegen.cuda.resources import resources

AT_A_TIME = 20


def main() -> int:
    """0 if all compile; a kernel that does not is an exception."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kernels", type=int, default=500)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--architectures", default="sm_80,sm_90")
    options = parser.parse_args()
    kernels, done, started = corpus.many(options.kernels, options.first), 0, time.monotonic()
    most = dict.fromkeys(options.architectures.split(","), (0, 0, 0, 0))
    while batch := list(islice(kernels, AT_A_TIME)):
        text = emit_kernels(batch).text
        done += len(batch)
        for architecture, before in most.items():
            _, log = compile_source(text, architecture, ["--ptxas-options=-v"])
            used = resources(log).values()
            rows = [before, *((each.registers, each.stack, each.spills, each.shared) for each in used)]
            most[architecture] = tuple(map(max, zip(*rows, strict=True)))  # pyright: ignore[reportArgumentType]
        print(
            f"{done} kernels, {time.monotonic() - started:.0f} s; registers, stack, spills, shared: {most}", flush=True
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
