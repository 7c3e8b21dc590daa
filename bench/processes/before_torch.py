"""What a process sets in its environment before anything is imported that computes, as such libraries read it once."""

import os
from collections.abc import MutableMapping

from bench.processes.threads import spin_briefly

SHAPES_KEPT = "32"
"""Products of matrices that oneDNN keeps ready, and that torch keeps of oneDNN; 1,024 by their own default. Each is for one
shape of a batch, so that in bf16 memory grows with every new length. The passes of a block take fewer than this."""
CACHES = {
    "ONEDNN_PRIMITIVE_CACHE_CAPACITY": ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "DNNL_PRIMITIVE_CACHE_CAPACITY"),
    "LRU_CACHE_CAPACITY": ("LRU_CACHE_CAPACITY",),
}
"""The variable of each cache -> names under which a person may have set it; what they set stands."""


def set_variables(environment: MutableMapping[str, str] = os.environ) -> None:
    """For this process, and those that it starts."""
    spin_briefly(environment)
    for variable, own in CACHES.items():
        if not any(environment.get(name) for name in own):
            environment[variable] = SHAPES_KEPT
