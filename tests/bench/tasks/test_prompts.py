"""An example in words, for a decoder and for an encoder."""

import pytest

from bench.tasks import prompts
from bench.tasks.examples import Example

EXAMPLE = Example("1", {"context": "Rome is old.", "question": "Is Rome old?", "group": "g"}, "yes")


@pytest.fixture
def spec(sst2):
    instructions = {"train": ["Read: {context}\n{question}", "{question} ({context})"], "test": ["Say: {question}"]}
    changes = {"prompt": "{context} Q: {question} {context}", "instructions": type(sst2.instructions)(**instructions)}
    return sst2.model_copy(update=changes)


def test_the_plain_prompt_is_filled(spec):
    assert prompts.plain(spec, EXAMPLE) == "Rome is old. Q: Is Rome old? Rome is old."


def test_paraphrases_are_taken_in_turn_from_the_splits_own(spec):
    said = [prompts.instruction(spec, EXAMPLE, "train", index) for index in range(3)]
    assert said == ["Read: Rome is old.\nIs Rome old?", "Is Rome old? (Rome is old.)", "Read: Rome is old.\nIs Rome old?"]
    assert prompts.instruction(spec, EXAMPLE, "test", 5) == "Say: Is Rome old?"


def test_what_an_encoder_reads_apart_is_left_out_of_the_words(spec):
    assert prompts.instruction(spec, EXAMPLE, "train", 0, without="context") == "Read: \nIs Rome old?"
    assert prompts.inputs(spec, EXAMPLE) == ["Rome is old.", "Is Rome old?"]  # a pair; each field once
    assert prompts.inputs(spec, EXAMPLE, without="context") == ["Is Rome old?"]
    assert prompts.inputs(spec.model_copy(update={"prompt": "{context}"}), EXAMPLE, without="context") == []


def test_a_chat_template_makes_a_turn_and_without_one_there_is_a_question(decoder, encoder):
    assert prompts.chat(decoder.tokenizer, "Hi?") == "<s>user: Hi?</s><s>"
    assert prompts.chat(encoder.tokenizer, "Hi?") == "Hi?\nAnswer:"


def test_a_template_that_would_think_first_is_told_not_to(decoder, monkeypatch):
    """Qwen3's and SmolLM3's; an answer's tokens end long before such thoughts do."""
    template = "{% if enable_thinking is not defined or enable_thinking %}<think>{% endif %}{{ messages[0]['content'] }}"
    monkeypatch.setattr(decoder.tokenizer, "chat_template", template)
    assert prompts.chat(decoder.tokenizer, "Hi?") == "Hi?"


def test_a_chats_turns_are_turns_of_the_template_and_without_one_lines(decoder, encoder):
    before = ["Hi", "Hello"]
    assert prompts.chat(decoder.tokenizer, "Who?", before) == "<s>user: Hi</s><s>assistant: Hello</s><s>user: Who?</s><s>"
    assert prompts.chat(encoder.tokenizer, "Who?", before) == "User: Hi\nAssistant: Hello\nUser: Who?\nAssistant:"
    assert prompts.chat(encoder.tokenizer, "Hi", []) == "User: Hi\nAssistant:"
