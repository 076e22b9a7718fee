"""The public conformance suite of the Array API standard, data-apis/array-api-tests, run on fuseir.numpy where a checkout of it is at hand.

    ARRAY_API_TESTS_DIR=.../array-api-tests python -m pytest tests/array_api

The checkout needs its submodule ``array-api`` and what its requirements.txt names. ``ARRAY_API_TESTS_EXAMPLES`` says how many examples each
test has (200, which takes a quarter of an hour). The extensions ``linalg`` and ``fft`` are not tested.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

CHECKOUT = os.environ.get("ARRAY_API_TESTS_DIR")
EXAMPLES = os.environ.get("ARRAY_API_TESTS_EXAMPLES", "200")
EXPECTED = Path(__file__).with_name("expected_failures.txt")
MOST_ENTRIES = 15


def entries() -> dict[str, str]:
    """The tests that are expected to fail, as patterns in which ``*`` stands for anything, and the reasons."""
    found: dict[str, str] = {}
    reason = ""
    for line in EXPECTED.read_text().splitlines():
        if line.startswith("#"):
            reason = line[1:].strip()
        elif line:
            found[line] = reason
    return found


def matches(pattern: str, test: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), test) is not None


def test_the_list_of_failures_is_short_and_gives_reasons() -> None:
    found = entries()
    assert 0 < len(found) <= MOST_ENTRIES
    assert all(found.values())


@pytest.mark.skipif(CHECKOUT is None, reason="ARRAY_API_TESTS_DIR locates no checkout of array-api-tests")
def test_the_suite_passes_but_for_what_is_listed(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    options = ["--max-examples", EXAMPLES, "--disable-deadline", "--disable-extension", "linalg", "fft"]
    command = [sys.executable, "-m", "pytest", "-q", "-W", "ignore", "--junitxml", str(report), *options]
    done = subprocess.run(
        [*command, "--", "array_api_tests"],
        cwd=CHECKOUT,
        env={**os.environ, "ARRAY_API_TESTS_MODULE": "fuseir.numpy"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert report.exists(), done.stdout[-4000:]
    cases = {
        f"{case.attrib['classname'].removeprefix('array_api_tests.')}::{case.attrib['name']}": case
        for case in ET.parse(report).iter("testcase")
    }
    assert len(cases) > 1000, done.stdout[-4000:]
    expected = entries()
    failed = [
        name for name, case in cases.items() if case.find("failure") is not None or case.find("error") is not None
    ]
    unexpected = [name for name in failed if not any(matches(pattern, name) for pattern in expected)]
    assert unexpected == [], done.stdout[-20000:]
    unknown = [pattern for pattern in expected if not any(matches(pattern, name) for name in cases)]
    assert unknown == []
