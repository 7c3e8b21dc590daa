"""Faults planted in the engine's own code, one at a time: a self-test that every run makes must notice each.

Those of a kind of probe are put to the self-tests of the untouched base, those of a run to a whole small run, whose record is
failed where a check does not hold. Without a fault all of it holds.
"""

import functools
from contextlib import nullcontext
from dataclasses import replace
from itertools import pairwise

import pytest
import sklearn.metrics
import sklearn.preprocessing
import torch
import transformers
import yaml
from caches import linked_cache
from sklearn.preprocessing import FunctionTransformer
from ways import own_task

from bench import folders
from bench.inference import contexts, embeddings, generation, likelihood, local, masked, passages, predictions, prefix_cache
from bench.inference.evalset import EvalSet
from bench.inference.local import LocalBackend
from bench.measuring import best_wording, kept_base
from bench.modeling import forward, models
from bench.modeling.replay import fixed_blocks
from bench.planning import plan
from bench.planning.options import PlanOptions
from bench.probes import lm_loss, probe_class, similarity
from bench.probes.base import Probe
from bench.probes.cloze import Cloze
from bench.probes.drift import Drift
from bench.probes.minimal_pairs import MinimalPairs
from bench.probes.multiple_choice import MultipleChoice
from bench.probes.pseudo_perplexity import PseudoPerplexity
from bench.probes.similarity import Similarity
from bench.progress import Progress
from bench.running import perform
from bench.selftests.probe_tests import all_tests
from bench.tasks import plain_encodings
from bench.tasks.encoding import Encoding
from bench.tasks.types import classification, dialogue, ner
from bench.tokens import batches
from bench.tokens.shared_prefixes import Branch

pytestmark = pytest.mark.slow

DECODER = "a random decoder"
SHALLOW = "SmolLM2's first blocks"
PROBES = {
    "lm-loss": (DECODER, "wikipedia", {}),
    "cloze": (DECODER, "lambada", {}),
    "multiple-choice": (DECODER, "arc-easy", {}),
    "normalised": (DECODER, "openbookqa", {"options": {"normalised": "characters"}}),
    "minimal-pairs": (DECODER, "spelling", {}),
    "closed-book": (DECODER, "jeopardy", {}),
    "drift of a decoder": (DECODER, "drift", {}),
    "lm-loss of SmolLM2": (SHALLOW, "wikipedia", {}),
    "cloze of SmolLM2": (SHALLOW, "lambada", {}),
    "similarity": ("minilm", "mrpc", {}),
    "pseudo-perplexity": ("tiny-bert", "mrpc-sentences", {}),
    "linear-probe": ("tiny-bert", "medical-subjects", {"options": {"train": 48}}),
    "drift": ("tiny-bert", "drift", {}),
}


LENGTHS = {DECODER: 512, SHALLOW: 64}


@pytest.fixture(scope="module")
def folders_of(decoder_folder, shallow_folder):
    """Of the models that tests make."""
    return {DECODER: str(decoder_folder), SHALLOW: str(shallow_folder)}


@pytest.fixture(scope="module")
def base(library, folders_of):
    """A model and its untouched weights."""

    @functools.cache
    def loaded(name):
        model = models.find_model(folders_of.get(name, name), library)
        auto = transformers.AutoModelForCausalLM if model.family == "decoder" else transformers.AutoModel
        return model, model.load(auto).eval()

    return loaded


@pytest.fixture
def broken(library, base):
    """The self-tests of a kind that do not hold on a few short items."""

    def tests(kind):
        name, probe, more = PROBES[kind]
        model, net = base(name)
        spec = library.probe(probe).model_copy(update=more)
        made = probe_class(spec)(spec, Encoding(model, LENGTHS.get(name, 96)), 5)
        return [name for name, held in all_tests(made, net).items() if not held]

    return tests


# Faults in what all ways share. Each gets pytest's monkeypatch.


def one_place_early(patch):
    sound = likelihood.last_logits

    def early(model, batch, positions, cache=None):
        logits = sound(model, batch, positions + 1, cache)
        return logits[:, -positions - 1 : -1] if logits.shape[1] > positions else logits.roll(1, 1)

    patch.setattr(likelihood, "last_logits", early)
    losses = forward.token_losses  # of texts that are read whole, whose logits are made at their targets
    patch.setattr(forward, "token_losses", lambda logits, labels, *smoothing: losses(logits.roll(1, 1), labels, *smoothing))


def requests_as(name, change):
    """Requests of log-likelihoods, each (context, continuation) changed on its way to the model."""

    def planted(patch):
        sound = local.likelihoods
        patch.setattr(local, "likelihoods", lambda m, requests, *a: sound(m, [change(*r) for r in requests], *a))

    planted.__name__ = name
    return planted


context_lost = requests_as("context_lost", lambda context, answer: (context[-1:], answer))
context_without_its_last_token = requests_as(
    "context_without_its_last_token", lambda context, answer: (context[:-1] or context, answer)
)
context_without_its_first_half = requests_as(
    "context_without_its_first_half", lambda context, answer: (context[len(context) // 2 :], answer)
)
prompt_scored_too = requests_as("prompt_scored_too", lambda context, answer: (context[:1], context[1:] + answer))
last_token_unscored = requests_as("last_token_unscored", lambda context, answer: (context, answer[:-1] or answer))


def padded_on_the_wrong_side(patch):
    sound = prefix_cache.left_padded

    def right(rows, pad, before, device):
        batch = sound([row[::-1] for row in rows], pad, before, device)
        read = 0 if before is None else before.shape[1]
        flipped = torch.cat([batch.attention_mask[:, :read], batch.attention_mask[:, read:].flip(1)], 1)
        return replace(batch, input_ids=batch.input_ids.flip(1), attention_mask=flipped)

    patch.setattr(prefix_cache, "left_padded", right)


def padding_is_read(patch):
    sound = batches.collate

    def careless(*a):
        batch = sound(*a)
        return replace(batch, attention_mask=torch.ones_like(batch.attention_mask))

    patch.setattr(batches, "collate", careless)


def another_questions_keys(patch):
    sound = prefix_cache.Reading.state
    patch.setattr(prefix_cache.Reading, "state", lambda self, layer, rows: sound(self, layer, torch.zeros_like(rows)))


def a_prefix_that_is_not_shared(patch):
    def careless(sequences, limits, sharing):
        return Branch((), [], [Branch(sequences[0][: min(limits) - 1], [*range(len(sequences))])])

    patch.setattr(likelihood, "root", careless)


def answers_in_the_wrong_order(patch):
    sound = LocalBackend._answered
    patch.setattr(LocalBackend, "_answered", lambda *a: sound(*a)[::-1])


def answers_kept_without_their_model(patch):
    kept = {}
    for name in ("loglikelihoods", "losses", "embeddings"):
        sound = getattr(LocalBackend, name)

        def stale(self, requests, *a, sound=sound, name=name, **more):
            key = (name, str(requests))
            kept.setdefault(key, sound(self, requests, *a, **more))
            return kept[key]

        patch.setattr(LocalBackend, name, stale)


def cut_at_the_end(patch):
    patch.setattr(Encoding, "fitted", lambda self, ids, answer=0, solved=0: tuple(ids[: self.max_length - answer + solved]))


def cut_at_the_start(patch):
    patch.setattr(Encoding, "fitted", lambda self, ids, answer=0, solved=0: tuple(ids[-(self.max_length - answer + solved) :]))


def encodings_kept_without_their_length(patch):
    """As an encoding that is cached by what is encoded would be."""
    for name in ("fitted", "whole"):
        kept, sound = {}, getattr(Encoding, name)

        def stale(self, what, kept=kept, sound=sound, **more):
            return kept.setdefault(str(what), sound(self, what, **more))

        patch.setattr(Encoding, name, stale)


# Faults of single kinds.


def labels_shifted(patch):
    sound = forward.token_losses

    def shifted(logits, labels, *smoothing):
        return sound(logits, labels.roll(1, dims=1), *smoothing)

    patch.setattr(forward, "token_losses", shifted)


def windows_that_do_not_overlap(patch):
    def cuts(length, size):
        starts = range(0, length - 1, size - 1)
        return [(start, min(start + size, length), min(size, length - start) - 1) for start in starts]

    patch.setattr(passages, "windows", cuts)


def tokens_counted_twice(patch):
    sound = passages.windows
    patch.setattr(passages, "windows", lambda *a: [(start, end, end - start - 1) for start, end, _ in sound(*a)])


def short_passages_weigh_as_long_ones(patch):
    patch.setattr(Probe, "score", lambda self, items: float(items["value"].mean()))


def bits_per_token(patch):
    patch.setattr(
        lm_loss, "bits_per_byte", lambda items: float((items["value"] * items["weight"]).sum() / items["weight"].sum())
    )


def no_space_before_the_word(patch):
    sound = Cloze.requests
    patch.setattr(Cloze, "requests", lambda self, pairs: sound(self, [(a, b.strip()) for a, b in pairs]))


def normalised_where_it_should_not(patch):
    patch.setattr(MultipleChoice, "_length", lambda self, choice: len(choice))


def not_normalised(patch):
    patch.setattr(MultipleChoice, "_length", lambda self, choice: 1)


def normalised_with_the_space(patch):
    patch.setattr(MultipleChoice, "_length", lambda self, choice: len(choice) + 1)


def gold_moved_by_one(patch):
    sound = MultipleChoice.measure

    def moved(self, backend):
        other = self.part(range(len(self.rows)))
        other.rows = [dict(row, gold=str((int(row["gold"]) + 1) % len(row["choices"]))) for row in self.rows]
        return sound(other, backend)

    patch.setattr(MultipleChoice, "measure", moved)


def good_and_bad_swapped(patch):
    sound = MinimalPairs.requests
    patch.setattr(MinimalPairs, "requests", lambda self, pairs: sound(self, pairs)[::-1])


def first_token_unscored(patch):
    sound = MinimalPairs.requests
    patch.setattr(MinimalPairs, "requests", lambda self, pairs: [((*a, b[0]), b[1:]) for a, b in sound(self, pairs)])


def first_token_instead_of_the_mean(patch):
    def means(model, texts, pad, tokens, every_layer=False):
        found = []
        for text in texts:
            out = embeddings.askable_backbone(model)(input_ids=torch.tensor([text.ids]), output_hidden_states=True)
            found.append(torch.stack(out.hidden_states if every_layer else [out.last_hidden_state])[:, 0, 0])
        return torch.stack(found)

    patch.setattr(local, "layer_means", torch.inference_mode()(means))


def a_layer_too_low(patch):
    sound = local.layer_means
    patch.setattr(
        local, "layer_means", lambda m, t, p, n, every=False: sound(m, t, p, n, True)[:, slice(-2, -1) if not every else ...]
    )


def an_encoders_text_without_its_start(patch):
    sound = Encoding.whole

    def whole(self, texts):
        self.model.tokenizer.truncation_side = "left"
        try:
            return sound(self, texts)
        finally:
            self.model.tokenizer.truncation_side = "right"

    patch.setattr(Encoding, "whole", whole)


def pairs_mixed_up(patch):
    sound = similarity.nn.functional.cosine_similarity
    patch.setattr(similarity.nn.functional, "cosine_similarity", lambda a, b: sound(a, b.roll(1, 0)))


def paraphrases_taken_for_others(patch):
    sound = sklearn.metrics.roc_auc_score
    patch.setattr(sklearn.metrics, "roc_auc_score", lambda gold, values: sound(~gold, values))


def pairs_forget_their_model(patch):
    kept, sound = {}, Similarity.measure
    patch.setattr(Similarity, "measure", lambda self, b: kept.setdefault(len(self.rows), sound(self, b)))


def nothing_masked(patch):
    sound = PseudoPerplexity._masked

    def shown(self):
        texts, owners = sound(self)
        return [replace(t, ids=tuple(a if a >= 0 else b for a, b in zip(t.labels, t.ids, strict=True))) for t in texts], owners

    patch.setattr(PseudoPerplexity, "_masked", shown)


def the_bases_own_backbone(patch):
    patch.setattr(masked, "askable_backbone", lambda model: base_backbone(model))

    @functools.cache
    def base_backbone(model):
        return type(model)(model.config).eval()


def features_as_they_come(patch):
    patch.setattr(sklearn.preprocessing, "StandardScaler", FunctionTransformer)


def compared_with_itself(patch):
    sound = Drift.scores
    patch.setattr(Drift, "scores", lambda self, before, after: sound(self, before, before))


OF_PROBES = [
    (one_place_early, ["cloze", "multiple-choice", "minimal-pairs", "closed-book", "lm-loss", "cloze of SmolLM2"]),
    (context_lost, ["cloze", "multiple-choice", "closed-book", "cloze of SmolLM2"]),
    (context_without_its_last_token, ["cloze", "multiple-choice", "closed-book"]),
    (context_without_its_first_half, ["cloze", "multiple-choice"]),
    (prompt_scored_too, ["cloze", "closed-book"]),
    (last_token_unscored, ["multiple-choice", "minimal-pairs"]),
    (padded_on_the_wrong_side, ["cloze", "multiple-choice"]),
    (padding_is_read, ["lm-loss", "similarity", "drift", "drift of a decoder"]),
    (another_questions_keys, ["multiple-choice"]),
    (a_prefix_that_is_not_shared, ["cloze"]),
    (answers_in_the_wrong_order, ["cloze", "lm-loss", "similarity", "linear-probe"]),
    (answers_kept_without_their_model, ["cloze", "multiple-choice", "minimal-pairs", "closed-book", "linear-probe", "drift"]),
    (cut_at_the_end, ["cloze", "closed-book"]),
    (cut_at_the_start, ["cloze", "multiple-choice"]),
    (encodings_kept_without_their_length, ["cloze", "similarity"]),
    (labels_shifted, ["lm-loss", "lm-loss of SmolLM2"]),
    (windows_that_do_not_overlap, ["lm-loss"]),
    (tokens_counted_twice, ["lm-loss"]),
    (short_passages_weigh_as_long_ones, ["lm-loss"]),
    (bits_per_token, ["lm-loss"]),
    (no_space_before_the_word, ["cloze"]),
    (normalised_where_it_should_not, ["multiple-choice"]),
    (not_normalised, ["normalised"]),
    (normalised_with_the_space, ["normalised"]),
    (gold_moved_by_one, ["multiple-choice"]),
    (good_and_bad_swapped, ["minimal-pairs"]),
    (first_token_unscored, ["minimal-pairs"]),
    (first_token_instead_of_the_mean, ["similarity", "linear-probe"]),
    (a_layer_too_low, ["similarity", "linear-probe"]),
    (an_encoders_text_without_its_start, ["similarity", "drift"]),
    (pairs_mixed_up, ["similarity"]),
    (paraphrases_taken_for_others, ["similarity"]),
    (pairs_forget_their_model, ["similarity"]),
    (nothing_masked, ["pseudo-perplexity"]),
    (the_bases_own_backbone, ["pseudo-perplexity"]),
    (features_as_they_come, ["linear-probe"]),
    (compared_with_itself, ["drift"]),
]


@pytest.mark.parametrize("kind", PROBES)
def test_a_sound_probe_passes(broken, kind):
    assert broken(kind) == []


@pytest.mark.parametrize(
    ("fault", "kind"), [(fault, kind) for fault, kinds in OF_PROBES for kind in kinds], ids=lambda v: getattr(v, "__name__", v)
)
def test_a_fault_in_a_probe_is_noticed(broken, monkeypatch, fault, kind, record_property):
    fault(monkeypatch)
    found = broken(kind)
    record_property("noticed by", found)
    print(f"{fault.__name__} | {kind} | {', '.join(found)}")
    assert found


# Faults of a run.


@pytest.fixture(scope="module")
def chats(tmp_path_factory):
    """The suite of chats, whose conversations are short: of ten turns with long answers a run takes half a minute."""
    folder = tmp_path_factory.mktemp("chats")
    (folder / "tasks").mkdir()
    own_task(folder, "chats", "coqa-chat", options={"answer_tokens": 6, "turns": 4})
    suite = {"name": "chats", "version": 1, "description": "short", "models": ["smollm2"], "tasks": ["chats"]}
    given = {"strategies": ["zero-shot"], "probes": ["lambada"], "batch": 16}
    (folder / "chats.yaml").write_text(yaml.safe_dump(suite | given))
    return str(folder / "chats.yaml")


@pytest.fixture
def failed(device, folders_of, chats, tmp_path, monkeypatch):
    """The checks that do not hold in a small run with a cache of its own, which its next run shares."""
    cache = linked_cache(tmp_path / "cache", folders.cache())
    monkeypatch.setenv("TUNEBENCH_CACHE", str(cache))
    monkeypatch.setattr(best_wording, "VALIDATION_ITEMS", 2)  # which wording is chosen is no matter here
    monkeypatch.setattr(plain_encodings, "_made_of", lambda example: {})  # what is trained on is made under the fault

    def checks(suite="sentiment", model="tiny-bert", strategy="full", settings=(), asked_in="fp32", items=6, **changed):
        options = PlanOptions(
            chats if suite == "chat" else suite,
            model=folders_of.get(model, model),
            strategies=[strategy],
            budget="16",
            probe_items=3,
            test_items=items,
            settings=settings,
        )
        run = plan.plan(options, "fp32")[0]
        probes = tuple(p for p in run.probes if p[0].name in ("mrpc", "lambada"))
        run = replace(run, probes=probes, also=(), others=(), paraphrase_items=2, **{"max_length": 96, **changed})
        record, _ = perform.perform(run, replace(device, precision=asked_in), Progress(False, 1))
        return [name for name, held in record.trust.checks.items() if not held]

    return checks


LORA = ("bits=32", "peft={peft_type: LORA, r: 4, target_modules: all-linear}", "learning_rate=0.02")
PROMPT = ("bits=32", "peft={peft_type: PROMPT_TUNING, num_virtual_tokens: 4}", "learning_rate=0.1")
PREFIX = ("bits=32", "peft={peft_type: PREFIX_TUNING, num_virtual_tokens: 4}", "learning_rate=0.1")
ENCODER = {"strategy": "lora-8bit", "settings": LORA}
ADAPTED = {"model": DECODER, "strategy": "lora-8bit", "settings": LORA}
RANKED = {"model": DECODER, "strategy": "zero-shot"}
INSTRUCTED = {"model": DECODER, "strategy": "instruction"}
READ = {"suite": "corpus", **RANKED}
WRITTEN = {"suite": "translation", **RANKED, "max_length": 160}
CHAT = {"suite": "chat", **RANKED, "model": SHALLOW, "items": 3, "max_length": 768}
# Where numbers are rounded more, more of a difference is let pass, but no fault.
HALF = {"asked_in": "bf16"}
HALF_RANKED = {**HALF, "model": SHALLOW, "strategy": "zero-shot"}
REPLAYED = {**HALF, "model": SHALLOW, "strategy": "frozen"}
EIGHT_BIT = {"model": SHALLOW, "strategy": "lora-8bit", "settings": ("learning_rate=0.02",)}


def adapter_off(patch):
    sound = LocalBackend._answered

    def off(self, *a):
        with self.module.disable_adapter() if hasattr(self.module, "disable_adapter") else nullcontext():
            return sound(self, *a)

    patch.setattr(LocalBackend, "_answered", off)


def adapter_twice(patch):
    sound = LocalBackend._answered

    def scaled(self, factor):
        for layer in (m for m in self.module.modules() if hasattr(m, "scaling") and isinstance(m.scaling, dict)):
            layer.scaling = {name: value * factor for name, value in layer.scaling.items()}

    def twice(self, *a):
        scaled(self, 2)
        try:
            return sound(self, *a)
        finally:
            scaled(self, 0.5)

    patch.setattr(LocalBackend, "_answered", twice)


def trained_and_then(name, change):
    def planted(patch):
        sound = perform.train_stages

        def train(session, before, model, state):
            state = sound(session, before, model, state)
            change(model)
            return state

        patch.setattr(perform, "train_stages", train)

    planted.__name__ = name
    return planted


@torch.no_grad()
def merged_and_active(model):
    for layer in (m for m in model.modules() if hasattr(m, "get_delta_weight") and hasattr(m, "base_layer")):
        layer.base_layer.weight.add_(layer.get_delta_weight("default"))


adapter_merged_and_still_active = trained_and_then("adapter_merged_and_still_active", merged_and_active)
adapter_off_for_good = trained_and_then("adapter_off_for_good", lambda model: model.base_model.disable_adapter_layers())


def adapter_that_is_no_identity(patch):
    sound = perform.adapted

    def adapted(*a):
        model = sound(*a)
        for name, weight in model.named_parameters():
            if "lora_B" in name:
                torch.nn.init.normal_(weight, std=0.02)
        return model

    patch.setattr(perform, "adapted", adapted)


def virtual_tokens_unread(patch):
    patch.setattr(embeddings, "prompt_learning", lambda model: False)


def labels_swapped(patch):
    sound = classification.Classification.judge
    patch.setattr(
        classification.Classification, "judge", lambda self, e, w, logits: sound(self, e, w, [-row for row in logits])
    )


def labels_swapped_in_ranking(patch):
    sound = predictions._predict_by_ranking

    def swapped(backend, evalset):
        labels = evalset.task.spec.labels
        return [replace(p, value=labels[1 - labels.index(p.value)]) for p in sound(backend, evalset)]

    patch.setattr(predictions, "_predict_by_ranking", swapped)


def the_next_items_answer(patch):
    for name in ("_predict_by_head", "_predict_by_ranking"):
        sound = getattr(predictions, name)
        patch.setattr(predictions, name, lambda b, e, sound=sound: (found := sound(b, e))[1:] + found[:1])


def an_encoder_padded_as_a_decoder(patch):
    sound = batches.collate

    def left(encoded, pad, device):
        batch = sound(encoded, pad, device)
        if encoded[0].decodes:
            return batch
        turned = [row.roll(int((1 - mask).sum())) for row, mask in zip(batch.input_ids, batch.attention_mask, strict=True)]
        return replace(batch, input_ids=torch.stack(turned), attention_mask=batch.attention_mask.flip(1))

    patch.setattr(batches, "collate", left)


def solved_examples_lost(patch):
    patch.setattr(contexts, "solved", lambda task, shots: "")


def another_wording(patch):
    patch.setattr(EvalSet, "place", lambda self, index: index + 1)


def asked_as_in_training(patch):
    sound = Encoding.prompt
    patch.setattr(Encoding, "prompt", lambda self, t, e, w, split, *a: sound(self, t, e, w, "train", *a))


def answers_without_their_space(patch):
    patch.setattr(Encoding, "answer", lambda self, text, wording: self.ids(text, special=False))


def tags_of_the_next_piece(patch):
    sound = ner.Ner.judge
    patch.setattr(ner.Ner, "judge", lambda self, e, w, logits: sound(self, e, w, [row.roll(-1, 0) for row in logits]))


def descriptions_swapped(patch):
    def swapped(self, example):
        return dict(zip(self.spec.labels, [self.spec.answers[label] for label in self.spec.labels[::-1]], strict=True))

    patch.setattr(classification.Classification, "candidates", swapped)


def a_token_too_many(patch):
    sound = predictions._predict_by_reading

    def read(backend, evalset):
        return [replace(p, value=[p.value[0], p.value[1] + 1, p.value[2]]) for p in sound(backend, evalset)]

    patch.setattr(predictions, "_predict_by_reading", read)


def the_next_items_reference(patch):
    sound = contexts.references
    patch.setattr(predictions, "references", lambda evalset: (found := sound(evalset))[1:] + found[:1])


def the_last_answer_judged_alone(patch):
    patch.setattr(dialogue.Dialogue, "earlier", lambda self, example: [])


def questions_judged_as_answers(patch):
    sound = predictions._loss_per_spoken_token
    patch.setattr(
        predictions, "_loss_per_spoken_token", lambda said, reference: sound(said, reference and replace(reference, silent=()))
    )


def references_one_place_early(patch):
    sound = generation.pass_likelihoods

    def early(model, reading, rows, *limits):
        moved = [(row, replace(each, continuations=[(*w[1:], w[0]) for w in each.continuations]), n) for row, each, n in rows]
        found = sound(model, reading, moved, *limits)
        return {(context, (words[-1], *words[:-1])): likely for (context, words), likely in found.items()}

    patch.setattr(generation, "pass_likelihoods", early)


def states_of_the_text_before(patch):
    sound = fixed_blocks.FixedBlocks._states

    def moved(self, reader, asked):
        states = sound(self, reader, asked)
        return [before[: len(own)] if len(before) >= len(own) else own for before, own in pairwise([states[-1], *states])]

    patch.setattr(fixed_blocks.FixedBlocks, "_states", moved)


OF_RUNS = [
    (adapter_off, ENCODER),
    (adapter_off, ADAPTED),
    (adapter_off, {**ADAPTED, "model": SHALLOW}),
    (adapter_twice, ENCODER),
    (adapter_twice, ADAPTED),
    (adapter_merged_and_still_active, ENCODER),
    (adapter_merged_and_still_active, ADAPTED),
    (adapter_off_for_good, ENCODER),
    (adapter_off_for_good, ADAPTED),
    (adapter_that_is_no_identity, ENCODER),
    (virtual_tokens_unread, {"strategy": "lora-8bit", "settings": PROMPT}),
    (labels_swapped, {}),
    (labels_swapped_in_ranking, RANKED),
    (the_next_items_answer, {}),
    (the_next_items_answer, {**RANKED, "model": SHALLOW}),
    (an_encoder_padded_as_a_decoder, {}),
    (padding_is_read, {}),
    (padded_on_the_wrong_side, {"suite": "qa", **RANKED, "model": SHALLOW}),
    (context_lost, RANKED),
    (context_lost, {**RANKED, "model": SHALLOW}),
    (prompt_scored_too, RANKED),
    (one_place_early, RANKED),
    (solved_examples_lost, {"model": SHALLOW, "strategy": "few-shot"}),
    (another_wording, {**INSTRUCTED, "model": SHALLOW}),
    (asked_as_in_training, {**INSTRUCTED, "model": SHALLOW}),
    (answers_without_their_space, RANKED),
    (tags_of_the_next_piece, {"suite": "ner"}),
    (descriptions_swapped, {"strategy": "zero-shot"}),
    (labels_shifted, READ),
    (a_token_too_many, READ),
    (the_next_items_reference, WRITTEN),
    (references_one_place_early, WRITTEN),
    (the_last_answer_judged_alone, CHAT),
    (questions_judged_as_answers, CHAT),
    (labels_swapped, HALF),
    (labels_swapped_in_ranking, HALF_RANKED),
    (the_next_items_answer, HALF_RANKED),
    (context_lost, HALF_RANKED),
    (one_place_early, HALF_RANKED),
    (solved_examples_lost, {**HALF_RANKED, "strategy": "few-shot"}),
    (adapter_that_is_no_identity, {**ENCODER, **HALF}),
    (adapter_off, {**ADAPTED, **HALF, "model": SHALLOW}),
    (states_of_the_text_before, REPLAYED),
    (the_next_items_answer, REPLAYED),
    (context_lost, EIGHT_BIT),
    (adapter_off, EIGHT_BIT),
    (adapter_that_is_no_identity, EIGHT_BIT),
]


def worded(value):
    """A fault's or a run's name in the test's."""
    if isinstance(value, dict):
        return "-".join(str(value[key]) for key in ("suite", "model", "strategy", "asked_in") if key in value)
    return getattr(value, "__name__", value)


SOUND = [*{str(run): run for _, run in OF_RUNS}.values(), {"strategy": "lora-8bit", "settings": PREFIX}]


@pytest.mark.parametrize("run", SOUND, ids=worded)
def test_a_sound_run_passes(failed, run):
    assert failed(**run) == []


@pytest.mark.parametrize(("fault", "run"), OF_RUNS, ids=worded)
def test_a_fault_in_a_run_is_noticed(failed, monkeypatch, fault, run):
    fault(monkeypatch)
    found = failed(**run)
    print(f"{getattr(fault, '__name__', fault)} | {run} | {', '.join(found)}")
    assert found


def key_without(patch, name):
    """A cache of the base's answers that forgets part of what they hang on."""
    digest = kept_base.digest
    patch.setattr(kept_base, "digest", lambda question: digest({k: v for k, v in question.items() if k != name}))


@pytest.mark.parametrize(
    ("forgotten", "first", "second"),
    [
        # Rounding to 8 bit moves tiny-bert's similarities by less than the tolerance.
        ("bits", {"model": SHALLOW, "strategy": "zero-shot"}, {"model": SHALLOW, "strategy": "lora-8bit"}),
        ("max_length", {}, {"max_length": 24}),
        ("model", {}, {"model": "minilm"}),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_a_stale_cache_of_the_base_is_noticed(failed, monkeypatch, forgotten, first, second):
    """Answers of another precision, of texts that were cut otherwise, of another model."""
    assert failed(**first) == [] == failed(**second)
    key_without(monkeypatch, forgotten)
    failed(**first)
    found = failed(**second)
    print(f"cache without {forgotten} | {second} | {', '.join(found)}")
    assert found
