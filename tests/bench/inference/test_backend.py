"""What a model cannot be asked it refuses in a sentence, so that a new backend may do a part of it all."""

from typing import get_args

import pytest

from bench.errors import RunError
from bench.inference.backend import Backend
from bench.specs.base import Capability

ASKED = {"generate": ([], 1, True)}


@pytest.mark.parametrize("name", get_args(Capability))
def test_each_capability_is_a_method_that_may_be_left_out(name):
    backend = Backend()
    backend.name, backend.can = "mute", frozenset()
    with pytest.raises(RunError, match=r"^model 'mute' gives no [a-z' -]+$"):
        getattr(backend, name)(*ASKED.get(name, ([],)))
