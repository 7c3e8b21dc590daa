"""What a small model writes that has learned a few texts: batched, alone, and token by token by hand."""

import math
from types import SimpleNamespace

import pytest
import torch
from accelerate import Accelerator
from transformers import GenerationConfig

from bench.inference import generation
from bench.inference.backend import Prompt
from bench.inference.generation import generate, newlines
from bench.inference.likelihood import likelihoods
from bench.inference.lockstep import Lockstep
from bench.modeling import models
from bench.strategies.base import Hyperparameters
from bench.tokens.encoded import Encoded
from bench.training import loop

SAID = {
    "a film": " good\nor bad",
    "another and longer text about a film": " dull and long",
    "the dog": "\n never seen",
    "the cat of the house": " seen. \n seen again\n",
}


def wrote(model, tokenizer, contexts, *limits, **named):
    return generate(model, tokenizer, [Prompt(tuple(ids)) for ids in contexts], *limits, **named)


@pytest.fixture(scope="module")
def contexts(decoder):
    return [decoder.tokenizer(text)["input_ids"] for text in SAID]


@pytest.fixture(scope="module")
def writer(decoder, contexts):
    """Trained until it says these texts, each up to an end token."""
    tokenizer, model = decoder.tokenizer, decoder.load()
    answers = [[*tokenizer(text, add_special_tokens=False)["input_ids"], tokenizer.eos_token_id] for text in SAID.values()]
    step = [Encoded((*ids, *answer), answer=len(answer)) for ids, answer in zip(contexts, answers, strict=True)]
    fast = Hyperparameters(learning_rate=0.01, schedule="constant", warmup=0.1)
    state = loop.train(model, [step] * 80, fast, Accelerator(cpu=True), loop.Padding(tokenizer.pad_token_id))
    assert state.losses[-1] < 0.1
    return model.eval()


def by_hand(model, context, longest, ends):
    """Greedy, everything fed anew for each token: (tokens with the end, product of their probabilities)."""
    ids, product = list(context), 1.0
    for _ in range(longest):
        with torch.no_grad():
            shares = model(torch.tensor([ids])).logits[0, -1].double().softmax(-1)
        ids.append(int(shares.argmax()))
        product *= shares.max().item()
        if ids[-1] in ends:
            break
    return ids[len(context) :], product


@pytest.mark.parametrize("tokens", [1000, 40])
@pytest.mark.parametrize("longest", [2, 12])
@pytest.mark.parametrize("one_line", [True, False])
def test_batched_is_one_by_one_is_by_hand(decoder, writer, contexts, one_line, longest, tokens):
    tokenizer = decoder.tokenizer
    together = wrote(writer, tokenizer, contexts, longest, tokens, one_line)
    ends = {tokenizer.eos_token_id, *(newlines(tokenizer) if one_line else ())}
    for found, context in zip(together, contexts, strict=True):
        (alone,) = wrote(writer, tokenizer, [context], longest, tokens, one_line)
        assert found.text == alone.text and found.confidence == pytest.approx(alone.confidence, rel=1e-4)
        ids, product = by_hand(writer, context, longest, ends)
        assert found.finished is alone.finished is (ids[-1] in ends)
        text = tokenizer.decode(ids, skip_special_tokens=True)
        assert found.text == (text.lstrip().split("\n")[0] if one_line else text).strip()
        assert found.confidence == pytest.approx(product, rel=1e-4)


def test_what_was_learned_is_written_to_the_end_of_the_line_or_of_the_text(decoder, writer, contexts):
    lines = wrote(writer, decoder.tokenizer, contexts, 16, 1000, one_line=True)
    assert [found.text for found in lines] == ["good", "dull and long", "", "seen."]
    texts = wrote(writer, decoder.tokenizer, contexts, 16, 1000, one_line=False)
    assert [found.text for found in texts] == [text.strip() for text in SAID.values()]
    assert all(
        line.confidence > text.confidence > 0.5 for line, text in zip(lines, texts, strict=True) if line.text != text.text
    )


def test_no_more_than_so_many_tokens(decoder, writer, contexts):
    for longest in (1, 3):
        for found, said in zip(wrote(writer, decoder.tokenizer, contexts, longest, 1000, False), SAID.values(), strict=True):
            ids = decoder.tokenizer(said, add_special_tokens=False)["input_ids"][:longest]
            assert found.text == decoder.tokenizer.decode(ids).strip()


def test_no_context_writes_nothing(decoder, writer):
    assert wrote(writer, decoder.tokenizer, [], 5, 100, True) == []


def test_line_breaks_inside_tokens_are_found(decoder):
    tokenizer = decoder.tokenizer
    found = newlines(tokenizer)
    assert tokenizer("\n", add_special_tokens=False)["input_ids"][0] in found
    assert all("\n" in tokenizer.decode([i]) for i in found) and len(found) < 20


def test_a_checkpoints_recommendations_change_nothing(writer, decoder, contexts, tmp_path, library):
    writer.save_pretrained(tmp_path)
    decoder.tokenizer.save_pretrained(tmp_path)
    told = GenerationConfig(
        repetition_penalty=9.0, no_repeat_ngram_size=1, suppress_tokens=list(range(3, 900)), min_new_tokens=9
    )
    told.save_pretrained(tmp_path)
    model = models.find_model(str(tmp_path), library).load().eval()
    assert wrote(model, decoder.tokenizer, contexts, 12, 1000, False) == wrote(
        writer, decoder.tokenizer, contexts, 12, 1000, False
    )


@pytest.mark.parametrize("named", [7, [2, 7]])
@pytest.mark.parametrize("one_line", [True, False])
def test_a_text_ends_where_the_checkpoint_says_that_a_turn_does(writer, decoder, contexts, tmp_path, library, named, one_line):
    """Gemma's and Phi-3's turns end with another token than their tokenizer's texts; here with what the writer says second."""
    tokenizer = decoder.tokenizer
    first, turn = tokenizer(SAID["another and longer text about a film"], add_special_tokens=False)["input_ids"][:2]
    named = turn if named == 7 else [2, turn]
    writer.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    GenerationConfig(eos_token_id=named).save_pretrained(tmp_path)
    model = models.find_model(str(tmp_path), library).load().eval()
    found = wrote(model, tokenizer, contexts, 12, 1000, one_line)
    assert found[1].text == tokenizer.decode([first]).strip()
    assert found[1].confidence == pytest.approx(by_hand(writer, contexts[1], 12, {turn})[1], rel=1e-4)
    assert found[0] == wrote(writer, tokenizer, contexts, 12, 1000, one_line)[0]  # which ends with the tokenizer's


def test_a_beginning_of_all_contexts_is_read_once_and_the_texts_are_the_same(decoder, writer, contexts, monkeypatch):
    """Two levels of it: an instruction, and one of two texts after it, with questions of different lengths; some come often."""
    tokenizer, shown = decoder.tokenizer, [decoder.tokenizer(text * 4)["input_ids"] for text in list(SAID)[:2]]
    asked = [(*range(20, 70), *shown[n % 2], *contexts[n % 4][: 1 + n % 3], 30 + n) for n in range(40)]
    asked += asked[:1] * 20
    fed = []
    hook = writer.register_forward_pre_hook(lambda _, args, kwargs: fed.append(kwargs["input_ids"].numel()), with_kwargs=True)
    found, read = wrote(writer, tokenizer, asked, 6, 1000, False), sum(fed)
    monkeypatch.setattr(generation, "caches", lambda model: False)
    fed.clear()
    whole = wrote(writer, tokenizer, asked, 6, 1000, False)
    hook.remove()
    assert [each.text for each in found] == [each.text for each in whole] and len(set(whole)) > 10
    assert [each.confidence for each in found] == pytest.approx([each.confidence for each in whole], rel=1e-4)
    assert read * 3 < sum(fed)


@pytest.mark.parametrize("tokens", [1000, 40])
@pytest.mark.parametrize("sharing", [True, False])
def test_references_go_on_from_what_is_read_for_the_texts(decoder, writer, contexts, monkeypatch, tokens, sharing):
    """Some prompts have none, some have the same, and one is a single token, after which nothing is shared."""
    asked = [(*range(20 + n, 70 + n), *contexts[n % 4]) for n in range(12)] + [(5,)]
    referring = [(7, 8, 9)[: n % 4] for n in range(12)] + [(11, 3)]
    asked, referring = [*asked, asked[1], asked[2]], [*referring, referring[1], (9, 9)]
    apart = wrote(writer, decoder.tokenizer, asked, 6, tokens, False)
    pairs = [(ids, words) for ids, words in zip(asked, referring, strict=True) if words]
    likely = iter(likelihoods(writer, pairs, decoder.tokenizer.pad_token_id, tokens))
    if not sharing:
        monkeypatch.setattr(generation, "caches", lambda model: False)
    fed = []
    hook = writer.register_forward_pre_hook(lambda _, args, kwargs: fed.append(kwargs["input_ids"].numel()), with_kwargs=True)
    prompts = [Prompt(ids, reference=(ids, words) if words else None) for ids, words in zip(asked, referring, strict=True)]
    found = generate(writer, decoder.tokenizer, prompts, 6, tokens, False)
    hook.remove()
    assert [each.text for each in found] == [each.text for each in apart]
    for each, alone, words in zip(found, apart, referring, strict=True):
        assert each.confidence == pytest.approx(alone.confidence, rel=1e-4)
        if words:
            wanted = next(likely)
            assert each.reference.total == pytest.approx(wanted.total, rel=1e-4)
            assert (len(each.reference.nats), each.reference.likeliest) == (len(words), wanted.likeliest)
        else:
            assert each.reference is None
    once, rest = sum(map(len, asked)), sum(map(len, referring)) + 8 * len(asked)
    assert (sum(fed) < 1.2 * (once + rest)) if sharing else (sum(fed) > 1.6 * once)


def test_a_model_that_is_shared_out_reads_each_context_whole(decoder, writer, contexts, monkeypatch):
    """Processes in lockstep write together: none may read a beginning meanwhile."""
    asked = [(*range(20, 70), *context) for context in contexts] * 5
    lockstep = Lockstep(writer, SimpleNamespace(device=torch.device("cpu"), reduce=lambda flag: flag))
    monkeypatch.setattr(writer, "_has_unfinished_sequences", lambda done, synced_gpus, device: not done)
    passes = []
    lockstep.register_forward_pre_hook(lambda *_: passes.append(1))
    found = wrote(lockstep, decoder.tokenizer, asked, 3, 1000, False)
    assert not passes
    assert [each.text for each in found] == [each.text for each in wrote(writer, decoder.tokenizer, asked, 3, 1000, False)]


def test_no_scores_of_a_whole_vocabulary_are_kept_for_each_token(decoder, writer, contexts, monkeypatch):
    """They would take more memory than all else that grows while texts are written."""
    own, given = writer.generate, []
    monkeypatch.setattr(writer, "generate", lambda **named: given.append(own(**named)) or given[-1])
    assert wrote(writer, decoder.tokenizer, contexts, 12, 1000, False)[0].text == "good\nor bad"
    assert given and all(out.scores is None for out in given)


def test_beams_write_what_transformers_writes_one_by_one(decoder):
    torch.manual_seed(1)
    module, tokenizer = decoder.load().eval(), decoder.tokenizer
    contexts = [tokenizer(text)["input_ids"] for text in ("a film", "the long and winding story of a man", "no")]
    found = wrote(module, tokenizer, contexts, 6, 2048, one_line=False, beams=3)
    for context, text in zip(contexts, found, strict=True):
        asked = {"num_beams": 3, "max_new_tokens": 6, "do_sample": False, "pad_token_id": tokenizer.pad_token_id}
        asked |= {"eos_token_id": tokenizer.eos_token_id, "return_dict_in_generate": True, "output_scores": True}
        alone = module.generate(input_ids=torch.tensor([context]), **asked)
        new = [token for token in alone.sequences[0, len(context) :].tolist() if token != tokenizer.eos_token_id]
        assert text.text == tokenizer.decode(new, skip_special_tokens=True).strip()
        # sequences_scores is the mean log-probability of the tokens that were written.
        count = len(alone.sequences[0]) - len(context)
        assert text.confidence == pytest.approx(math.exp(alone.sequences_scores[0].item() * count), rel=1e-3)
