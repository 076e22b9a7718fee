"""``python -m benchmarks.suite``: measures, prints the tables, and writes JSON and plots (docs/benchmarks.md)."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from pathlib import Path

from benchmarks.suite.examples import ALL_PROGRAMS
from benchmarks.suite.measure import PEERS, TUNED, Settings, measure
from benchmarks.suite.plot import write_plots
from benchmarks.suite.report import report

SIZES = {"1k": 1000, "100k": 100_000, "1M": 1_000_000, "16M": 16_000_000}


def _listed(text: str) -> list[str]:
    return [part for part in text.split(",") if part]


def _size(text: str) -> int:
    return SIZES[text] if text in SIZES else int(text)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(prog="python -m benchmarks.suite", description=__doc__)
    made.add_argument("--programs", type=_listed, default=list(ALL_PROGRAMS), help=f"of {', '.join(ALL_PROGRAMS)}")
    made.add_argument(
        "--sizes", type=_listed, default=list(SIZES), help="numbers of elements: 1k,100k,1M,16M or any other"
    )
    made.add_argument("--threads", type=_listed, default=["1", "2"], help="numbers of threads, such as 1,2")
    made.add_argument(
        "--peers", type=_listed, default=list(PEERS), help=f"of {', '.join(PEERS)}; those not installed are left out"
    )
    made.add_argument(
        "--peer-python", default=sys.executable, help="the interpreter that has the peers, if not this one"
    )
    made.add_argument(
        "--no-tuned-malloc", action="store_true", help="leaves out the runs of peers whose glibc keeps its memory"
    )
    made.add_argument("--rounds", type=int, default=9, help="samples of each contender")
    made.add_argument(
        "--clock",
        choices=("wall", "cpu"),
        default="wall",
        help="cpu: processor time, which says more on a machine that others use; for one thread",
    )
    made.add_argument(
        "--quick", action="store_true", help="fewer and shorter samples, 100k elements unless sizes are given"
    )
    made.add_argument("--check", action="store_true", help="checks results, times nothing")
    made.add_argument("--json", type=Path, help="writes everything measured, all samples included")
    made.add_argument("--plots", type=Path, help="a folder for plots (SVG, and PNG where matplotlib is installed)")
    return made


def main(arguments: list[str] | None = None) -> int:
    """Returns 1 if a result was wrong or a contender failed."""
    options = parser().parse_args(arguments)
    for name in options.programs:
        if name not in ALL_PROGRAMS:
            parser().error(f"there is no program {name}; programs are {', '.join(ALL_PROGRAMS)}")
    for name in options.peers:
        if name not in PEERS:
            parser().error(f"there is no peer {name}; peers are {', '.join(PEERS)}")
    peers = [name for peer in options.peers for name in ((peer,) if options.no_tuned_malloc else (peer, peer + TUNED))]
    sizes = ["100k"] if options.quick and options.sizes == list(SIZES) else options.sizes
    settings = Settings(
        programs=options.programs,
        sizes=[_size(size) for size in sizes],
        threads=[int(count) for count in options.threads],
        contenders=["fuseir", "frozen", "c", *peers],
        rounds=3 if options.quick else options.rounds,
        sample_seconds=0.003 if options.quick else 0.02,
        clock=options.clock,
        check_only=options.check,
        peer_python=options.peer_python,
    )
    document = measure(settings)
    print(report(document))
    if options.json:
        options.json.write_text(json.dumps(document, indent=1) + os.linesep, encoding="utf-8")
    if options.plots:
        options.plots.mkdir(parents=True, exist_ok=True)
        for path in write_plots(document, options.plots, document["machine"]["date"][:10]):
            print(path)
    replies = [reply for result in document["results"] for reply in result["contenders"].values()]
    return 0 if all(reply.get("right") for reply in replies) else 1


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the arrays in shared memory go, and the workers
    sys.exit(main())
