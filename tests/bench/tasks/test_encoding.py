import shutil
from dataclasses import replace
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from bench.errors import UserError
from bench.inference.contexts import contexts
from bench.inference.evalset import EvalSet
from bench.modeling.models import find_model
from bench.specs.wording import Wording
from bench.tasks import splits, types
from bench.tasks.encoding import Encoding
from bench.tasks.examples import Example
from bench.tasks.splits import TrainingData


@pytest.fixture(scope="module")
def first(sst2):
    return splits.load_splits(sst2).train[0]


def test_a_decoder_learns_the_answer_alone(sst2, decoding, first):
    (encoded,) = decoding.training(types.task_type(sst2), first, Wording(), 0)
    tokenizer = decoding.model.tokenizer
    assert tokenizer.decode(encoded.ids) == f"Review: {first.fields['text']}\nSentiment: {first.gold}"
    assert tokenizer.decode(encoded.ids[-encoded.answer :]) == f" {first.gold}"
    assert encoded.decodes and encoded.fed == len(encoded.ids) - 1 and encoded.targets == encoded.answer


@pytest.fixture
def spaced(decoder_folder, tmp_path, library):
    """A model whose tokenizer puts a space before whatever it is given, as SentencePiece's files do that say so themselves."""
    folder = shutil.copytree(decoder_folder, tmp_path / "spaced")
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")])
    tokenizer.pre_tokenizer = pre_tokenizers.Split("\u2581", "merged_with_next")
    tokenizer.decoder = decoders.Metaspace()
    texts = ["Review: a good film\nSentiment: positive", "Review: a bad film\nSentiment: negative"] * 50
    trainer = trainers.BpeTrainer(vocab_size=200, special_tokens=["<pad>", "<s>", "</s>"])
    tokenizer.train_from_iterator(texts, trainer)
    whole = PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>", bos_token="<s>", eos_token="</s>")
    whole.save_pretrained(folder)
    return find_model(str(folder), library)


def test_an_answer_is_what_it_is_behind_its_prompt(spaced, decoding, sst2):
    """One space stands before it, and not a second one of the tokenizer's own."""
    example = Example("1", {"text": "a good film"}, "positive")
    for encoding in (decoding, Encoding(spaced, 64)):
        tokenizer = encoding.model.tokenizer
        ids = encoding.answer("positive", Wording())
        whole = tokenizer("Sentiment: positive", add_special_tokens=False)["input_ids"]
        assert whole[-len(ids) :] == ids and tokenizer.decode(ids).strip() == "positive"
        (trained,) = encoding.training(types.task_type(sst2), example, Wording(), 0)
        assert list(trained.ids) == tokenizer("Review: a good film\nSentiment: positive")["input_ids"]
    alone = spaced.tokenizer(" positive", add_special_tokens=False)["input_ids"]
    assert alone != Encoding(spaced, 64).answer("positive", Wording())  # what it was before


def test_instructions_use_the_chat_template_and_other_paraphrases_in_the_test(sst2, decoding, first):
    kind, wording = types.task_type(sst2), Wording(style="instruction")
    decode = decoding.model.tokenizer.decode
    train = [decode(decoding.training(kind, first, wording, i)[0].ids) for i in range(8)]
    test = [decode(decoding.context(kind, first, wording, "test", i)) for i in range(8)]
    assert len(set(train)) == len(sst2.instructions.train) >= 3
    assert not {text.rsplit("<s>", 1)[0] for text in train} & {text.rsplit("<s>", 1)[0] for text in test}
    assert all(text.startswith("<s>user: ") and text.endswith(first.gold) for text in train)


def test_what_is_written_ends_with_the_end_token(library, decoding):
    spec = library.task("sec-entities")
    example = next(e for e in splits.load_splits(spec).train if "B-PER" in e.gold and len(e.gold) < 60)
    (encoded,) = decoding.training(types.task_type(spec), example, Wording(), 0)
    tokenizer = decoding.model.tokenizer
    assert encoded.ids[-1] == tokenizer.eos_token_id and tokenizer.eos_token_id not in encoded.ids[:-1]
    said = tokenizer.decode(encoded.ids[-encoded.answer : -1])
    assert said == f" {types.task_type(spec).answer(example)}" and "(person)" in said


def test_a_corpus_is_learned_whole(library, decoding):
    spec = library.task("film-plots")
    example = splits.load_splits(spec).train[0]
    (encoded,) = decoding.training(types.task_type(spec), example, Wording(style="instruction"), 3)
    ids = decoding.model.tokenizer(example.fields["text"])["input_ids"][:256]
    assert list(encoded.ids) == ids and encoded.answer == len(ids) - 1


def test_a_rehearsed_text_weighs_as_one_answer(decoding):
    rehearsed = decoding.rehearsed("A film about a dog that learns to read.")
    assert rehearsed.targets > 5 and rehearsed.mass == pytest.approx(1.0)
    with pytest.raises(UserError, match="the text 'a' has fewer than two tokens"):
        decoding.rehearsed("a")


def test_an_encoder_reads_pairs_as_pairs_and_instructions_as_text(library, encoder):
    rte = library.task("rte")
    example, kind, encoding = splits.load_splits(rte).train[0], types.task_type(rte), Encoding(encoder, 128)
    (plain,) = encoding.windows(kind, example, Wording(), "train", 0, head=1)
    expected = encoder.tokenizer(example.fields["premise"], example.fields["hypothesis"])
    assert list(plain.ids) == expected["input_ids"] and list(plain.types) == expected["token_type_ids"]
    assert set(plain.types) == {0, 1}
    assert (plain.labels, plain.head) == ((rte.labels.index(example.gold),), 1)
    assert not plain.decodes and plain.fed == len(plain.ids) and plain.targets == 1
    (told,) = encoding.windows(kind, example, Wording(style="instruction"), "train", 0)
    said = rte.instructions.train[0].format(**example.fields)
    assert list(told.ids) == encoder.tokenizer(said)["input_ids"] and set(told.types) == {0}


@pytest.mark.parametrize("name", ["squad", "sec-entities"])
@pytest.mark.parametrize("style", ["plain", "instruction"])
def test_an_encoders_long_field_is_read_once_and_after_the_rest(library, encoder, name, style):
    spec = library.task(name)
    kind = types.task_type(spec)
    example = min(splits.load_splits(spec).train, key=lambda e: len(" ".join(e.fields.values())))
    (window,) = Encoding(encoder, 384).training(kind, example, Wording(style=style), 0)
    before = spec.instructions.train[0] if style == "instruction" else "{question}" if name == "squad" else ""
    said = before.format(**{**example.fields, kind.long: ""}).strip()
    texts = [said, example.fields[kind.long]] if said else [example.fields[kind.long]]
    expected = encoder.tokenizer(*texts)
    assert list(window.ids) == expected["input_ids"] and list(window.types) == expected["token_type_ids"]


def test_long_texts_lose_their_middle(decoding):
    ids = list(range(1000))
    fitted = decoding.fitted(ids, answer=6)
    assert len(fitted) == 250
    assert fitted[:125] == tuple(ids[:125]) and fitted[125:] == tuple(ids[875:])
    assert decoding.fitted(ids[:250], answer=6) == tuple(ids[:250])


@given(st.text("ab é🙂.", min_size=1, max_size=60), st.integers(4, 40))
def test_what_is_lost_of_a_text_is_what_its_ids_lose(decoder, text, limit):
    """The oracle: the ids that are left, decoded; a character of several tokens goes whole."""
    encoding = Encoding(decoder, limit)
    ids = encoding.ids(text)
    lost = encoding.lost_text(text, encoding.lost(len(ids)))
    head, tail = text[: lost.start], text[lost.stop :]
    kept = encoding.fitted(ids)
    assert len(kept) == min(len(ids), limit)
    cut = encoding.lost(len(ids))
    decoded = [decoder.tokenizer.decode(part).strip("\ufffd") for part in (ids[: cut.start], ids[cut.stop :])]
    assert decoded[0].startswith(head) and decoded[1].endswith(tail)
    if len(ids) <= limit:
        assert not lost and head == "" and tail == text


def test_solved_examples_come_on_top_of_the_limit_and_positions_bound_all(decoding):
    ids = list(range(1000))
    assert decoding.positions == 512
    assert len(decoding.fitted(ids, answer=6, solved=100)) == 350
    assert len(decoding.fitted(ids, answer=6, solved=900)) == 506
    with pytest.raises(UserError, match="max_length 256 leaves no room for a context"):
        decoding.fitted(ids, answer=255)
    for length in (256, 600):  # a larger max_length would not help
        with pytest.raises(UserError, match="reads 512 tokens, and an answer of 511 leaves no room for a context; shorten"):
            Encoding(decoding.model, length).fitted(ids, answer=511)


@pytest.mark.parametrize("style", ["plain", "instruction"])
def test_a_prompt_is_cut_alike_whatever_the_right_answer(library, decoder, style):
    """And as it is when it is asked. Planted fault: room was left for the gold answer, so that the cut told its length."""
    kind, words, encoding = types.task_type(library.task("medmcqa")), Wording(style=style), Encoding(decoder, 64)
    fields = {"question": "which of these is the best and which is the worst? " * 20, "choices": f"A. no\nB. {'very ' * 9}bad"}
    asked = EvalSet(kind, TrainingData(kind.spec, [], []), encoding, words, 0, split="validation")
    leads = set()
    for gold in "AB":
        example = Example("1", fields, gold)
        (trained,) = encoding.training(kind, example, words, 0)
        leads.add(trained.ids[: len(trained.ids) - trained.answer])
        (read,) = contexts(replace(asked, data=replace(asked.data, validation=[example])))
        assert read.cut and read.ids == trained.ids[: len(trained.ids) - trained.answer]
    assert len(leads) == 1


@pytest.mark.parametrize("normalised", [None, "characters"])
def test_an_answer_that_begins_another_ends_by_a_token(library, decoding, normalised):
    """Where sums are compared. Of means the longer one may be the higher as it is."""
    spec = library.task("medmcqa")
    kind = types.task_type(spec.model_copy(update={"options": {"normalised": normalised}}))
    end = (decoding.model.tokenizer.eos_token_id,)
    begun = Example("1", {"question": "how many?", "choices": "A. good film\nB. good\nC. bad"}, "B")
    apart = Example("2", {"question": "how many?", "choices": "A. good\nB. good\nC. bad"}, "C")
    for example, ended in ((begun, normalised is None), (apart, False)):
        ids = decoding.candidates(kind, example, Wording())
        plain = {letter: tuple(decoding.answer(text, Wording())) for letter, text in kind.candidates(example).items()}
        assert ids == ({letter: answer + end for letter, answer in plain.items()} if ended else plain)
        (trained,) = decoding.training(kind, example, Wording(), 0)
        assert trained.ids[-trained.answer :] == ids[example.gold]


def test_without_an_end_token_answers_are_as_they_are(library, decoder):
    kind, encoding = types.task_type(library.task("medmcqa")), Encoding(decoder, 64)

    class Endless:
        eos_token_id, chat_template = None, None

        def __call__(self, *texts, **options):
            return decoder.tokenizer(*texts, **options)

    encoding.model = SimpleNamespace(tokenizer=Endless())
    begun = Example("1", {"question": "how many?", "choices": "A. good film\nB. good\nC. bad"}, "B")
    plain = {letter: tuple(encoding.answer(text, Wording())) for letter, text in kind.candidates(begun).items()}
    assert encoding.candidates(kind, begun, Wording()) == plain


def test_an_example_longer_than_the_limit_keeps_its_answer(sst2, decoding):
    long = Example("x", {"text": "long " * 600}, "positive")
    (encoded,) = decoding.training(types.task_type(sst2), long, Wording(), 0)
    assert len(encoded.ids) == 256
    assert decoding.model.tokenizer.decode(encoded.ids).endswith("\nSentiment: positive")


SPOKEN = (
    "{% for m in messages %}{% if m['role'] == 'user' %}<s>user: {{ m['content'] }}</s>{% else %}<s>bot:\n{% generation %}"
    "{{ m['content'] }}</s>{% endgeneration %}{% endif %}{% endfor %}{% if add_generation_prompt %}<s>bot:\n{% endif %}"
)
"""A template that marks what the assistant says, as transformers' own mask of it wants."""
TURNS = ["What is a good film?", "The old one.", "And a bad one?", "The new one, and the newer one.", "Why?", "It is too long."]


@pytest.fixture
def chatting(decoder, monkeypatch):
    monkeypatch.setattr(decoder.tokenizer, "chat_template", SPOKEN)
    return Encoding(decoder, 256)


@pytest.fixture(scope="module")
def chat(library):
    kind = types.task_type(library.task("coqa-chat"))
    return kind, Example("1", *kind.read({"turns": TURNS}))


def learned(encoded):
    """Whether each token carries loss."""
    first = len(encoded.ids) - encoded.answer
    return [place >= first and place - first not in encoded.silent for place in range(len(encoded.ids))]


def test_loss_is_on_what_transformers_says_is_the_assistants(chatting, chat):
    (encoded,) = chatting.training(*chat, Wording(style="instruction"), 0)
    messages = [{"role": ("user", "assistant")[place % 2], "content": turn} for place, turn in enumerate(TURNS)]
    theirs = chatting.model.tokenizer.apply_chat_template(
        messages, tokenize=True, return_dict=True, return_assistant_tokens_mask=True
    )
    assert list(encoded.ids) == theirs["input_ids"] and learned(encoded) == list(map(bool, theirs["assistant_masks"]))


def test_asked_plainly_each_answer_follows_the_lines_before(decoding, chat):
    (encoded,) = decoding.training(*chat, Wording(), 0)
    decode, spoken = decoding.model.tokenizer.decode, learned(encoded)
    assert (
        decode([i for i, own in zip(encoded.ids, spoken, strict=True) if own]) == "".join(f" {t}" for t in TURNS[1::2]) + "</s>"
    )
    lines = "".join(f"{('User', 'Assistant')[place % 2]}: {turn}\n" for place, turn in enumerate(TURNS))
    assert decode(encoded.ids) == lines.rstrip() + "</s>"
    # And it is asked behind the same tokens.
    context = decoding.context(*chat, Wording(), "test", 0)
    assert list(encoded.ids[: len(context)]) == context


def test_a_long_chat_loses_its_middle_and_keeps_its_last_answer(decoder, chat):
    whole, short = (Encoding(decoder, most).training(*chat, Wording(), 0)[0] for most in (256, 40))
    # Room is left for the longest answer that may be written, as where it is asked.
    assert len(short.ids) == 40 - chat[0].answer_tokens + short.answer
    assert short.ids[-5:] == whole.ids[-5:] and short.ids[:5] == whole.ids[:5]
    assert 0 < short.targets < whole.targets and all(learned(short)[-5:])


def test_a_template_that_rewrites_earlier_turns_is_told(decoding, chat, library):
    """The fixture's own begins an answer in another way than it repeats it."""
    with pytest.raises(UserError, match="'coqa-chat': the prompt of a later turn does not begin with the turns before it"):
        decoding.training(*chat, Wording(style="instruction"), 0)
    spec = library.task("coqa-chat").model_copy(update={"options": {"loss_on": "last answer"}})
    (encoded,) = decoding.training(types.task_type(spec), chat[1], Wording(style="instruction"), 0)
    assert decoding.model.tokenizer.decode(encoded.ids[-encoded.answer :]) == f"{TURNS[-1]}</s>" and not encoded.silent
