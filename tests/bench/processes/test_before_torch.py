"""Every start bounds what the library of matrix products keeps, before torch is there; what a person says stands."""

import os
import subprocess
import sys

import pytest

from bench.processes.before_torch import CACHES, SHAPES_KEPT, set_variables

OWN = sorted(name for names in CACHES.values() for name in names)


@pytest.mark.parametrize("name", OWN)
def test_what_a_person_says_stands(name):
    environment = {name: "5"}
    set_variables(environment)
    others = {variable: SHAPES_KEPT for variable, names in CACHES.items() if name not in names}
    assert {key: environment.get(key) for key in OWN if key in environment} == {name: "5"} | others


def clean():
    return {name: value for name, value in os.environ.items() if name not in OWN}


COMMAND = """
import sys
sys.argv = ["tunebench", "version"]
import bench.cli as cli
assert "torch" not in sys.modules
try:
    cli.main()
except SystemExit:
    pass
import os
print(*[os.environ[name] for name in sys.argv[2:]])
"""


def test_the_command_line_does_so_before_torch_is_there():
    code = COMMAND.replace("sys.argv[2:]", repr(sorted(CACHES)))
    done = subprocess.run([sys.executable, "-c", code], env=clean(), capture_output=True, text=True)
    assert done.stdout.splitlines()[-1:] == [" ".join([SHAPES_KEPT] * len(CACHES))], done.stderr


PRODUCTS = """
from bench.processes.before_torch import set_variables
set_variables()
import torch
weight = torch.ones(16, 16).to_mkldnn()
for _ in range(2):
    for rows in range(1, {shapes}):
        torch.nn.functional.linear(torch.ones(rows, 16).to_mkldnn(), weight)
"""


@pytest.mark.parametrize(("given", "kept"), [({}, 0), ({"ONEDNN_PRIMITIVE_CACHE_CAPACITY": "1024"}, 40)])
def test_the_library_keeps_no_more(given, kept):
    """Of forty products of other shapes, each asked for again after all others, by its own log."""
    code = PRODUCTS.format(shapes=41)
    environment = clean() | {"ONEDNN_VERBOSE": "profile_create"} | given
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    lines = [line for line in done.stdout.splitlines() if "inner_product" in line]
    if not lines:
        pytest.skip("this build of torch has no oneDNN")
    assert sum("create:cache_hit" in line for line in lines) == kept
