"""One process of the fuzz test of fuseir-opt: mutates seeds, feeds them to the driver, prints what it saw as JSON.

Usage: python opt_fuzz_worker.py SEED EXECUTIONS
"""

import io
import json
import random
import re
import resource
import sys
import time
from pathlib import Path

from fuseir.tools.failures import INTERNAL_ERROR
from fuseir.tools.opt_driver import OptDriver

HERE = Path(__file__).parent
MAX_SEED_CHARACTERS = 1000
SLOW_SECONDS = 1.0
# The driver's context remembers every operation name it met, and mutants invent names.
EXECUTIONS_PER_DRIVER = 5000

TOKEN = re.compile(
    r'"(?:[^"\\\n]|\\.)*"|[%@#!^][\w$.-]+|[A-Za-z_][\w$.]*|\d+(?:\.\d*(?:[eE][+-]?\d+)?)?|->|\s+|.', re.S
)

# Each is known to upset some parser.
NASTY = [
    *(
        "0",
        "-1",
        "1",
        "18446744073709551616",
        "9223372036854775807",
        "-9223372036854775808",
        "0x",
        "0x7FF0000000000000",
    ),
    *("1.0", "-0.0", "1e400", "1.5e-400", "99999999999999999999", "4611686018427387904", "1000000000"),
    *('"', '"\\', "\\", '"\\FF"', '"\\ED\\A0\\80"', '"x', "//", "// -----\n", "\x00", "\ufeff", "é", "²", "\n", "\t"),
    *("(", ")", "[", "]", "{", "}", "<", ">", "->", "{-#", "#-}", "((((((((", "[[[[[[[[", "<<<<<<<<", "({", "})"),
    *("i0", "i1", "ui8", "si64", "i4096", "i99999999999", "f16", "bf16", "f80", "f128", "tf32", "index", "none"),
    *("dense<1>", "dense<>", "dense<[]>", "dense<(1,2)>", 'dense<"0x00">', "array<i1: 2>", "array<f32>", "unit"),
    *("tensor<?xf64>", "tensor<*xf32>", "tensor<99999999999xi8>", "tensor<0xf32>", "vector<[4]xf32>", "vector<0xi1>"),
    *("memref<?x?xf64>", "memref<1xi32, affine_map<(d0) -> (d0 * 2)>>", "memref<*xi1>", "complex<i1>", "tuple<>"),
    *(
        "loc(unknown)",
        "loc",
        "true",
        "false",
        "@a",
        "@",
        "#a",
        "!a",
        "%a",
        "%a#3",
        "^bb0",
        "?",
        "*",
        "|",
        "...",
        "=",
        ":",
    ),
    *("read", "write", "read_write", "reduce<add>", "reduce<min>", "no_access", "#dist.none", "#dist.tiling<[0]>"),
    *(
        "dist.store",
        "dist.launch",
        "dist.view",
        "dist.fence",
        "arith.constant",
        "func.func",
        "test.op",
        "builtin.module",
    ),
    *("affine_map<() -> ()>", "affine_map<(d0) -> (d0 mod 0)>", "affine_set<(d0) : (d0 >= 0)>", "opaque<", "strided<"),
]


def load_seeds() -> list[str]:
    files = sorted([*HERE.glob("opt_fuzz_seeds/*.mlir"), *(HERE.parent / "filecheck").rglob("*.mlir")])
    chunks = [chunk for file in files for chunk in file.read_bytes().decode("utf-8", "replace").split("// -----")]
    seeds = [chunk for chunk in chunks if 0 < len(chunk) <= MAX_SEED_CHARACTERS]
    driver = OptDriver([])
    valid = [seed for seed in seeds if driver.process(seed.encode(), "seed", io.StringIO(), io.StringIO()) == 0]
    # Mutants of what is right get further than mutants of what tests show to be wrong.
    return [*seeds, *valid * (1 + 2 * len(seeds) // max(len(valid), 1))]


class Mutator:
    """Mutants of seeds: of their tokens three times out of four, of their bytes otherwise."""

    def __init__(self, seeds: list[str], rng: random.Random) -> None:
        self.rng = rng
        self.seeds = [TOKEN.findall(seed) for seed in seeds]
        self.pool = sorted({token for tokens in self.seeds for token in tokens if not token.isspace()})

    def mutant(self) -> bytes:
        tokens = list(self.rng.choice(self.seeds))
        if self.rng.random() < 0.75:
            for _ in range(self.rng.choice((1, 1, 1, 2, 3, 5))):
                self._mutate_tokens(tokens)
            return "".join(tokens).encode("utf-8", "surrogatepass")
        data = bytearray("".join(tokens).encode("utf-8", "surrogatepass"))
        for _ in range(self.rng.choice((1, 1, 2, 4))):
            self._mutate_bytes(data)
        return bytes(data)

    def _any_token(self) -> str:
        return self.rng.choice(NASTY if self.rng.random() < 0.4 else self.pool)

    def _mutate_tokens(self, tokens: list[str]) -> None:
        rng = self.rng
        if not tokens:
            tokens.append(self._any_token())
        at = rng.randrange(len(tokens))
        kind = rng.randrange(7)
        if kind == 0:
            del tokens[at : at + rng.choice((1, 1, 2, 5))]
        elif kind == 1:
            tokens.insert(at, self._any_token())
        elif kind in (2, 3):
            # Like for like is what gets furthest.
            like = [t for t in (self._any_token() for _ in range(8)) if t[:1].isalnum() == tokens[at][:1].isalnum()]
            tokens[at] = like[0] if like else self._any_token()
        elif kind == 4:
            other = rng.randrange(len(tokens))
            tokens[at], tokens[other] = tokens[other], tokens[at]
        elif kind == 5:
            tokens[at:at] = tokens[at : at + rng.randrange(1, 12)] * rng.choice((1, 1, 2, 30))
        else:
            donor = rng.choice(self.seeds)
            cut = rng.randrange(len(donor))
            tokens[at:] = donor[cut : cut + rng.randrange(1, 60)] + tokens[at + rng.randrange(3) :]

    def _mutate_bytes(self, data: bytearray) -> None:
        rng = self.rng
        at = rng.randrange(len(data) + 1)
        kind = rng.randrange(5)
        if kind == 0 and at < len(data):
            data[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            data[at:at] = bytes([rng.randrange(256)]) * rng.choice((1, 1, 1, 70, 300))
        elif kind == 2:
            del data[at : at + rng.choice((1, 3, 20))]
        elif kind == 3:
            del data[at:]
        else:
            data[at:at] = data[max(0, at - rng.randrange(40)) : at]


ARGUMENTS = (
    [],
    [],
    ["--print-op-generic", "--print-debuginfo"],
    ["--allow-unregistered-dialect"],
    ["--split-input-file", "--verify-diagnostics", "--parsing-diagnostics"],
    ["--expected-diagnostics"],
)


def main(seed: int, executions: int) -> None:
    rng = random.Random(seed)
    mutator = Mutator(load_seeds(), rng)
    drivers: list[OptDriver] = []
    codes: dict[str, int] = {}
    failures: list[dict[str, object]] = []
    slowest = 0.0
    start = time.monotonic()
    for count in range(executions):
        if count % EXECUTIONS_PER_DRIVER == 0:
            drivers = [OptDriver([*a, "--pass-pipeline-crash-reproducer=/dev/null"]) for a in ARGUMENTS]
        data = mutator.mutant()
        which = rng.randrange(len(drivers))
        out, err = io.StringIO(), io.StringIO()
        # Processor time, so that a busy machine makes nothing slow.
        before = time.process_time()
        try:
            code = str(drivers[which].process(data, "fuzz.mlir", out, err))
            complaint = err.getvalue() if code == str(INTERNAL_ERROR) or "Traceback" in err.getvalue() else None
        except BaseException as error:
            code, complaint = "escaped", f"{type(error).__name__}: {error}"
        seconds = time.process_time() - before
        slowest = max(slowest, seconds)
        codes[code] = codes.get(code, 0) + 1
        if complaint is None and seconds > SLOW_SECONDS:
            complaint = f"took {seconds:.2f} s"
        if complaint is not None and len(failures) < 20:
            failures.append({"what": complaint[:600], "arguments": ARGUMENTS[which], "input": data.decode("latin-1")})
    report = {
        "executions": executions,
        "codes": codes,
        "failures": failures,
        "slowest": slowest,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "seconds": time.monotonic() - start,
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
