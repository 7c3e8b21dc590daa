"""The loop against transformers' Trainer and schedule, and against itself under other batching."""

import gc
import warnings
import weakref
from dataclasses import replace
from functools import partial

import pytest
import torch
import transformers
from accelerate import Accelerator
from transformers import (
    AutoModelForQuestionAnswering,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    BertConfig,
    BertForSequenceClassification,
    Trainer,
    TrainingArguments,
    get_linear_schedule_with_warmup,
)
from transformers.trainer_callback import TrainerCallback

from bench.devices.memory import PeakMemory
from bench.errors import RunError
from bench.modeling.structure import layers
from bench.planning import plan
from bench.planning.options import PlanOptions
from bench.running import curriculum
from bench.strategies import load_strategy
from bench.strategies.base import Hyperparameters
from bench.tasks.encoding import Encoding
from bench.tokens.encoded import IGNORE, Encoded
from bench.tokens.token_counts import TokenCounts
from bench.training import clipping, loop
from bench.training.loop import Padding

HYPERPARAMETERS = Hyperparameters(learning_rate=1e-3, weight_decay=0.01, warmup=0.25, max_grad_norm=0.7)
UNDECAYED = HYPERPARAMETERS.model_copy(update={"weight_decay": 0.0})
"""By these the gradients of word embeddings are those of the rows that were read."""


class Losses(TrainerCallback):
    def __init__(self):
        self.values, self.norms = [], []

    def on_log(self, args, state, control, logs=None, **kwargs):
        if "loss" in (logs or {}):
            self.values.append(logs["loss"])
            self.norms.append(float(logs["grad_norm"]))


@pytest.fixture
def norms(monkeypatch):
    """The gradients' norms before they are clipped: Adam hardly sees a wrong scale, and the losses hardly show it."""
    found, norm_of, clip = [], clipping.get_total_norm, loop.clip

    def noted(gradients):
        norm = norm_of(gradients)
        found.append(float(norm))
        return norm

    def checked(weights, adam, accelerator, max_norm):
        assert max_norm == HYPERPARAMETERS.max_grad_norm
        clip(weights, adam, accelerator, max_norm)

    monkeypatch.setattr(clipping, "get_total_norm", noted)
    monkeypatch.setattr(loop, "clip", checked)
    return found


def advanced(optimizer, warm, steps):
    """transformers' schedule, begun a step early and ended a step late, so that none of `steps` is taken at a rate of 0."""
    schedule = get_linear_schedule_with_warmup(optimizer, warm + 1, steps + 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # "lr_scheduler.step() before optimizer.step()", which is the point
        schedule.step()
    return schedule


class InOrder(Trainer):
    def create_scheduler(self, num_training_steps, optimizer=None):
        self.lr_scheduler = advanced(optimizer or self.optimizer, self.args.warmup_steps, num_training_steps)
        return self.lr_scheduler

    def _get_train_sampler(self, *args, **kwargs):
        return torch.utils.data.SequentialSampler(self.train_dataset)


def steps_of(model_name, budget="64", suite="sentiment", max_length=None):
    options = PlanOptions(suite, model=model_name, strategies=["full"], budget=budget)
    run = plan.plan(options, "fp32")[-1]  # of a suite with several tasks the last
    return run, curriculum.build_curriculum(run, Encoding(run.model, max_length or run.max_length))


def trainer_losses(model, rows, collator, folder, batch, values=HYPERPARAMETERS, **more):
    arguments = TrainingArguments(
        output_dir=str(folder),
        per_device_train_batch_size=batch,
        num_train_epochs=1,
        learning_rate=values.learning_rate,
        weight_decay=values.weight_decay,
        warmup_steps=1,
        lr_scheduler_type="linear",
        logging_steps=1,
        logging_nan_inf_filter=False,
        use_cpu=True,
        report_to=[],
        save_strategy="no",
        disable_tqdm=True,
        remove_unused_columns=False,
        max_grad_norm=values.max_grad_norm,
        dataloader_pin_memory=False,
        **more,
    )
    losses = Losses()
    InOrder(model=model, args=arguments, train_dataset=rows, data_collator=collator, callbacks=[losses]).train()
    return losses


def test_decoder_follows_the_trainer(decoder_folder, tmp_path, norms):
    run, built = steps_of(str(decoder_folder))
    rows = [
        {"input_ids": list(e.ids), "labels": [IGNORE] * (len(e.ids) - e.answer) + list(e.ids[-e.answer :])}
        for step in built.steps
        for e in step
    ]
    collator = transformers.DataCollatorForSeq2Seq(run.model.tokenizer, label_pad_token_id=IGNORE)
    expected = trainer_losses(run.model.load(), rows, collator, tmp_path, run.batch)
    state = loop.train(run.model.load(), built.steps, HYPERPARAMETERS, Accelerator(cpu=True), Padding(0, 10_000))
    assert state.losses == pytest.approx(expected.values, rel=1e-4)
    assert norms == pytest.approx(expected.norms, rel=1e-3)
    assert state.losses[-1] < state.losses[0]  # and there was something to follow


def undropped(run, auto_class, **head):
    """The encoder with a head, freshly drawn but the same each time, without dropout: its draws can't be compared."""
    torch.manual_seed(0)
    return run.model.load(auto_class, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, **head)


def follow(run, steps, rows, collator, folder, load, norms, values=HYPERPARAMETERS):
    expected = trainer_losses(load(), rows, collator, folder, run.batch, values)
    pad = run.model.tokenizer.pad_token_id
    state = loop.train(load(), steps, values, Accelerator(cpu=True), Padding(pad, 10_000))
    assert len(expected.values) == len(steps) >= 4
    assert state.losses == pytest.approx(expected.values, rel=1e-4)
    assert norms == pytest.approx(expected.norms, rel=1e-3)
    assert state.losses[-1] < state.losses[0]


def chunked(steps, size, count):
    """The steps' windows as steps of `size` windows each: the Trainer's batches don't vary with the number of windows."""
    windows = [window for step in steps for window in step]
    assert len(windows) >= size * count
    return [windows[start : start + size] for start in range(0, size * count, size)]


@pytest.mark.parametrize("values", [HYPERPARAMETERS, UNDECAYED], ids=["decayed", "undecayed"])
def test_encoder_follows_the_trainer(tmp_path, norms, values):
    run, built = steps_of("tiny-bert")
    rows = [
        {"input_ids": list(e.ids), "token_type_ids": list(e.types), "label": e.labels[0]} for step in built.steps for e in step
    ]
    collator = transformers.DataCollatorWithPadding(run.model.tokenizer)
    load = partial(undropped, run, AutoModelForSequenceClassification, num_labels=2)
    follow(run, built.steps, rows, collator, tmp_path, load, norms, values)


def test_token_classification_follows_the_trainer(tmp_path, norms):
    run, built = steps_of("tiny-bert", budget="80", suite="ner")
    steps = chunked(built.steps, run.batch, 5)
    rows = [
        {"input_ids": list(e.ids), "token_type_ids": list(e.types), "labels": list(e.labels)} for step in steps for e in step
    ]
    assert len({len(row["input_ids"]) for row in rows}) > 10  # padding is in it
    assert {label for row in rows for label in row["labels"]} > {IGNORE, 0}
    collator = transformers.DataCollatorForTokenClassification(run.model.tokenizer)
    load = partial(undropped, run, AutoModelForTokenClassification, num_labels=7)
    follow(run, steps, rows, collator, tmp_path, load, norms)


def test_questions_follow_the_trainer(tmp_path, norms):
    """Windows of one full length: we leave padding out of a span's softmax, transformers does not."""
    run, built = steps_of("tiny-bert", budget="64", suite="qa", max_length=96)
    full = [replace(e, weight=1.0) for step in built.steps for e in step if len(e.ids) == 96]
    # Windows that hold the answer alternate with those that don't, whose ends are on the first token.
    parts = ([e for e in full if bool(e.labels[0]) is held] for held in (True, False))
    mixed = [e for pair in zip(*parts, strict=False) for e in pair]
    steps = chunked([mixed], run.batch, 4)
    rows = [
        {
            "input_ids": list(e.ids),
            "token_type_ids": list(e.types),
            "start_positions": e.labels[0],
            "end_positions": e.labels[1],
        }
        for step in steps
        for e in step
    ]
    collator = transformers.DataCollatorWithPadding(run.model.tokenizer)
    follow(run, steps, rows, collator, tmp_path, partial(undropped, run, AutoModelForQuestionAnswering, num_labels=2), norms)


def test_windows_of_one_question_weigh_as_one(encoder):
    """A mean over questions, not over windows: half of the ends' losses, each window's share of its question."""
    model = encoder.load(AutoModelForQuestionAnswering, num_labels=2).eval()
    generator = torch.Generator().manual_seed(0)

    def window(length, of):
        ids = tuple(torch.randint(1000, 2000, (length,), generator=generator).tolist())
        return Encoded(ids, labels=(1, length - 1), weight=0.5 / of)

    step = [window(12, 1), window(20, 2), window(9, 2)]
    with torch.no_grad():
        losses = []
        for e in step:
            out = model(input_ids=torch.tensor([e.ids]))
            losses.append(
                sum(-x[0].log_softmax(-1)[i].item() for x, i in ((out.start_logits, 1), (out.end_logits, e.labels[1])))
            )
    still = Hyperparameters(learning_rate=1e-9)
    torch.manual_seed(0)
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    state = loop.train(model, [step], still, Accelerator(cpu=True), Padding(0, 10_000))
    assert state.losses == [pytest.approx((losses[0] / 2 + (losses[1] + losses[2]) / 4) / 2, rel=1e-5)]


def test_micro_batches_change_memory_and_not_the_result(decoder_folder):
    run, built = steps_of(str(decoder_folder))
    curves = []
    for tokens in (10_000, 300, 1):
        model = run.model.load()
        curves.append(loop.train(model, built.steps, HYPERPARAMETERS, Accelerator(cpu=True), Padding(0, tokens)).losses)
    assert curves[1] == pytest.approx(curves[0], rel=1e-4)
    assert curves[2] == pytest.approx(curves[0], rel=1e-4)


@pytest.mark.parametrize(("steps", "warmup"), [(1, 0.0), (10, 0.1), (37, 0.25), (100, 0.0)])
def test_learning_rate_is_transformers_schedule_advanced_by_one(steps, warmup):
    hyperparameters = Hyperparameters(learning_rate=0.5, warmup=warmup)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.5)
    schedule = advanced(optimizer, round(warmup * steps), steps)
    for step in range(steps):
        assert loop.learning_rate(step, steps, hyperparameters) > 0
        assert loop.learning_rate(step, steps, hyperparameters) == pytest.approx(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()


def test_a_constant_rate_warms_up_and_stays():
    constant = Hyperparameters(learning_rate=0.5, warmup=0.2, schedule="constant")
    rates = [loop.learning_rate(step, 10, constant) for step in range(10)]
    assert rates == pytest.approx([0.5 / 3, 1 / 3, *[0.5] * 8])


def test_the_first_step_of_the_budget_trains(decoder_folder):
    run, built = steps_of(str(decoder_folder), budget="16")
    model = run.model.load()
    before = model.model.norm.weight.detach().clone()
    loop.train(model, [*built.steps] * 4, HYPERPARAMETERS, Accelerator(cpu=True), Padding(0, 10_000), watches=[lambda *_: True])
    assert not torch.equal(model.model.norm.weight, before)


def test_a_diverging_run_fails_with_a_sentence(decoder_folder):
    run, built = steps_of(str(decoder_folder))
    model = run.model.load()
    with torch.no_grad():
        model.model.norm.weight.fill_(float("nan"))
    with pytest.raises(RunError, match="the loss is nan at step 1 of 4; lower the learning rate"):
        loop.train(model, built.steps, HYPERPARAMETERS, Accelerator(cpu=True), Padding(0, 1000))


@pytest.fixture
def optimizers(monkeypatch):
    """Weak references to those that are made."""
    made, make = [], loop.optimizer

    def noted(*given):
        adam = make(*given)
        made.append(weakref.ref(adam))
        return adam

    monkeypatch.setattr(loop, "optimizer", noted)
    return made


def classifier(vocabulary=100):
    shape = {"hidden_size": 256, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    return BertForSequenceClassification(BertConfig(vocab_size=vocabulary, **shape))


STEP = [Encoded((5, 6, 7), labels=(1,))]


def test_a_stage_after_others_takes_no_more_memory_than_the_first(optimizers):
    """Accelerate keeps each optimiser that it is given, with two moments of each weight."""
    accelerator, model, peaks = Accelerator(cpu=True), classifier(40_000), []
    loop.train(classifier(), [STEP], HYPERPARAMETERS, accelerator, Padding(0))  # libraries that the first one loads
    peak = PeakMemory(False)
    for _ in range(3):
        loop.train(model, [STEP] * 2, HYPERPARAMETERS, accelerator, Padding(0))
        peaks.append(peak.bytes())
    assert peaks[0] > 12 * 40_000 * 256 and peaks[2] < 1.4 * peaks[0]  # else 2.3 times; an allocator may leave gaps
    assert [adam() for adam in optimizers] == [None] * 4


def test_nothing_of_an_optimiser_is_held_where_a_training_ends_by_an_error(optimizers):
    def failing(model, state):
        assert optimizers[0]()
        raise InterruptedError

    accelerator = Accelerator(cpu=True)
    with pytest.raises(InterruptedError):
        loop.train(classifier(), [STEP], HYPERPARAMETERS, accelerator, Padding(0), watches=[failing])
    gc.collect()  # the error's frames
    assert optimizers[0]() is None


def test_costs_count_what_the_model_saw(decoder_folder):
    run, built = steps_of(str(decoder_folder), budget="40")
    state = loop.train(run.model.load(), built.steps, HYPERPARAMETERS, Accelerator(cpu=True), Padding(0, 1000))
    examples = [e for step in built.steps for e in step]
    assert [len(step) for step in built.steps] == [16, 16, 8]
    assert built.examples == 40 and state.step == 3
    assert state.tokens == sum(len(e.ids) - 1 for e in examples)
    assert state.useful == TokenCounts(
        state.tokens, sum((len(e.ids) - 1) ** 2 for e in examples), sum(e.answer for e in examples), 40
    )
    # A pass has as many places as its rows by its longest row: more than the texts' own, and less than a batch padded whole.
    whole = sum(len(step) * max(e.fed for e in step) for step in built.steps)
    assert state.tokens < state.computed.tokens <= whole and state.computed.rows == 40
    single = loop.train(run.model.load(), built.steps, HYPERPARAMETERS, Accelerator(cpu=True), Padding(0, 1))
    assert single.computed == single.useful == state.useful  # a text at a time needs no padding


def test_costs_of_an_encoder_count_all_its_windows():
    run, built = steps_of("tiny-bert", budget="8", suite="qa", max_length=96)
    windows = [e for step in built.steps for e in step]
    assert built.examples == 8 < len(windows)
    model = run.model.load(AutoModelForQuestionAnswering, num_labels=2)
    state = loop.train(model, built.steps, HYPERPARAMETERS, Accelerator(cpu=True), Padding(0, 1000))
    assert state.tokens == sum(len(e.ids) for e in windows)
    assert state.useful.positions == state.tokens and state.useful.rows == len(
        windows
    )  # a span's ends are looked for everywhere


def test_a_watch_ends_the_training_after_its_step(decoder_folder):
    run, built = steps_of(str(decoder_folder))
    model, seen = run.model.load(), []

    def watch(watched, state):
        seen.append((state.step, state.steps, watched.training))
        return state.step == 2

    state = loop.train(model, built.steps, HYPERPARAMETERS, Accelerator(cpu=True), Padding(0, 1000), watches=[watch])
    assert seen == [(1, 4, False), (2, 4, False)]  # asked without dropout
    assert state.step == len(state.losses) == 2 and not model.training
    whole = loop.train(run.model.load(), built.steps, HYPERPARAMETERS, Accelerator(cpu=True), Padding(0, 1000))
    assert whole.losses[:2] == state.losses  # the schedule is the whole budget's


@pytest.mark.parametrize(("name", "noisy"), [("full", [True, True]), ("frozen", [False, True]), ("lora-8bit", [True, True])])
def test_dropout_is_off_below_the_lowest_trained_weight(name, noisy, encoder, library):
    """The same text twice in training mode: what comes out of each of two blocks, and of the embeddings under them."""
    settings = {"full": {}, "frozen": {"frozen": 1}, "lora-8bit": {"bits": 32}}[name]
    strategy = load_strategy(library.strategy(name), "encoder", settings)
    model = strategy.adapt(encoder.load(AutoModelForSequenceClassification, num_labels=2), "encoder")
    places = [next(m for n, m in model.named_modules() if n.endswith("bert.embeddings")), *layers(model)]
    seen = {place: [] for place in places}
    for place in places:
        place.register_forward_hook(lambda m, args, out: seen[m].append((out[0] if isinstance(out, tuple) else out).detach()))
    step = [Encoded((101, 2003, 2023, 2204, 102), labels=(1,))]
    still = Hyperparameters(learning_rate=1e-12)
    loop.train(model, [step] * 3, still, Accelerator(cpu=True), Padding(0), watches=[lambda *_: False])
    differ = [not torch.equal(first, third) for first, _, third in seen.values()]
    assert differ == [name == "full", *noisy]


def test_label_smoothing_follows_the_trainer(tmp_path):
    run, built = steps_of("tiny-bert")
    smooth = HYPERPARAMETERS.model_copy(update={"label_smoothing": 0.1})
    model = undropped(run, AutoModelForSequenceClassification, num_labels=2)
    state = loop.train(model, built.steps, smooth, Accelerator(cpu=True), Padding(0, 10_000))
    rows = [{"input_ids": list(e.ids), "labels": e.labels[0]} for step in built.steps for e in step]
    collator = transformers.DataCollatorWithPadding(run.model.tokenizer)
    model = undropped(run, AutoModelForSequenceClassification, num_labels=2)
    expected = trainer_losses(model, rows, collator, tmp_path, run.batch, label_smoothing_factor=0.1)
    assert state.losses == pytest.approx(expected.values, rel=1e-4)


BEGUN = [
    [
        Encoded((*range(100, 130), *range(200 + n, 209 + n + n % 3)), answer=1 + n % 2, weight=1 / (1 + n % 2))
        for n in range(first, first + 16)
    ]
    for first in (0, 16, 32)
]
"""Texts of 30 tokens in common and 9 to 11 of their own."""


def trained_on(model, steps, *more, hyperparameters=HYPERPARAMETERS):
    return loop.train(model, steps, hyperparameters, Accelerator(cpu=True), Padding(0, *more))


def test_what_texts_begin_with_is_read_once_and_nothing_else_differs(decoder, monkeypatch):
    """Budgets know nothing of it: what is useful of a text is all of it."""
    models = decoder.load(), decoder.load(), decoder.load()
    once = trained_on(models[0], BEGUN)
    compiled = trained_on(models[2], BEGUN[:1], hyperparameters=HYPERPARAMETERS.model_copy(update={"compile": True}))
    monkeypatch.setattr(loop, "shares_beginnings", lambda model: False)
    whole = trained_on(models[1], BEGUN)
    assert once.losses == pytest.approx(whole.losses, rel=1e-6)
    assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(models[0].parameters(), models[1].parameters(), strict=True))
    assert (once.useful, once.tokens, once.computed.positions) == (whole.useful, whole.tokens, whole.computed.positions)
    assert once.computed.tokens == whole.computed.tokens - 3 * 15 * 30 < whole.tokens
    assert compiled.computed.tokens == whole.computed.tokens / 3
    small = trained_on(decoder.load(), BEGUN, 100)  # by the bound that a memory ceiling sets
    assert small.losses == pytest.approx(whole.losses, rel=1e-6)
