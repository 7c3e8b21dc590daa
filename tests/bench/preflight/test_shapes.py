"""What does not fit a model is told by its shape, before anything runs."""

from dataclasses import replace

import pytest
import torch
from transformers import AutoModelForSequenceClassification

from bench.errors import UserError
from bench.modeling.forward import loss_sum
from bench.planning import plan
from bench.planning.options import PlanOptions
from bench.preflight import shapes
from bench.preflight.shapes import check_shapes
from bench.strategies import Strategy
from bench.tokens.encoded import Encoded, collate

UNFIT = {
    "frozen.frozen=999": "strategy 'frozen': frozen=999, but the model has 2 layers",
    "frozen.frozen=1.5": "a share is at most 1.0",
    "lora-8bit.peft.r=0": "strategy 'lora-8bit' does not fit model 'tiny-bert': `r` should be a positive integer",
    "lora-8bit.peft.lora_dropout=2": "dropout probability has to be between 0 and 1, but got 2",
    "lora-8bit.peft.target_modules=[nothing]": "No modules were targeted for adaptation",
    "lora-8bit.peft.bias=some": "Requested bias: some, is not implemented",
}


@pytest.mark.parametrize("setting", UNFIT)
def test_what_does_not_fit_is_told_in_one_sentence(planned, setting):
    run = planned(setting.split(".")[0], settings=[setting])
    with pytest.raises(UserError) as caught:
        check_shapes([planned("full"), run])
    assert UNFIT[setting] in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("suite", ["sentiment-domains", "stages"])
def test_what_is_built_in_fits(planned, suite, decoder_folder):
    for strategy in ("zero-shot", "full", "frozen", "lora-8bit", "multitask"):
        runs = [planned(strategy, suite=suite), planned(strategy, suite=suite, model=decoder_folder)]
        check_shapes(runs)


def test_a_type_without_a_head_is_a_decoders(planned, decoder_folder):
    check_shapes([planned("full", suite="corpus", model=decoder_folder), planned("full", suite="corpus")])


def test_what_computes_with_weights_is_not_known_from_a_shape_and_passes(planned):
    check_shapes([planned("lora-8bit", settings=["lora-8bit.peft={peft_type: BOFT}"])])


def test_a_strategy_that_trains_nothing_says_so(planned):
    class Still(Strategy):
        def adapt(self, model, family):
            return model.requires_grad_(False)

    run = planned("full")
    with pytest.raises(UserError, match="strategy 'full' leaves nothing to train of model 'tiny-bert'"):
        check_shapes([replace(run, strategy=Still("full", run.strategy.hyperparameters))])


def test_equal_runs_are_looked_at_once(planned, monkeypatch):
    looked = []
    monkeypatch.setattr("bench.strategies.full.Full.adapt", lambda self, model, family: looked.append(self) or model)
    run = planned("full")
    check_shapes([run, replace(run, seed=1), replace(run, seed=2)])
    assert len(looked) == 1


def test_the_ends_of_what_is_searched_are_looked_at_too(tmp_path, planned):
    strategy = (
        "{name: shallow, description: d, kind: frozen, hyperparameters: {learning_rate: 1.0e-3, frozen: 1}, "
        "search: {frozen: {choice: [1, 9]}}}"
    )
    (tmp_path / "strategies").mkdir()
    (tmp_path / "strategies" / "shallow.yaml").write_text(strategy)
    suite = (
        "{name: own, version: 1, description: d, models: [tiny-bert], tasks: [sst2], strategies: [shallow], tune: {trials: 2}}"
    )
    (tmp_path / "own.yaml").write_text(suite)
    (run,) = plan.plan(PlanOptions(str(tmp_path / "own.yaml"), budget="16"), "fp32")
    with pytest.raises(UserError, match="frozen=9, but the model has 2 layers"):
        check_shapes([run])


def test_what_no_machine_holds_is_refused_with_its_size(planned):
    run = planned("lora-8bit", settings=["lora-8bit.peft.r=1000000"])
    check_shapes([run])  # a plan for another machine
    with pytest.raises(
        UserError,
        match=r"would train [\d,]{13,} weights .* at least \d\d GB with the others, and there are 16 GB; make",
    ):
        check_shapes([run], 16 * 10**9)
    check_shapes([planned("lora-8bit"), planned("full")], 10**9)


def test_the_room_is_that_of_weights_gradients_and_moments(planned):
    run = planned("full")
    needed = 16 * sum(parameter.numel() for parameter in shapes._shape(run).parameters())
    check_shapes([run], needed)
    with pytest.raises(UserError, match="and there are"):
        check_shapes([run], needed - 1)


def test_virtual_tokens_leave_room_for_a_text(planned):
    peft = "lora-8bit.peft={peft_type: PREFIX_TUNING, num_virtual_tokens: %d}"
    fits = planned("lora-8bit", settings=[peft % 384])  # beside max_length's 128
    check_shapes([fits])
    with pytest.raises(UserError, match=r"num_virtual_tokens=100000 leaves a text no room in the model's 512 positions"):
        check_shapes([planned("lora-8bit", settings=[peft % 100_000])])
    told = (
        "num_virtual_tokens=384 leaves a text 128 of the 512 positions of model 'tiny-bert'; set max_length to at most 128 in"
    )
    with pytest.raises(UserError, match=told):
        check_shapes([fits, replace(fits, max_length=129)])
    with pytest.raises(UserError, match="set max_length to at most 504 in suite"):
        check_shapes([replace(planned("lora-8bit", settings=[peft % 8]), max_length=1024)])


@pytest.mark.parametrize("kind", ["PROMPT_TUNING", "P_TUNING", "PREFIX_TUNING"])
def test_a_text_of_the_length_that_is_told_is_read(planned, kind):
    run = planned("lora-8bit", settings=["bits=32", f"peft={{peft_type: {kind}, num_virtual_tokens: 384}}"])
    check_shapes([run])
    model = run.strategy.adapt(run.checkpoint.load(AutoModelForSequenceClassification), "encoder").eval()
    loss_sum(model, collate([Encoded((5,) * 128, labels=(1,))], 0, torch.device("cpu")))
    with pytest.raises((IndexError, RuntimeError)):
        loss_sum(model, collate([Encoded((5,) * 129, labels=(1,))], 0, torch.device("cpu")))
