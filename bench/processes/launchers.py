"""Starting processes of tunebench, one or several under `accelerate launch`, and finding those that it has started."""

import os
import sys
from contextlib import suppress
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[2]
LAUNCH = ROOT / "launch"
"""The files that say which processes are started."""


def launcher(file: Path) -> list[str]:
    """The first words of a command that starts the processes of a launch file."""
    return [sys.executable, "-m", "bench.processes.quiet_launcher", "launch", "--config_file", str(file)]


def launched(launcher: int, word: str) -> list[psutil.Process]:
    """The processes that a launcher has started so far.

    Args:
        launcher: its process number.
        word: of the command that it starts.
    """
    with suppress(psutil.Error):  # it has ended
        return [child for child in psutil.Process(launcher).children() if word in _command_words(child)]
    return []


def _command_words(process: psutil.Process) -> list[str]:
    """Of its command; none of one that has ended, also where nobody has waited for it yet."""
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def package_path() -> str:
    """PYTHONPATH by which a process that is started finds this very package, installed or not."""
    return os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
