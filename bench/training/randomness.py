"""Where the random number generators of this process stand: torch's, on the CPU and on the GPU, numpy's and Python's."""

import random
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

CPU, GPU, NUMPY, PYTHON = "torch", "cuda", "numpy", "python"


def random_state() -> dict[str, Tensor]:
    """All of it as tensors. Only of the GPU that this process uses: to ask the others would set them up."""
    _, keys, place, has_gauss, gauss = np.random.get_state(legacy=True)
    # float64 holds 32-bit integers exactly, so that one tensor is enough.
    numpys = torch.tensor([*np.asarray(keys, dtype=np.float64), place, has_gauss, gauss], dtype=torch.float64)
    version, numbers, cached = random.getstate()
    pythons = torch.tensor([version, *numbers, cached is not None, cached or 0.0], dtype=torch.float64)
    state = {CPU: torch.get_rng_state(), NUMPY: numpys, PYTHON: pythons}
    return state | ({GPU: torch.cuda.get_rng_state()} if torch.cuda.is_available() else {})


def set_random_state(state: Mapping[str, Tensor]) -> None:
    """Go on from where `random_state` stood; a GPU that was not there then goes on from where it is."""
    version, *numbers, has_cached, cached = state[PYTHON].tolist()
    random.setstate((int(version), tuple(map(int, numbers)), cached if has_cached else None))
    *keys, place, has_gauss, gauss = state[NUMPY].tolist()
    np.random.set_state(("MT19937", np.array(keys, dtype=np.uint32), int(place), int(has_gauss), gauss))
    torch.set_rng_state(state[CPU])
    if GPU in state and torch.cuda.is_available():
        torch.cuda.set_rng_state(state[GPU])
