"""Rows, answers in words, windows and judgements of entities; seqeval and the tokenizer's own word numbers are the oracles."""

import re
import string

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from seqeval.metrics.sequence_labeling import get_entities

from bench import metrics
from bench.errors import UserError
from bench.specs.library import Library
from bench.tasks import splits, types
from bench.tasks.examples import Example
from bench.tasks.spans import entities, tagged
from bench.tokens.encoded import IGNORE, Encoded

LIBRARY = Library()
CONLL = types.task_type(LIBRARY.task("conll2003"))
FILINGS = types.task_type(LIBRARY.task("sec-entities"))
TAGS = CONLL.tags()


def example(words, tags):
    return Example("x", {"text": " ".join(words)}, tuple(tags))


def test_the_heads_classes_are_bio_tags():
    assert TAGS == ["O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC", "B-MISC", "I-MISC"]
    assert CONLL.outputs() == 9 and CONLL.gold == {"words", "tags"} and FILINGS.gold == {"text", "entities"}


@pytest.mark.parametrize(
    "row",
    [
        {"words": ["Ada", "met", "Bob"], "tags": ["B-PER", "O", "B-PER"]},
        {"words": ("Ada", "met", "Bob"), "tags": ("B-PER", "O", "B-PER")},
        {"words": "Ada  met Bob", "tags": "B-PER O\tB-PER"},
    ],
)
def test_words_and_tags(row):
    assert CONLL.read({**row, "doc": " 7 "}) == ({"text": "Ada met Bob", "doc": "7"}, ("B-PER", "O", "B-PER"))


def test_space_inside_a_word_goes_so_that_words_and_tags_stay_together():
    fields, gold = CONLL.read({"words": ["5\u00a0000", "New York"], "tags": ["O", "B-LOC"]})
    assert fields["text"].split() == ["5000", "NewYork"] and gold == ("O", "B-LOC")


def test_entities_of_a_list_are_found_in_the_text_in_order():
    row = {
        "text": "Bank of Ohio pays Ohio and Ada Ohio",
        "entities": "[Bank of Ohio - ORGANIZATION, Ohio - LOCATION, Ada Ohio - PERSON]",
    }
    assert FILINGS.read(row)[1] == ("B-ORG", "I-ORG", "I-ORG", "O", "B-LOC", "O", "B-PER", "I-PER")
    assert FILINGS.read({"text": "nothing here", "entities": "none"})[1] == ("O", "O")


@pytest.mark.parametrize(
    ("kind", "row", "sentence"),
    [
        (CONLL, {"words": [], "tags": []}, "field 'words' is empty"),
        (CONLL, {"words": ["a", "b"], "tags": ["O"]}, "field 'tags' has 1 tags for 2 words"),
        (CONLL, {"words": ["a"], "tags": ["B-per"]}, "tag 'B-per' is not one of O, B-PER, I-PER"),
        (CONLL, {"words": ["a", " "], "tags": ["O", "O"]}, "field 'words': word 2 of 2 is empty"),
        (CONLL, {"words": ["a"], "tags": ["O"], "doc": " "}, "field 'doc' is empty"),
        (FILINGS, {"text": " ", "entities": ""}, "field 'text' is empty"),
        (FILINGS, {"text": "a b", "entities": "[c - PERSON]"}, "entity 'c' is not in the text after word 0"),
        (FILINGS, {"text": "a b", "entities": "[b - PERSON, a - PERSON]"}, "entity 'a' is not in the text after word 2"),
    ],
)
def test_faults_name_the_field(kind, row, sentence):
    with pytest.raises(ValueError) as caught:
        kind.read(row)
    assert sentence in str(caught.value)


def test_an_entitys_type_that_the_task_lacks():
    spec = LIBRARY.task("sec-entities")
    kind = types.task_type(spec.model_copy(update={"options": spec.options | {"types": {"PERSON": "PER"}}}))
    with pytest.raises(ValueError, match="entity type 'LOCATION' is not one of PER, ORG, LOC; map it under types"):
        kind.read({"text": "Ohio", "entities": "[Ohio - LOCATION]"})


def of_task(name, **options):
    spec = LIBRARY.task(name)
    return types.task_type(spec.model_copy(update={"options": spec.options | options}))


@pytest.mark.parametrize(
    ("pattern", "blank"), [("<(?P<text>[^>]*)>", "<>"), ("<(?P<text>[^>]*)>", "< >"), ("<(?P<text>b)?>", "<>")]
)
@pytest.mark.parametrize("ordered", [True, False])
def test_a_pattern_that_finds_an_entity_without_text_is_refused(pattern, blank, ordered):
    kind = of_task("medical-spans", entity=pattern, ordered=ordered)
    with pytest.raises(ValueError, match="the pattern under entity finds an entity without text; its group text must match"):
        kind.read({"text": "a b", "entities": f"<b> {blank}"})
    assert kind.read({"text": "a b", "entities": "<b>"})[1] == ("O", "B-POPULATION")


def test_a_type_of_the_name_that_malformed_answers_have_is_refused():
    spec = LIBRARY.task("conll2003")
    named = spec.model_copy(update={"labels": ["malformed"], "answers": {"malformed": "broken"}})
    assert (
        "'malformed' is what an answer counts as that can't be read"
        in types.task_type(spec).__class__(named, CONLL.options).fault()
    )


def test_role_words_are_no_entities_in_any_case_and_are_counted():
    row = {
        "text": "Borrower pays BANK of Ohio and bank",
        "entities": "[Borrower - PERSON, BANK of Ohio - ORGANIZATION, bank - ORGANIZATION]",
    }
    assert FILINGS.read(row)[1] == ("O", "O", "B-ORG", "I-ORG", "I-ORG", "O", "O")
    assert FILINGS.remarks(row) == {"role_mentions_left_out": 2, "nested_mentions_left_out": 0}
    tagged_row = {"words": ["The", "Bank"], "tags": ["O", "I-ORG"]}
    assert CONLL.read(tagged_row)[1] == ("O", "B-ORG")
    assert of_task("conll2003", roles=["bank"]).read(tagged_row)[1] == ("O", "O")


SPANS = types.task_type(LIBRARY.task("medical-spans"))
ABSTRACT = {
    "title": "T",
    "text": "Asthma in men.\n\nWe saw 12 men. They had asthma.",
    "entities": " '12 men', 'men', 'men. They'.",
}


def test_sentences_are_examples_of_their_own():
    parts = list(SPANS.parts(ABSTRACT))
    assert [fields["text"] for fields, _ in parts] == ["Asthma in men.", "We saw 12 men.", "They had asthma."]
    # `12 men` and the first `men` that is free; what overlaps another is left out.
    assert [tags for _, tags in parts] == [("O", "O", "B-POPULATION"), ("O", "O", "B-POPULATION", "I-POPULATION"), ("O",) * 3]
    assert SPANS.remarks(ABSTRACT)["nested_mentions_left_out"] == 1
    assert all(fields["title"] == "T" for fields, _ in parts)


def test_a_span_over_a_sentences_end_is_cut_there():
    parts = list(SPANS.parts(ABSTRACT | {"entities": "'men. They had'"}))
    assert [tags for _, tags in parts][1:] == [("O", "O", "O", "B-POPULATION"), ("B-POPULATION", "I-POPULATION", "O")]


def test_the_medical_file_is_read_whole():
    data = splits.load_splits(LIBRARY.task("medical-spans"))
    titles = [{e.cluster for e in part} for part in (data.train, data.validation, data.test)]
    assert data.notes["read"] == 497 and sum(map(len, titles)) == len(set.union(*titles)) <= 497
    with_spans = sum(bool(entities(e.gold)) for e in data.train)
    assert len(data.train) == 2 * with_spans  # as many without as with one
    balanced = data.out_of_domain["balanced"]
    assert {e.id for e in balanced} < {e.id for e in data.test} and len(balanced) == data.notes["balanced"]
    assert 2 * sum(bool(entities(e.gold)) for e in data.test) == len(balanced) < len(data.test) / 3
    assert len({e.cluster for e in balanced}) > 0.9 * len(titles[2])


def test_a_pattern_without_types_is_for_one_type_alone():
    spec = LIBRARY.task("sec-entities")
    with pytest.raises(UserError, match="the pattern needs the group type, as there are several types"):
        types.task_type(spec.model_copy(update={"options": {"entity": "'(?P<text>.+?)'"}}))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"answers": {"PER": "a", "ORG": "b", "LOC": "c", "MISC": "a"}}, "two types of entities have the same answer"),
        ({"options": {"sentences": True}}, "'sentences': rows of words are not cut into sentences"),
    ],
)
def test_what_could_not_be_read_is_refused(changes, sentence):
    with pytest.raises(UserError, match=sentence):
        types.task_type(LIBRARY.task("conll2003").model_copy(update=changes))


WORD = st.text(string.ascii_letters + string.digits + "().,;'-&éß", min_size=1, max_size=8).filter(
    lambda word: ");" not in word
)


@st.composite
def tagged_words(draw):
    """Different words with BIO tags in which each I- continues an entity of its type."""
    words = draw(st.lists(WORD, min_size=1, max_size=14, unique=True))
    tags = []
    for _ in words:
        before = tags[-1] if tags else "O"
        allowed = [tag for tag in TAGS if tag[0] != "I" or before[1:] == tag[1:]]
        tags.append(draw(st.sampled_from(allowed)))
    return example(words, tags)


@given(tagged_words())
def test_an_answer_in_words_is_parsed_back(example):
    said = CONLL.answer(example)
    assert CONLL.parse(example, said) == list(example.gold)
    assert CONLL.parse(example, f" {said}. ") == list(example.gold)


def test_answers_as_they_are_said():
    some = example(["The", "Bank", "of", "Ohio", "sued", "Ada", "."], ["O", "B-ORG", "I-ORG", "I-ORG", "O", "B-PER", "O"])
    assert CONLL.answer(some) == "Bank of Ohio (organisation); Ada (person)"
    assert CONLL.answer(example(["a"], ["O"])) == "none"


@pytest.mark.parametrize("said", ["none", "None.", " NONE\n"])
def test_no_entity_is_said_in_any_case(said):
    assert CONLL.parse(example(["Ada", "met"], ["O", "O"]), said) == ["O", "O"]


def test_every_answer_of_the_pinned_data_is_parsed_back():
    for kind in (FILINGS, SPANS):
        loaded = splits.load_splits(kind.spec)
        for some in (*loaded.train, *loaded.validation, *loaded.test):
            assert kind.parse(some, kind.answer(some)) == list(some.gold)


@pytest.mark.parametrize(
    "said",
    [
        "",
        "Ada",
        "Ada (human)",
        "Ada (person",
        "(person)",
        "Ada (person); (person)",  # a type without a name
        "Eve (person)",
        "Ada (person), Bob (person)",
        "Ada (person); Ada (person)",  # there is no second one
        "Ada (person); none",
        "I see Ada (person)",
        "none of them",
        "Ad (person)",
    ],
)
def test_malformed_answers(said):
    assert CONLL.parse(example(["Ada", "met", "Bob"], ["B-PER", "O", "B-PER"]), said) is None


@pytest.mark.parametrize("said", ["Ada (person); Bob (person)", "Bob (person); Ada (person)", "“Ada” (person); Bob. (person)"])
def test_names_are_found_in_any_order_and_without_the_marks_around_them(said):
    assert CONLL.parse(example(["Ada,", "met", "Bob."], ["B-PER", "O", "B-PER"]), said) == ["B-PER", "O", "B-PER"]


def test_quotes_without_the_marks_that_stand_behind_them_are_the_entities():
    """As annotators quote: of medical-spans' test every second sentence ends one with a comma or a full stop."""
    test = [each for each in splits.load_splits(SPANS.spec).test if each.gold.count("B-POPULATION")]
    bare = [re.sub(r"[.,:;]+ \(patients\)", " (patients)", SPANS.answer(each)) for each in test]
    found = [SPANS.parse(each, said) for each, said in zip(test, bare, strict=True)]
    assert sum(said != SPANS.answer(each) for each, said in zip(test, bare, strict=True)) > 60
    assert np.mean([tags == list(each.gold) for each, tags in zip(test, found, strict=True)]) > 0.97


@settings(deadline=None)
@given(st.lists(st.sampled_from(TAGS), min_size=1, max_size=9))
def test_what_a_malformed_answer_counts_as_is_never_right(tags):
    wrong = CONLL.wrong(example(["w"] * len(tags), tags))
    for name in LIBRARY.task("conll2003").metrics:
        assert metrics.counted(name).value([wrong], [tags]) == 0


@settings(deadline=None)
@given(st.lists(st.sampled_from(TAGS), max_size=9))
def test_entities_are_seqevals(tags):
    assert entities(tags) == [(kind, first, last + 1) for kind, first, last in get_entities(tags)]


@given(tagged_words())
def test_tags_and_entities_say_the_same(example):
    assert tagged(len(example.gold), entities(example.gold)) == list(example.gold)


@given(tagged_words(), st.randoms())
def test_words_left_out_are_outside_entities_and_take_their_tags_along(example, random):
    def kept(words):
        return sorted(random.sample(range(len(words)), random.randint(1, len(words))))

    thin = CONLL.thinned(example, kept)
    words = thin.fields["text"].split()
    pairs = list(zip(example.fields["text"].split(), example.gold, strict=True))
    left = list(zip(words, thin.gold, strict=True))
    assert [pair for pair in pairs if pair in left] == left  # words differ, so the order is kept too
    assert [pair for pair in left if pair[1] != "O"] == [pair for pair in pairs if pair[1] != "O"]


def test_tags_of_a_file_become_iob2():
    """IOB1, as CoNLL-2003 came: strict metrics take for an entity what begins with B- alone."""
    words = ["so", "John", "and", "Mary", "Ann", "Bob", "met"]
    row = {"words": words, "tags": ["O", "I-PER", "O", "I-PER", "I-PER", "B-PER", "O"]}
    assert CONLL.read(row)[1] == ("O", "B-PER", "O", "B-PER", "I-PER", "B-PER", "O")
    assert metrics.counted("entity_f1_strict").value([CONLL.read(row)[1]], [CONLL.read(row)[1]]) == 1
    example = Example("1", {"text": " ".join(words)}, CONLL.read(row)[1])
    thin = CONLL.thinned(example, lambda words: [6])
    assert thin.fields["text"] == "John Mary Ann Bob met" and len(entities(thin.gold)) == 3


def test_a_word_for_no_entity_may_end_with_a_full_stop():
    kind = of_task("conll2003", none="No entities.")
    bare = example(["Ada"], ["O"])
    assert kind.answer(bare) == "No entities." and all(
        kind.parse(bare, said) == ["O"] for said in ("No entities.", "no entities")
    )


def first_pieces(tokenizer, words):
    """Word's number -> id of its first piece, by the tokenizer's own word numbers."""
    found = tokenizer(list(words), is_split_into_words=True, add_special_tokens=False)
    first = {}
    for number, token in zip(found.word_ids(), found["input_ids"], strict=True):
        first.setdefault(number, token)
    return first


@settings(deadline=None)
@given(
    tagged_words(),
    st.integers(8, 40),
    st.sampled_from(["", "Tag this text", "Which names of all types are there in this text?"]),
)
def test_each_first_piece_is_labelled_once_a_window_and_in_at_least_one(encoder, example, limit, before):
    words = example.fields["text"].split()
    first = first_pieces(encoder.tokenizer, words)
    windows = CONLL.encode(encoder.tokenizer, limit, example, [before])
    seen = set()
    for window in windows:
        assert len(window.ids) <= limit and len(window.labels) == len(window.places) == len(window.ids)
        placed = [place for place in window.places if place is not None]
        assert len(placed) == len(set(placed)) and placed == sorted(placed)
        for token, place, label in zip(window.ids, window.places, window.labels, strict=True):
            assert label == (IGNORE if place is None else TAGS.index(example.gold[place]))
            assert place is None or token == first[place]
        seen |= set(placed)
    assert seen == set(first)


def one_hot(window, classes, noise=0):
    """Logits that are right where there is a label, and drawn at random elsewhere."""
    logits = torch.randn(len(window.ids) + 3, classes, generator=torch.Generator().manual_seed(noise))  # padding at the end
    for position, label in enumerate(window.labels):
        if label != IGNORE:
            logits[position] = -20.0
            logits[position, label] = 20.0
    return logits


@settings(deadline=None)
@given(tagged_words(), st.integers(8, 40))
def test_perfect_logits_give_the_gold_back(encoder, example, limit):
    windows = CONLL.encode(encoder.tokenizer, limit, example, [""])
    logits = [one_hot(window, 9, noise) for noise, window in enumerate(windows)]
    tags, share = CONLL.judge(example, windows, logits)
    first = first_pieces(encoder.tokenizer, example.fields["text"].split())
    assert tags == [tag if number in first else "O" for number, tag in enumerate(example.gold)]
    assert share == pytest.approx(1.0)


def test_perfect_logits_give_the_gold_of_real_sentences_back(encoder):
    loaded = splits.load_splits(LIBRARY.task("sec-entities"))
    for some in loaded.test:
        windows = FILINGS.encode(encoder.tokenizer, 48, some, [""])
        assert FILINGS.judge(some, windows, [one_hot(window, 7) for window in windows])[0] == list(some.gold)


def test_a_word_is_judged_where_most_of_its_surroundings_are_seen():
    first = Encoded((1, 2, 3, 4, 5), places=(None, 0, 1, 2, None))
    second = Encoded((1, 3, 4, 5, 6), places=(None, 1, 2, 3, None))
    said = [[0, 1, 2, 3, 4], [5, 6, 7, 8, 0]]  # classes of each position
    logits = [torch.nn.functional.one_hot(torch.tensor(row), 9).float() * 9 for row in said]
    tags, share = CONLL.judge(example(list("abcd"), ["O"] * 4), [first, second], logits)
    # b stands third of five in the first window and second in the second; c the other way round.
    assert tags == [TAGS[1], TAGS[2], TAGS[7], TAGS[8]]
    e = torch.tensor(9.0).exp().item()
    assert share == pytest.approx(e / (e + 8))


def test_an_encoder_without_a_head_finds_nothing():
    assert CONLL.untrained(example(["a", "b"], ["B-PER", "O"])) == ["O", "O"]
