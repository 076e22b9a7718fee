"""What a process may use, from folders of control groups that are made for each test."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fuseir.resources import available_cpus, available_memory, total_memory

GIGABYTE = 1 << 30


def tree(root: Path, membership: str, files: dict[str, str]) -> tuple[Path, Path]:
    """A folder of control groups, and the file that says which ones this process is in."""
    for name, text in files.items():
        path = root / "cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
    (root / "self").write_text(membership)
    return root / "cgroup", root / "self"


V1 = "11:memory:/jobs/a\n4:cpu,cpuacct:/jobs/a\n1:name=systemd:/jobs/a\n"


@pytest.fixture(autouse=True)
def eight(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(8)), raising=False)


@pytest.mark.parametrize(
    ("membership", "files", "expected"),
    [
        ("", {}, 8),
        ("0::/\n", {"cpu.max": "max 100000"}, 8),
        ("0::/\n", {"cpu.max": "250000 100000"}, 3),
        ("0::/\n", {"cpu.max": "10000 100000"}, 1),
        ("0::/\n", {"cpu.max": "nonsense"}, 8),
        ("0::/a/b\n", {"cpu.max": "600000 100000", "a/cpu.max": "200000 100000", "a/b/cpu.max": "max 100000"}, 2),
        ("0::/../../other\n", {"cpu.max": "400000 100000"}, 4),
        ("0::/a\n", {"unified/a/cpu.max": "500000 100000"}, 5),
        (V1, {"cpu,cpuacct/cpu.cfs_quota_us": "-1", "cpu,cpuacct/cpu.cfs_period_us": "100000"}, 8),
        (V1, {"cpu,cpuacct/cpu.cfs_quota_us": "150000", "cpu,cpuacct/cpu.cfs_period_us": "100000"}, 2),
        (V1, {"cpu/jobs/a/cpu.cfs_quota_us": "300000", "cpu/jobs/a/cpu.cfs_period_us": "100000"}, 3),
        (V1, {"cpu/cpu.cfs_quota_us": "300000"}, 8),
        (V1, {"cpu/cpu.cfs_quota_us": "300000", "cpu/cpu.cfs_period_us": "0"}, 8),
        (V1, {"cpu.max": "100000 100000"}, 8),  # of a version that the process has no group of
    ],
)
def test_quotas_bound_the_processors(membership: str, files: dict[str, str], expected: int, tmp_path: Path) -> None:
    assert available_cpus(*tree(tmp_path, membership, files)) == expected


def test_memory_is_what_the_tightest_group_has_left(tmp_path: Path) -> None:
    memory = tmp_path / "meminfo"
    memory.write_text(f"MemTotal: {16 << 20} kB\nMemAvailable: {8 << 20} kB\nSwapFree: {1 << 20} kB\n")
    files = {
        "memory.max": str(4 * GIGABYTE),
        "memory.current": str(3 * GIGABYTE),
        "memory.stat": f"active_file {GIGABYTE}\ninactive_file {GIGABYTE // 2}",
        "a/memory.max": "max",
    }
    groups = tree(tmp_path, "0::/a\n", files)
    assert total_memory(*groups, memory) == 4 * GIGABYTE
    assert available_memory(*groups, memory) == 5 * GIGABYTE // 2
    unlimited = tree(tmp_path, "", {})
    assert total_memory(*unlimited, memory) == 16 * GIGABYTE
    assert available_memory(*unlimited, memory) == 9 * GIGABYTE


def test_memory_of_version_1_counts_files_of_inner_groups(tmp_path: Path) -> None:
    files = {
        "memory/jobs/memory.limit_in_bytes": str(2 * GIGABYTE),
        "memory/jobs/memory.usage_in_bytes": str(2 * GIGABYTE),
        "memory/jobs/memory.stat": f"inactive_file 5\ntotal_inactive_file {GIGABYTE}",
    }
    groups = tree(tmp_path, V1, files)
    assert available_memory(*groups, tmp_path / "none") == GIGABYTE
    assert total_memory(*groups, tmp_path / "none") == 2 * GIGABYTE


def test_a_system_that_says_nothing_is_not_guessed_at(tmp_path: Path) -> None:
    nothing = tmp_path / "none"
    assert available_memory(nothing, nothing, nothing) is None
    assert total_memory(nothing, nothing, nothing) is None
    assert available_cpus(nothing, nothing) == 8
