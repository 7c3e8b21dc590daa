"""In a process of its own: what it changes is the whole process's."""

import os
import subprocess
import sys

from bench import quiet

SAID = """
from bench import quiet
quiet.libraries(False)
import logging, os, warnings
warnings.warn("a warning")
logging.getLogger("library").warning("a logged warning")
logging.getLogger("library").error("an error")
from transformers.utils import logging as library
from tqdm import tqdm
list(tqdm([1]))
print(library.is_progress_bar_enabled(), library.get_verbosity() == logging.INFO, os.environ["TOKENIZERS_PARALLELISM"])
"""


def test_errors_come_through_and_chatter_does_not():
    environment = os.environ | {"TRANSFORMERS_VERBOSITY": "info", "HF_HUB_DISABLE_PROGRESS_BARS": "0"}
    for name in ("TQDM_DISABLE", "TOKENIZERS_PARALLELISM"):
        environment.pop(name, None)
    done = subprocess.run([sys.executable, "-c", SAID], capture_output=True, text=True, check=True, env=environment)
    assert done.stderr == "an error\n"
    assert done.stdout == "False True false\n"  # what the user has set stands


def test_with_debug_nothing_is_changed(monkeypatch):
    monkeypatch.delenv("BITSANDBYTES_NOWELCOME", raising=False)
    quiet.libraries(True)
    assert "BITSANDBYTES_NOWELCOME" not in os.environ
