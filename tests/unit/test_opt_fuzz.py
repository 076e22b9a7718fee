"""Fuzzing fuseir-opt: whatever the input, no traceback, no internal error, no second spent, no half gigabyte used.

The mutants come from opt_fuzz_worker.py, which also runs alone: `python opt_fuzz_worker.py SEED EXECUTIONS`.
FUSEIR_FUZZ_EXECUTIONS sets their number; FUSEIR_FUZZ_SEED starts from elsewhere.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

WORKER = Path(__file__).with_name("opt_fuzz_worker.py")
WORKERS = 2
EXECUTIONS = int(os.environ.get("FUSEIR_FUZZ_EXECUTIONS", "100000"))
SEED = int(os.environ.get("FUSEIR_FUZZ_SEED", "20260"))
MAX_PEAK_MB = 512


def test_no_mutant_gets_more_than_a_diagnostic() -> None:
    workers = [
        subprocess.Popen(
            [sys.executable, str(WORKER), str(SEED + number), str(EXECUTIONS // WORKERS)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(WORKERS)
    ]
    outputs = [worker.communicate() for worker in workers]
    assert [worker.returncode for worker in workers] == [0] * WORKERS, outputs
    for report in (json.loads(out) for out, _ in outputs):
        assert report["failures"] == [], json.dumps(report["failures"][:3], indent=1)
        assert report["executions"] == EXECUTIONS // WORKERS
        assert report["peak_mb"] < MAX_PEAK_MB
        # Seeds that do not parse any more, or mutations that never do, would test the lexer only.
        assert report["codes"].get("0", 0) > 0.05 * report["executions"]
