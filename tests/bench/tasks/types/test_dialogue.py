"""A chat's turns from the columns that sources have, and its answers in turn."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import UserError
from bench.specs.task import TaskSpec
from bench.tasks import types
from bench.tasks.examples import Example

FIELDS = {
    "name": "helpdesk",
    "version": 1,
    "description": "",
    "type": "dialogue",
    "metrics": ["chrf"],
    "train": {"path": "rows.jsonl", "columns": {"turns": "messages.content", "roles": "messages.role"}},
    "validation": {"share": 0.2},
    "test": {"share": 0.2},
    "prompt": "{history}User: {text}\nAssistant:",
    "instructions": {"train": ["{text}"], "test": ["{text}"]},
}


def load(**changes):
    return types.task_type(TaskSpec.model_validate(FIELDS | changes))


KIND = load()


@pytest.mark.parametrize(
    "row",
    [
        {"turns": ["Hi  there", "Hello\nyou", "Who?", "Me"]},
        {"turns": ["Hi there", "Hello you", "Who?", "Me"], "roles": ["user", "assistant", "user", "assistant"]},
        {"turns": ["Hi there", "Hello you", "Who?", "Me"], "roles": ["human", "gpt", "Human", "GPT"]},
        {"user": ["Hi there", "Who?"], "assistant": ["Hello you", "Me"]},
        {"user": ["Hi there", "Who?", "Where?"], "assistant": ["Hello you", "Me"]},  # the last has no answer
        {"turns": ["Hi", "there", "Hello", "you", "Who?", "Me"], "roles": ["user", "user", "bot", "bot", "user", "bot"]},
        {"turns": ["Welcome", "Hi there", "Hello you", "Who?", "Me"], "roles": ["bot", "user", "bot", "user", "bot"]},
    ],
)
def test_rows(row):
    fields, gold = KIND.read(row)
    assert gold == ("Me",)
    assert fields == {"history": "User: Hi there\nAssistant: Hello you\n", "text": "Who?"}
    example = Example("1", fields, gold)
    assert KIND.before(example) == ["Hi there", "Hello you"]
    assert [(e.fields, e.gold) for e in KIND.earlier(example)] == [({"history": "", "text": "Hi there"}, ("Hello you",))]


def test_what_the_system_says_and_what_opens_stand_before_the_first_words():
    said = {"turns": ["Be kind.", "Hi", "Hello"], "roles": ["system", "user", "assistant"]}
    assert KIND.read(said)[0] == {"history": "", "text": "Be kind. Hi"}
    assert KIND.read({"turns": ["Hi", "Hello"], "opening": "A story."})[0]["text"] == "A story. Hi"
    # Also where the first turns are left out.
    short = load(options={"turns": 2})
    fields, gold = short.read({"turns": ["Hi", "Hello", "Who?", "Me"], "opening": "A story."})
    assert (fields, gold) == ({"history": "", "text": "A story. Who?"}, ("Me",))


def test_other_columns_stay_and_dialogues_without_an_answer_go():
    assert KIND.read({"turns": ["Hi", "Hello"], "topic": "greetings"})[0]["topic"] == "greetings"
    assert KIND.read({"turns": ["Hi"]}) is None
    assert KIND.read({"turns": ["Hello"], "roles": ["assistant"]}) is None
    assert KIND.before(Example("1", {"history": "", "text": "Hi"}, ("Hello",))) == []


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({"turns": ["Hi", " "]}, "a turn is empty"),
        ({"turns": ["Hi", "x"], "roles": ["user"]}, "2 turns, but 1 roles"),
        ({"turns": ["Hi", "x"], "roles": ["user", "judge"]}, "field 'roles' names 'judge'; a chat has user, human"),
        ({"user": ["Hi"], "assistant": ["x", "y"]}, "1 turns of the field 'user' and 2 of 'assistant' do not alternate"),
    ],
)
def test_faults_name_the_field(row, sentence):
    with pytest.raises(ValueError) as caught:
        KIND.read(row)
    assert sentence in str(caught.value)


def test_what_a_tasks_file_must_name():
    with pytest.raises(UserError, match=r"a dialogue's templates name \{text\}"):
        load(prompt="{history}", instructions={"train": ["Go on."], "test": ["Go on."]})
    with pytest.raises(UserError, match="must give 'turns', or 'user' and 'assistant'; they give user, topic"):
        load(train={"path": "rows.jsonl", "columns": {"user": "q", "topic": "t"}})
    with pytest.raises(UserError, match="metric 'accuracy' does not fit"):
        load(metrics=["accuracy"])


@given(st.lists(st.text("ab :\n", min_size=1).filter(str.strip), min_size=2, max_size=9))
def test_each_answer_is_asked_for_once_and_all_that_was_said_comes_before(turns):
    fields, gold = KIND.read({"turns": turns})
    example = Example("1", fields, gold)
    said = [" ".join(turn.split()) for turn in turns[: len(turns) // 2 * 2]]
    parts = [*KIND.earlier(example), example]
    assert [KIND.answer(part) for part in parts] == said[1::2]
    assert [[*KIND.before(part), part.fields["text"]] for part in parts] == [said[:end] for end in range(1, len(said), 2)]


def test_loss_on_the_last_answer_alone():
    fields, gold = KIND.read({"turns": ["Hi", "Hello", "Who?", "Me"]})
    assert load(options={"loss_on": "last answer"}).earlier(Example("1", fields, gold)) == []


def test_words_are_left_out_of_the_last_turn_alone():
    fields, gold = KIND.read({"turns": ["Hi", "Hello", "Who is it", "Me"]})
    thinned = KIND.thinned(Example("1", fields, gold), lambda words: [0, 2])
    assert thinned.fields == {**fields, "text": "Who it"}
