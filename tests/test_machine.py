from __future__ import annotations

import os
from pathlib import Path

import pytest

from cnncli import machine
from cnncli.data.files import memory_limit


@pytest.fixture
def cgroup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What tells the limits of a container; there is none yet. The machine has four cores and 1,000 pages of 4,096."""
    monkeypatch.setattr(machine, "_CGROUP", tmp_path)
    monkeypatch.setattr(machine, "_limit", lambda: None)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 1, 2, 3}, raising=False)
    monkeypatch.setattr(os, "sysconf", {"SC_PHYS_PAGES": 1000, "SC_PAGE_SIZE": 4096}.__getitem__, raising=False)
    return tmp_path


@pytest.mark.parametrize(
    ("told", "cores"), [(None, 4), ("max 100000", 4), ("150000 100000", 2), ("100 100000", 1), ("900000 100000", 4)]
)
def test_cores_are_what_the_container_grants(told: str | None, cores: int, cgroup: Path) -> None:
    if told is not None:
        (cgroup / "cpu.max").write_text(told + "\n")
    assert machine.available_cores() == cores


@pytest.mark.parametrize(
    ("told", "limit", "memory"),
    [
        (None, None, 4_096_000),
        ("max", None, 4_096_000),
        ("1000000", None, 1_000_000),
        ("9000000", None, 4_096_000),
        ("1000000", 500_000, 500_000),
    ],
)
def test_memory_is_the_least_of_machine_container_and_limit(
    told: str | None, limit: int | None, memory: int, cgroup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "_limit", lambda: limit)
    if told is not None:
        (cgroup / "memory.max").write_text(told + "\n")
    assert machine.available_memory() == memory
    assert memory_limit() == memory // 2


def test_memory_where_nothing_is_known(cgroup: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(name: str) -> int:
        raise ValueError(name)

    monkeypatch.setattr(os, "sysconf", unknown, raising=False)
    assert machine.available_memory() == 16 << 30
