"""A user's command on a disk that fails at a chosen call."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

Failing = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library that makes calls fail."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or not Path("/proc/self/fd").is_dir():
        pytest.skip("failing calls need a C compiler and Linux")
    made = tmp_path_factory.mktemp("inject") / "inject.so"
    source = Path(__file__).with_name("inject.c")
    command = [compiler, "-shared", "-fPIC", "-o", str(made), str(source), "-ldl"]
    compiled = subprocess.run(command, capture_output=True, text=True, check=False)
    if compiled.returncode:
        pytest.skip(f"the compiler cannot make a library: {compiled.stderr.strip()[-200:]}")
    return made


@pytest.fixture
def failing(library: Path, ticks: Any) -> Failing:
    """Runs `ticks` while `call` on a path with `path` in it fails with `error` after so much."""

    def run(
        *arguments: str,
        call: str,
        path: str,
        error: str,
        after: int = 0,
        more: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        fault = {
            "LD_PRELOAD": str(library),
            "INJECT_CALL": call,
            "INJECT_PATH": path,
            "INJECT_ERRNO": str(getattr(errno, error)),
            "INJECT_AFTER": str(after),
        }
        ran: subprocess.CompletedProcess[str] = ticks(*arguments, more={**(more or {}), **fault})
        assert "unexpected" not in ran.stderr
        return ran

    return run


def words_of(error: str) -> str:
    """What the system calls an error."""
    return os.strerror(getattr(errno, error))
