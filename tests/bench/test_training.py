"""The loop against transformers' Trainer and schedule, and against itself under other batching."""

import pytest
import torch
import transformers
from accelerate import Accelerator
from transformers import AutoModelForSequenceClassification, Trainer, TrainingArguments, get_linear_schedule_with_warmup
from transformers.trainer_callback import TrainerCallback

from bench import curriculum, plan, training
from bench.encoding import IGNORE, Encoding
from bench.errors import RunError
from bench.strategies.base import Hyperparameters

HYPERPARAMETERS = Hyperparameters(learning_rate=1e-3, weight_decay=0.01, warmup=0.25)


class Losses(TrainerCallback):
    def __init__(self):
        self.values = []

    def on_log(self, args, state, control, logs=None, **kwargs):
        if "loss" in (logs or {}):
            self.values.append(logs["loss"])


class InOrder(Trainer):
    def _get_train_sampler(self, *args, **kwargs):
        return torch.utils.data.SequentialSampler(self.train_dataset)


def steps_of(model_name, budget="64"):
    (run,) = plan.plan(plan.Options("sentiment", model=model_name, strategies=["full"], budget=budget), "fp32")
    return run, curriculum.build(run, Encoding(run.model, run.max_length))


def trainer_losses(model, rows, collator, folder, batch):
    arguments = TrainingArguments(
        output_dir=str(folder),
        per_device_train_batch_size=batch,
        num_train_epochs=1,
        learning_rate=HYPERPARAMETERS.learning_rate,
        weight_decay=HYPERPARAMETERS.weight_decay,
        warmup_steps=1,
        lr_scheduler_type="linear",
        logging_steps=1,
        logging_nan_inf_filter=False,
        use_cpu=True,
        report_to=[],
        save_strategy="no",
        disable_tqdm=True,
        remove_unused_columns=False,
        max_grad_norm=HYPERPARAMETERS.max_grad_norm,
        dataloader_pin_memory=False,
    )
    losses = Losses()
    InOrder(model=model, args=arguments, train_dataset=rows, data_collator=collator, callbacks=[losses]).train()
    return losses.values


def test_decoder_follows_the_trainer(decoder_folder, tmp_path):
    run, built = steps_of(str(decoder_folder))
    rows = [
        {"input_ids": list(e.ids), "labels": [IGNORE] * (len(e.ids) - e.answer) + list(e.ids[-e.answer :])}
        for step in built.steps
        for e in step
    ]
    collator = transformers.DataCollatorForSeq2Seq(run.model.tokenizer, label_pad_token_id=IGNORE)
    expected = trainer_losses(run.model.load(), rows, collator, tmp_path, run.batch)
    spent = training.train(run.model.load(), built.steps, HYPERPARAMETERS, Accelerator(cpu=True), 0, 10_000)
    assert spent.losses == pytest.approx(expected, rel=1e-4)
    assert spent.losses[-1] < spent.losses[0]  # and there was something to follow


def test_encoder_follows_the_trainer(tmp_path):
    run, built = steps_of("tiny-bert")
    rows = [{"input_ids": list(e.ids), "label": e.label} for step in built.steps for e in step]

    def load():
        torch.manual_seed(0)
        return run.model.load(
            AutoModelForSequenceClassification, num_labels=2, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0
        )

    expected = trainer_losses(load(), rows, transformers.DataCollatorWithPadding(run.model.tokenizer), tmp_path, run.batch)
    pad = run.model.tokenizer.pad_token_id
    spent = training.train(load(), built.steps, HYPERPARAMETERS, Accelerator(cpu=True), pad, 10_000, outputs=2)
    assert spent.losses == pytest.approx(expected, rel=1e-4)


def test_micro_batches_change_memory_and_not_the_result(decoder_folder):
    run, built = steps_of(str(decoder_folder))
    curves = []
    for tokens in (10_000, 300, 1):
        model = run.model.load()
        curves.append(training.train(model, built.steps, HYPERPARAMETERS, Accelerator(cpu=True), 0, tokens).losses)
    assert curves[1] == pytest.approx(curves[0], rel=1e-4)
    assert curves[2] == pytest.approx(curves[0], rel=1e-4)


@pytest.mark.parametrize(("steps", "warmup"), [(1, 0.0), (10, 0.1), (37, 0.25), (100, 0.0)])
def test_learning_rate_is_transformers_schedule(steps, warmup):
    hyperparameters = Hyperparameters(learning_rate=0.5, warmup=warmup)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.5)
    schedule = get_linear_schedule_with_warmup(optimizer, round(warmup * steps), steps)
    for step in range(steps):
        assert training.learning_rate(step, steps, hyperparameters) == pytest.approx(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()


def test_a_diverging_run_fails_with_a_sentence(decoder_folder):
    run, built = steps_of(str(decoder_folder))
    model = run.model.load()
    with torch.no_grad():
        model.model.norm.weight.fill_(float("nan"))
    with pytest.raises(RunError, match="the loss is nan at step 1 of 4; lower the learning rate"):
        training.train(model, built.steps, HYPERPARAMETERS, Accelerator(cpu=True), 0, 1000)


def test_costs_count_what_the_model_saw(decoder_folder):
    run, built = steps_of(str(decoder_folder), budget="40")
    spent = training.train(run.model.load(), built.steps, HYPERPARAMETERS, Accelerator(cpu=True), 0, 1000)
    examples = [e for step in built.steps for e in step]
    assert [len(step) for step in built.steps] == [16, 16, 8]
    assert spent.examples == 40
    assert spent.tokens == sum(len(e.ids) - 1 for e in examples)
    assert spent.positions == sum(e.answer for e in examples)
