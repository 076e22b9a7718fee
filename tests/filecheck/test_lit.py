"""Runs the FileCheck tests under this folder, so that `pytest` alone runs everything."""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
# lit's command line, with the interpreter that runs this test.
LIT = "from lit.main import main; main()"


def test_filecheck_files_pass() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LIT, "-q", "-v", "--workers=2", str(HERE)],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, f"lit failed:\n{done.stdout}\n{done.stderr}"
