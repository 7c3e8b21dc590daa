"""What a training has spent in the end of a counted budget, for every strategy that trains, on both families."""

import counted
import pandas as pd
import pytest
import torch
from trained import TRAINED

from bench.measuring.base_results import BaseAnswers, BaseResults
from bench.modeling.flops import count_flops
from bench.records.record import Limit
from bench.running.adaptation import adapted
from bench.running.budget_account import spending
from bench.running.stages import train_stages
from bench.training.state import TrainingState

NOTHING = BaseResults(BaseAnswers(pd.DataFrame(), pd.DataFrame(), "plain"))


@pytest.fixture(scope="module", params=["encoder", "decoder"])
def model(request):
    return "tiny-bert" if request.param == "encoder" else str(request.getfixturevalue("decoder_folder"))


@pytest.mark.parametrize("strategy", TRAINED)
def test_a_training_spends_a_counted_budget_to_the_last_token_and_operation(model, strategy, planned, opened, device):
    """That of 20 examples, in two steps; one operation less, and the last example has no room."""

    def trained(budget):
        run = planned(strategy, suite="sentiment", model=model, budget=budget)
        session = opened(run)
        torch.manual_seed(0)
        made = adapted(run, device)
        with counted.counting() as work:
            state = train_stages(session, NOTHING, made, TrainingState())
        return state, count_flops(made).useful(state.useful), work["tokens"] - work["padding"]

    state, flops, read = trained("20examples")
    assert (state.examples, len(state.losses), state.ended_by) == (20, 2, "examples")
    assert state.tokens == read  # what torch saw go into the model
    by_tokens, _, _ = trained(f"{state.tokens}tokens")
    assert (by_tokens.examples, by_tokens.tokens, by_tokens.ended_by) == (20, state.tokens, "tokens")
    assert by_tokens.losses == state.losses
    by_flops, spent, _ = trained(f"{flops - 1}FLOP")
    assert (by_flops.examples, by_flops.ended_by) == (19, "flops") and spent < flops and by_flops.losses[0] == state.losses[0]
    by_steps, useful, _ = trained("2steps")
    assert (by_steps.examples, len(by_steps.losses)) == (32, 2)
    # What the record says: exactly as many were taken, and it was they that ended the training.
    told = spending(planned(strategy, suite="sentiment", model=model, budget="2steps"), by_steps, useful, 0)
    assert (told.limits["steps"], told.ended_by, told.passed) == (Limit(limit=2, spent=2), "steps", {})
