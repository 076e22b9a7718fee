"""The Python programs in the documentation run, page by page and block after block, and print what they say."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = ["README.md", "docs/numpy.md", "docs/interoperability.md", "docs/embedding.md", "docs/task-language.md"]


@pytest.mark.parametrize("name", PAGES)
def test_the_programs_of_a_page_run(name: str) -> None:
    program = "\n".join(re.findall(r"```python\n(.*?)```", (ROOT / name).read_text(encoding="utf-8"), re.DOTALL))
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    for said in re.findall(r"^print\(.*\)  # (\[.*\]|[\d.]+)", program, re.MULTILINE):
        assert said in done.stdout
