"""Splits that share nothing: planted copies are found by kind, and real tasks are looked at from outside."""

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.specs.task import TaskSpec
from bench.tasks import separation, splits, types
from bench.tasks.examples import Example
from bench.tasks.separation import ComparedExamples, separated, unique
from bench.tasks.separation import shared as shared_by

LETTERS = "bcdfghjklmnpqrstvwz"
WORD = st.text(LETTERS, min_size=3, max_size=7)
TEXT = st.lists(WORD, min_size=9, max_size=20, unique=True)
SIGNS = st.sampled_from([" ", ", ", " - ", "... ", " ! ", "\n"])


@pytest.fixture(scope="module")
def reviews(sst2):
    return types.task_type(sst2)


def shared(kind, train, others):
    return shared_by(*(ComparedExamples.of(kind, part) for part in (train, others)))


def examples(*texts):
    return [Example(str(number), {"text": text}, "positive") for number, text in enumerate(texts)]


@st.composite
def planted(draw):
    """A held-out text, and a training text that gives it away: in which way, and how."""
    words, around = draw(TEXT), draw(st.lists(WORD, min_size=3, max_size=12))
    sign = draw(SIGNS)
    way = draw(st.sampled_from(["same", "part", "near"]))
    if way == "near":  # a word in the middle is another
        place = draw(st.integers(1, len(words) - 2))
        words_here = [*words[:place], "xxxx", *words[place + 1 :]]
    else:
        words_here = words
    copy = sign.join(word.upper() if draw(st.booleans()) else word for word in words_here)
    if way == "part" or (way == "near" and draw(st.booleans())):
        copy = f"{' '.join(around)}{sign}{copy}." if draw(st.booleans()) else f'"{copy}" {" ".join(around)}'
    return way, " ".join(words), copy


@settings(deadline=None, max_examples=60)
@given(planted(), st.lists(TEXT.map(" ".join), max_size=4), st.booleans())
def test_planted_copies_are_found_by_kind_in_either_direction(reviews, plant, others, turned):
    way, text, copy = plant
    held_out, trained = (copy, text) if turned else (text, copy)
    # The others are of words with a vowel, and share nothing.
    found = shared(reviews, examples(trained, *(f"{other}a" for other in others)), examples(held_out))
    assert 0 in found.places and 0 in getattr(found, way)
    assert len(found.same) + len(found.part) + len(found.near) == len(found.places)


def test_one_and_two_words_count_only_as_a_whole(reviews):
    train = examples("a very bad film, said all", "Very bad!", "the plot is very bad", "bad")
    assert shared(reviews, train, examples("very bad")).places == {1}
    assert shared(reviews, train, examples("is very bad")).part == {2}
    assert shared(reviews, examples("cool"), examples("a cool film it is")).places == set()


def test_contractions_of_tokenised_text_are_no_other_words(reviews):
    train = examples("You can't miss it, it doesn't let you go!")
    assert shared(reviews, train, examples("it does n't let you go .")).part == {0}
    # A run of letters over the borders of words is no run of words.
    assert shared(reviews, examples("an artist on gin"), examples("art is tong")).places == set()


def test_training_gives_way_to_validation_and_both_to_the_tests_which_are_counted(reviews):
    tests = {
        "test": examples("this is a film of three words"),
        "away": examples("what the critics did say", "a film of three words"),
    }
    validation = examples("only this is chosen on", "so what the critics did say")
    train = examples("this is chosen on", "A film of three words.", "what the critics did say", "something else was said")
    kept, chosen, notes = separated(reviews, train, validation, tests)
    assert [e.fields["text"] for e in kept] == ["something else was said"]
    assert [e.fields["text"] for e in chosen] == ["only this is chosen on"]
    # What two sets have is counted with the first: test, validation, others.
    counts = {"within_test_removed": 1, "within_validation_removed": 2, "validation_in_away_removed": 1, "test_in_away": 1}
    assert {name: count for name, count in notes.items() if count} == counts


def test_what_repeats_is_kept_once_whatever_its_id(reviews):
    assert [e.id for e in unique(reviews, examples("One film", "another", "one film!"))] == ["0", "1"]


def test_questions_on_one_context_stay_on_one_side(tmp_path):
    rows = [
        {"c": f"The town number {i} lies by a river called {i * i}.", "q": f"Where is it, {k}?", "a": f"number {i}"}
        for i in range(40)
        for k in range(4)
    ]
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    spec = TaskSpec.model_validate(
        {
            "name": "towns",
            "version": 1,
            "description": "",
            "type": "qa",
            "metrics": ["squad_f1"],
            "train": {"path": str(tmp_path / "rows.jsonl"), "columns": {"context": "c", "question": "q", "answers": "a"}},
            "validation": {"share": 0.2},
            "test": {"share": 0.2},
            "prompt": "{context} {question}",
            "instructions": {"train": ["{context} {question}"], "test": ["{question} {context}"]},
        }
    )
    loaded = splits.load_splits(spec)
    contexts = [{e.fields["context"] for e in part} for part in (loaded.train, loaded.validation, loaded.test)]
    assert sum(map(len, contexts)) == len(set.union(*contexts)) and all(contexts)
    assert loaded.notes["test"] == 4 * len(contexts[2])  # else most questions would be removed


def plain(text):
    return f" {' '.join(re.findall(r'[a-z0-9]+', text.lower()))} "


READ = {
    "sst2": ["text"],
    "sec-entities": ["text"],
    "squad": ["context"],
    "vader-movies": ["text"],
    "coqa": ["context"],
    "sarcasm": ["text"],
    "rte": ["hypothesis", "premise"],
    "film-plots": ["text"],
    "medical-spans": ["text"],
    "medmcqa": ["question", "choices"],
    "business-exams": ["question", "choices"],
    "bar-exam": ["question", "choices"],
    "illinois-verdicts": ["facts"],  # several claims are on the same ones
    "localisation-de": ["text"],
    "localisation-es": ["text"],
    "localisation-fr": ["text"],
    "localisation-nl": ["text"],
    "coqa-chat": ["history", "text"],
}
"""The unit of each task. Of a question on a context it is the context: whoever has read it has seen where answers stand. Of an
exam question it is the whole, for many begin with the same words."""


def test_every_task_whose_data_are_in_a_package_is_read_from_outside(library):
    tasks = {name: library.task(name) for name in library.names("tasks")}
    in_packages = {name for name, task in tasks.items() if all(source.asset for source in task.train_sources)}
    assert in_packages == set(READ)


@pytest.mark.slow
@pytest.mark.parametrize("name", READ)
def test_no_test_item_stands_in_a_training_text_seen_from_outside(library, name):
    loaded = splits.load_splits(library.task(name))
    texts = {
        split: {plain(" ".join(e.fields[field] for field in READ[name])) for e in loaded.split(split)}
        for split in ("train", "validation", "test", *loaded.out_of_domain)
    }
    for learned in ("train", "validation"):
        everything = "\n".join(texts[learned])
        for split in {*texts} - {"train", learned}:
            held = {text for text in texts[split] if len(text.split()) > 2 and text in everything}
            assert held == set(), (learned, split)


@pytest.mark.parametrize("name", ["squad", "coqa", "sst2", "film-plots"])
def test_a_title_stands_in_one_split_alone(library, name):
    loaded = splits.load_splits(library.task(name))
    groups = [{e.cluster for e in part} - {None} for part in (loaded.train, loaded.validation, loaded.test)]
    assert sum(map(bool, groups)) > 1 and sum(map(len, groups)) == len(set.union(*groups))


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("It's GOOD.", "its good", True),
        ("does n't", "doesn't", True),
        ("3 - 4", "3 + 4", False),
        ("1 12", "11 2", False),
        ("a + b", "a b", False),
        ("great 😀", "great 😡", False),
        ("वह आता है", "वह आती है", False),
        ("12 May 2020", "12 may 2020!", True),
        (":)", ":(", False),
    ],
)
def test_what_says_something_else_is_no_repeat(one, other, alike):
    texts = [separation.read_alike(Example("1", {"text": text}, ""), ["text"]) for text in (one, other)]
    assert (texts[0] == texts[1]) is alike


def test_what_large_sets_share_is_kept(monkeypatch, tmp_path):
    monkeypatch.setenv("TUNEBENCH_CACHE", str(tmp_path))
    monkeypatch.setattr(separation, "KEPT_FROM", 1)
    sets = (["a b c d", "x"], ["A b, c d!"])
    mine, theirs = (separation.ComparedExamples([{"text": text} for text in texts]) for texts in sets)
    found = separation.shared(mine, theirs)
    assert found.same == {0} and len(list((tmp_path / "overlap").iterdir())) == 1
    monkeypatch.setattr(separation, "_shared_places", lambda *_: pytest.fail("compared again"))
    assert separation.shared(mine, theirs) == found
    (kept,) = (tmp_path / "overlap").iterdir()
    kept.write_text("damaged")
    with pytest.raises(pytest.fail.Exception):
        separation.shared(mine, theirs)


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("किताब", "कताब", False),  # a vowel sign apart
        ("நாய்", "நய்", False),
        ("caf\u00e9", "cafe\u0301", True),  # one letter in two spellings
        ("İYİ bir film", "iyi bir film", True),
        ("so good \u2764\ufe0f", "so good \u2764", True),  # a heart, as a picture and as a sign
        ("\u2764\ufe0f", "\u2600\ufe0f", False),
        ("می\u200cخواهم", "میخواهم", True),  # with and without what keeps two letters apart
        ("Don't stop!", "don t  stop", True),
    ],
)
def test_what_is_equal_by_letters(one, other, alike):
    assert (separation.normalised({"text": one}) == separation.normalised({"text": other})) is alike
