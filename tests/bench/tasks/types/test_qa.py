"""Rows, answers, windows and spans of questions; SQuAD's real rows and brute force are the oracles."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bench import metrics
from bench.specs.library import Library
from bench.tasks import splits, types
from bench.tasks.examples import Example
from bench.tasks.types.qa import best_span, ends
from bench.tokens.encoded import Encoded

LIBRARY = Library()
V1 = types.task_type(LIBRARY.task("squad-v1"))
V2 = types.task_type(LIBRARY.task("squad-v2"))
DROPS = types.task_type(LIBRARY.task("squad"))
CONTEXT = "Ada met Bob. Bob was glad."


def example(gold, context=CONTEXT, **more):
    return Example("x", {"context": context, "question": "Who?", **more}, tuple(gold))


@pytest.mark.parametrize(
    ("answers", "gold"),
    [
        (["Bob", "Bob", " Ada "], ("Bob", "Ada")),
        (("Bob",), ("Bob",)),
        ("Bob", ("Bob",)),
        (["Eve", "Bob"], ("Eve", "Bob")),
    ],
)
def test_rows(answers, gold):
    row = {"context": f" {CONTEXT}", "question": "Who?", "answers": answers, "group": "g"}
    assert V1.read(row) == ({"context": CONTEXT, "question": "Who?", "group": "g"}, gold)


def test_an_answer_may_say_where_it_starts():
    row = {"context": CONTEXT, "question": "Who was glad?", "answers": ["Bob"]}
    assert V1.read({**row, "starts": [13]})[0]["start"] == "13"
    assert V1.read({**row, "starts": "13"})[0]["start"] == "13"
    # White space before the context goes, and the place moves with it; so does that before an answer.
    assert V1.read({**row, "context": f"  {CONTEXT}", "starts": ["15"]})[0]["start"] == "13"
    for place in (12, 13):
        assert V1.read({**row, "answers": [" Bob"], "starts": [place]})[0]["start"] == "13"
    several = {**row, "answers": ["Eve", "Ada", "Bob", "Bob"], "starts": [5, 0, 13, 8]}
    assert V1.read(several) == ({"context": CONTEXT, "question": "Who was glad?"}, ("Eve", "Ada", "Bob"))
    for none in ([], [""]):
        assert "start" not in V1.read({**row, "starts": none})[0]


@pytest.mark.parametrize("start", [12, 3, -13, -5, 99, 10**12, 10**400])
def test_a_place_where_another_text_stands_is_refused(start):
    with pytest.raises(ValueError, match=f"field 'starts': at character {start} of the context stands another text than 'Bob'"):
        V1.read({"context": CONTEXT, "question": "Who?", "answers": ["Ada", "Bob"], "starts": [0, start]})


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"answers": []}, "field 'answers' is empty; give the option no_answer"),
        ({"answers": [" "]}, "field 'answers' is empty"),
        ({"answers": "Eve"}, "field 'answers': 'Eve' is not in the context; correct it or set the option outside: drop"),
        ({"question": " "}, "field 'question' is empty"),
        ({"starts": ["three"]}, "field 'starts' must hold the numbers"),
        ({"starts": [None]}, "field 'starts' must hold the numbers"),
        ({"starts": [8, 13]}, "field 'starts' has 2 places for 1 answers"),
    ],
)
def test_faults_name_the_field(changes, sentence):
    with pytest.raises(ValueError) as caught:
        V1.read({"context": CONTEXT, "question": "Who?", "answers": ["Bob"]} | changes)
    assert sentence in str(caught.value)


def test_options_say_what_becomes_of_a_question_without_an_answer():
    row = {"context": CONTEXT, "question": "Who?", "answers": []}
    assert V2.read(row)[1] == ()
    assert DROPS.read({**row, "answers": ["Eve"]}) is None


def test_a_prompt_must_name_context_and_question():
    spec = LIBRARY.task("squad-v1")
    lone = types.task_type(spec).__class__(spec.model_copy(update={"prompt": "{context}", "instructions": None}), V1.options)
    assert lone.fault() == "field 'prompt': an extractive question needs {question}"


def test_answers_in_words_are_parsed_back():
    loaded = splits.load_splits(LIBRARY.task("squad"))
    for some in (*loaded.train, *loaded.validation, *loaded.test):
        said = DROPS.answer(some)
        assert said in some.fields["context"] and said in some.gold
        assert DROPS.parse(some, f" {said}\nAnd more.") == said
        assert metrics.counted("squad_em").value([said], [list(some.gold)]) == 1
    assert V2.answer(example([])) == "unanswerable"
    for said in (" unanswerable\n", "Unanswerable.", "UNANSWERABLE"):
        assert V2.parse(example([]), said) == ""
    assert V2.parse(example([]), "unanswerable questions") == "unanswerable questions"
    assert metrics.counted("squad_em").value([""], [[]]) == 1


def test_an_answer_over_the_end_of_a_line_can_be_right():
    """What is written ends with the line: a decoder that has learned it must be able to give it whole."""
    spread = example(["12 Main St\nSpringfield"], "He lives at 12 Main St\nSpringfield today.")
    said = V2.answer(spread)
    assert said == "12 Main St Springfield" and V2.parse(spread, said) == said
    assert metrics.counted("squad_em").value([said], [list(spread.gold)]) == 1
    assert V2._span(spread) == (12, 34) and spread.fields["context"][12:34] == spread.gold[0]


@pytest.mark.parametrize("said", ["", "  ", "\n \n", "\n"])
def test_an_empty_answer_is_malformed(said):
    assert V1.parse(example(["Bob"]), said) is None and V2.parse(example(["Bob"]), said) is None


def test_without_the_option_nothing_stands_for_no_answer():
    assert V1.parse(example(["Bob"]), "unanswerable") == "unanswerable"


@settings(deadline=None)
@given(st.lists(st.text(st.characters(exclude_characters="\ue000"), max_size=12) | st.just("malformed"), max_size=3))
def test_what_a_malformed_answer_counts_as_is_never_right(gold):
    for name in ("squad_em", "squad_f1"):
        assert metrics.counted(name).value([V2.wrong(example(gold))], [gold]) == 0


def test_words_are_left_out_of_the_question_alone():
    some = Example("x", {"context": CONTEXT, "question": "Who was so glad?"}, ("Bob",))
    thin = V1.thinned(some, lambda words: [0, len(words) - 1])
    assert thin.fields == {"context": CONTEXT, "question": "Who glad?"} and thin.gold == ("Bob",)


@pytest.fixture(scope="module")
def squad():
    loaded = splits.load_splits(LIBRARY.task("squad"))
    return [*loaded.test, *loaded.train[:400]]


def said_by(window, example):
    first, last = window.labels
    return window.places[first][0], window.places[last][1]


@pytest.mark.parametrize("limit", [64, 384])
def test_answers_are_found_back_from_the_ends_of_real_rows(encoder, squad, limit):
    held = 0
    for some in squad:
        windows = DROPS.encode(encoder.tokenizer, limit, some, [some.fields["question"]])
        answer, context = DROPS.answer(some), some.fields["context"]
        start = context.find(answer)
        assert sum(window.mass for window in windows) == pytest.approx(1.0)
        for window in windows:
            spans = [place for place in window.places if place]
            inside = bool(spans) and spans[0][0] <= start and start + len(answer) <= spans[-1][1]
            if not inside:
                assert window.labels == (0, 0)
                continue
            held += 1
            begin, end = said_by(window, some)
            first, last = (window.places[label] for label in window.labels)
            # The whole answer, and not a token more: at its ends stand the tokens that hold its first and last character.
            assert first[0] <= start < first[1] and last[0] < start + len(answer) <= last[1]
            assert answer in context[begin:end] and len(context[begin:end].split()) <= len(answer.split()) + 2
        # The first window begins with the context, the last ends with it, and none is longer than the limit.
        assert max(len(window.ids) for window in windows) <= limit
        read = [[place for place in window.places if place] for window in windows]
        assert read[0][0][0] == 0 and read[-1][-1][1] == len(context)
    assert held >= len(squad) * 0.95


def test_the_answer_that_is_marked_is_at_its_place_and_not_at_its_first_likeness(encoder):
    for start in (8, 13):
        (window,) = V1.encode(encoder.tokenizer, 64, example(["Bob"], start=str(start)), ["Who?"])
        assert said_by(window, None) == (start, start + 3)


@pytest.mark.parametrize("answer", ["Ada", "A", "Ada met Bob. Bob was glad."])
def test_an_answer_at_the_very_beginning(encoder, answer):
    context = "A " + CONTEXT if answer == "A" else CONTEXT
    (window,) = V1.encode(encoder.tokenizer, 64, example([answer], context), ["Who?"])
    assert said_by(window, None) == (0, len(answer))


def test_a_question_without_an_answer_has_its_ends_on_the_first_token(encoder):
    (window,) = V2.encode(encoder.tokenizer, 64, example([]), ["Who?"])
    assert window.labels == (0, 0) and window.places[0] is None and window.mass == 1


def test_the_question_is_read_before_the_context(encoder):
    (window,) = V1.encode(encoder.tokenizer, 64, example(["Bob"]), ["Who?"])
    expected = encoder.tokenizer("Who?", CONTEXT)
    assert list(window.ids) == expected["input_ids"] and list(window.types) == expected["token_type_ids"]


def perfect(window, noise):
    """One-hot scores of the window's ends; where it doesn't hold the answer, low everywhere, and a padded end."""
    length = len(window.ids)
    scores = torch.rand(2, length + 4, generator=torch.Generator().manual_seed(noise))
    scores[:, length:] = -torch.inf
    if window.labels != (0, 0):
        for row, label in enumerate(window.labels):
            scores[row, label] = 20.0
    return scores


@pytest.mark.parametrize("limit", [96, 384])
def test_perfect_logits_give_the_answer_back(encoder, squad, limit):
    judged = 0
    for some in squad[:250]:
        windows = DROPS.encode(encoder.tokenizer, limit, some, [some.fields["question"]])
        found = {some.fields["context"][slice(*said_by(w, some))] for w in windows if w.labels != (0, 0)}
        if len(DROPS.answer(some).split()) > 8 or not found:
            continue  # longer than a window's overlap, or than an answer may be
        text, share = DROPS.judge(some, windows, [perfect(w, noise) for noise, w in enumerate(windows)])
        assert {text} == found and share > 0.99
        judged += 1
    assert judged > 200


@pytest.mark.parametrize(
    ("context", "answer"),
    [
        ("the word cafe\u0301 is here", "cafe\u0301"),
        ("वह दिल्ली से आया था", "दिल्ली से"),
        ("I love \u2764\ufe0f so", "\u2764\ufe0f"),
    ],
)
def test_an_answer_may_end_with_a_mark_that_the_tokenizer_drops(encoder, context, answer):
    """Planted fault: no window held such an answer whole, and none could give it."""
    some = example([answer], context)
    (window,) = V1.encode(encoder.tokenizer, 64, some, [some.fields["question"]])
    assert window.labels != (0, 0)
    assert V1.judge(some, [window], [perfect(window, 0)])[0] == answer


@st.composite
def scored(draw):
    length = draw(st.integers(2, 14))
    first = draw(st.integers(1, length - 1))
    last = draw(st.integers(first, length - 1))
    numbers = st.lists(st.integers(-50, 50), min_size=length, max_size=length)
    scores = torch.tensor([draw(numbers), draw(numbers)], dtype=torch.float) / 4
    places = tuple((3 * i, 3 * i + 2) if first <= i <= last else None for i in range(length))
    return Encoded(tuple(range(length)), labels=(0, 0), places=places), scores, draw(st.integers(1, 16))


@given(scored())
def test_the_best_span_is_the_best_of_all(case):
    window, scores, longest = case
    inside = [i for i, place in enumerate(window.places) if place]
    sums = {(a, b): (scores[0, a] + scores[1, b]).item() for a in inside for b in inside if a <= b < a + longest}
    score, first, last = best_span(window, scores, longest)
    assert score == pytest.approx(max(sums.values())) and sums[first, last] == pytest.approx(score)


@given(scored())
def test_confidence_is_the_spans_share_of_all_pairs_of_ends(case):
    window, scores, _ = case
    some = example(["x"], "ab cd ef gh ij kl mn op qr st uv wx yz")
    pairs = (scores[0][:, None] + scores[1][None]).flatten().double().softmax(0).view(len(window.ids), -1)
    text, share = V1.judge(some, [window], [scores])
    _, first, last = best_span(window, scores, V1.options.answer_tokens)
    assert text == some.fields["context"][3 * first : 3 * last + 2]
    assert share == pytest.approx(pairs[first, last].item(), rel=1e-4)


def test_no_answer_wins_where_its_score_does_in_every_window_and_it_may():
    window = Encoded((1, 2, 3), labels=(0, 0), places=(None, (0, 3), (4, 7)))
    sure, unsure = torch.tensor([[6.0, 2.0, 0.0], [6.0, 0.0, 3.0]]), torch.tensor([[1.0, 2.0, 0.0], [1.0, 0.0, 3.0]])
    nothing = torch.tensor([6.0, 2.0, 0.0]).softmax(0)[0] * torch.tensor([6.0, 0.0, 3.0]).softmax(0)[0]
    assert V2.judge(example([]), [window], [sure]) == ("", pytest.approx(nothing.item()))
    # Another window, in which a span beats nothing, holds the answer; and V1's questions all have one.
    text, share = V2.judge(example([]), [window, window], [sure, unsure])
    assert text == "Ada met" and 0 < share < 1
    assert V1.judge(example([]), [window], [sure])[0] == "Ada met"


def test_an_answer_that_was_cut_out_of_the_context_cannot_be_given():
    some = example(["Bob", "Robert"], context="Ada met Bob.")
    prompt = "Bob? Context: Ada met Bob.\nQuestion: Who met Bob? Answer:"
    at = prompt.index("Ada")
    assert V1.answerable(some, prompt, range(0)) is True
    assert V1.answerable(some, prompt, range(at, at + 7)) is True  # "Ada met"
    assert V1.answerable(some, prompt, range(at + 9, at + 10)) is False  # the middle of the name; the question's does not count
    assert V1.answerable(some, prompt, range(0, len(prompt))) is False
    assert V1.answerable(some, prompt, range(at + 12, len(prompt))) is True
    assert V1.answerable(example(["nowhere"], context="Ada met Bob."), prompt, range(0)) is None
    assert V2.answerable(example([], context="Ada met Bob."), prompt, range(0)) is None
    assert V1.answerable(some, "a prompt without the context", range(0)) is None


TEXT = "abc def ghi jklm"


def test_ends_by_hand():
    places = [None, (0, 3), (4, 7), (8, 11), None]
    assert ends(places, (4, 7), TEXT) == (2, 2)
    assert ends(places, (0, 11), TEXT) == (1, 3)
    assert ends(places, (5, 6), TEXT) == (2, 2)  # inside a token
    assert ends(places, (5, 9), TEXT) == (2, 3)
    assert ends(places, (8, 15), TEXT) == (0, 0)  # cut off
    assert ends(places, None, TEXT) == (0, 0) and ends([None, None], (0, 1), TEXT) == (0, 0)


@settings(deadline=None)
@given(st.integers(8, 30), st.text("ab ?", max_size=40))
def test_windows_cover_the_context_at_any_limit(encoder, limit, question):
    some = example(["Bob"], context="word " * 30 + CONTEXT)
    windows = V1.encode(encoder.tokenizer, limit, some, [question])
    covered = {character for w in windows for place in w.places if place for character in range(*place)}
    assert covered == {i for i, character in enumerate(some.fields["context"]) if character != " "}
    assert max(len(w.ids) for w in windows) <= limit


def test_an_encoder_without_a_head_marks_nothing():
    assert V1.untrained(example(["Bob"])) == ""
