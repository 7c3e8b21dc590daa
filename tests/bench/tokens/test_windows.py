"""Windows of real texts, under the tokenizers of BERT and of RoBERTa's kind, whose tokens hold the space before a word."""

from itertools import pairwise

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

from bench.tasks import splits
from bench.tokens.windows import SPECIAL, over_text, over_words, whole


@pytest.fixture(scope="module")
def roberta(sst2):
    """Byte-level BPE with four special tokens around a pair, and no space before the first word."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    texts = [example.fields["text"] for example in splits.load_splits(sst2).train[:2000]]
    trainer = trainers.BpeTrainer(
        vocab_size=900, special_tokens=special, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", sep_token="</s>", cls_token="<s>", pad_token="<pad>"
    )


@pytest.fixture(params=["bert", "roberta"])
def tokenizer(request, encoder):
    return encoder.tokenizer if request.param == "bert" else request.getfixturevalue("roberta")


@pytest.fixture(scope="module")
def sentences(library):
    return [example.fields["text"].split() for example in splits.load_splits(library.task("sec-entities")).test[:60]]


BEFORE = "Which persons, organisations and places are named in the following text? Name them all."


@pytest.mark.parametrize("before", ["", BEFORE])
@pytest.mark.parametrize("limit", [8, 9, 10, 13, 32, 100, 512])
def test_every_word_has_a_place_and_its_first_piece_begins_it(tokenizer, sentences, limit, before):
    for words in sentences[: 10 if limit < 32 else 60]:
        text, seen = " ".join(words), set()
        spans = over_text(tokenizer, limit, before, text)
        windows = over_words(tokenizer, limit, before, words)
        assert [(w.ids, w.types) for w in windows] == [(w.ids, w.types) for w in spans]
        for window, span in zip(windows, spans, strict=True):
            assert len(window.ids) <= limit
            placed = [place for place in window.places if place is not None]
            assert placed == sorted(set(placed))
            for place, piece in zip(window.places, span.places, strict=True):
                if place is not None:
                    said = text[piece[0] : piece[1]].strip()
                    assert said and words[place].startswith(said)
            seen |= set(placed)
        assert seen == set(range(len(words)))


def test_a_fitting_text_is_one_window_of_what_the_tokenizer_gives(tokenizer):
    (window,) = over_text(tokenizer, 64, "Who?", "Ada met Bob.")
    assert list(window.ids) == tokenizer("Who?", "Ada met Bob.")["input_ids"]
    (window,) = over_words(tokenizer, 64, "", ["Ada", "met", "Bob."])
    assert list(window.ids) == tokenizer("Ada met Bob.")["input_ids"]
    (window,) = over_text(tokenizer, 64, " \n", "Ada met Bob.")  # nothing before
    assert list(window.ids) == tokenizer("Ada met Bob.")["input_ids"]


@pytest.mark.parametrize("texts", [["Ada met Bob."], ["Who met Bob?", "Ada met Bob."]])
def test_what_lost_its_end_says_so(tokenizer, texts):
    ids = tokenizer(*texts)["input_ids"]
    for limit, lost in ((len(ids) + 9, False), (len(ids), False), (len(ids) - 1, True), (len(ids) - 2, True)):
        read = whole(tokenizer, limit, texts)
        assert (read.truncated, len(read.ids)) == (lost, min(limit, len(ids)))
    assert not any(window.truncated for window in over_text(tokenizer, 16, "", "Ada met Bob. " * 20))


def test_neighbours_share_an_eighth_of_the_limit(encoder):
    words = [f"w{i}" for i in range(200)]
    windows = over_words(encoder.tokenizer, 64, "", words)
    spans = over_text(encoder.tokenizer, 64, "", " ".join(words))
    assert len(windows) > 4
    for before, after in pairwise(spans):
        assert before.ids[-9:-1] == after.ids[1:9]
        shared = [place for place in before.places if place in after.places and place]
        assert len(shared) == 8


def test_what_stands_before_keeps_its_end_and_leaves_room(encoder):
    lead = "which of the words in this text is the name of a person or of a place and who was it that gave it to them " * 3
    for limit in (8, 16, 64):
        for window in over_text(encoder.tokenizer, limit, lead, "Ada met Bob in Ohio in May"):
            read = [i for i, kind in enumerate(window.types) if kind == 0][1:-1]
            assert len(read) <= (limit - SPECIAL) // 2
            ends = encoder.tokenizer(lead, add_special_tokens=False)["input_ids"][-len(read) :]
            assert [window.ids[i] for i in read] == ends
            assert any(window.places)


def test_a_word_cut_by_a_windows_edge_is_placed_where_it_begins(encoder):
    words = ["a"] * 10 + ["antidisestablishmentarianism"] * 3
    windows = over_words(encoder.tokenizer, 20, "", words)
    spans = over_text(encoder.tokenizer, 20, "", " ".join(words))
    cut = [s for s in spans[1:] if next(p for p in s.places if p)[0] not in (0, *(2 * i for i in range(10)), 20, 49, 78)]
    assert cut  # one window does begin inside a word
    placed = [place for window in windows for place in window.places if place is not None]
    assert set(placed) == set(range(13))


@pytest.mark.parametrize("limit", [8, 40])
def test_a_character_of_several_tokens_begins_its_word_once(roberta, limit):
    """Byte-level tokenizers make two to four tokens of one character, all with the same place."""
    words = ["élan", "字", "🦙🦙", "a", "éé"] * 3
    windows = over_words(roberta, limit, "", words)
    assert len(roberta("字", add_special_tokens=False)["input_ids"]) > 1
    for window in windows:
        placed = [place for place in window.places if place is not None]
        assert placed == sorted(set(placed))
    assert {place for w in windows for place in w.places if place is not None} == set(range(15))


def test_a_text_or_a_pair_loses_its_end(encoder):
    assert (
        list(whole(encoder.tokenizer, 8, ["one two three four five six seven eight"]).ids)
        == encoder.tokenizer("one two three four five six")["input_ids"]
    )
    pair = whole(encoder.tokenizer, 9, ["one two three four five", "six"])
    assert list(pair.types) == [0] * 7 + [1] * 2 and len(pair.ids) == 9
