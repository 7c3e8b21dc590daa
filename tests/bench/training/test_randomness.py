"""The generators go on where they stood."""

import random

import numpy as np
import torch

from bench.training.randomness import random_state, set_random_state


def drawn():
    numbers = [random.random(), random.gauss(0, 1), float(np.random.rand()), float(np.random.standard_normal())]
    return [*numbers, torch.rand(1).item(), torch.randn(1).item()]


def test_they_go_on_where_they_stood():
    np.random.standard_normal(), random.gauss(0, 1)  # of a pair of normal numbers one is kept for later: part of the state
    kept = random_state()
    expected = [drawn(), drawn()]
    for scramble in (random.seed, np.random.seed, torch.manual_seed):
        scramble(99)
    assert drawn() != expected[0]
    set_random_state(kept)
    assert [drawn(), drawn()] == expected


def test_a_fresh_python_generator_has_no_number_left_over():
    random.seed(3)
    kept = random_state()
    first = [random.gauss(0, 1) for _ in range(3)]
    set_random_state(kept)
    assert [random.gauss(0, 1) for _ in range(3)] == first
