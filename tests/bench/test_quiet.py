import os
import subprocess
import sys

import pytest

SAID = """
from bench import quiet
quiet.libraries({debug})
import logging, os, warnings
warnings.warn("a warning of a library")
logging.getLogger("library").warning("a message of a library")
logging.getLogger("library").error("an error of a library")
print(os.environ.get("TQDM_DISABLE"))
"""


@pytest.mark.parametrize("debug", [False, True])
def test_chatter_is_off_and_errors_come_through(debug):
    clean = {name: value for name, value in os.environ.items() if name != "TQDM_DISABLE"}  # the tests themselves are quiet
    said = SAID.format(debug=debug)
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True, env=clean)
    assert "an error of a library" in done.stderr
    assert ("a warning of a library" in done.stderr) is debug
    assert ("a message of a library" in done.stderr) is debug
    assert done.stdout.strip() == ("None" if debug else "1")
