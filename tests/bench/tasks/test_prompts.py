"""Examples in words, by hand and against the tokenizer's own chat template."""

import pytest

from bench.tasks import prompts
from bench.tasks.examples import Example

PAIR = Example("x", {"premise": "It {rains}.", "hypothesis": "It is wet.", "id": "7"}, "entailment")


@pytest.fixture
def rte(library):
    return library.task("rte")


def test_braces_of_the_prompt_are_filled_and_those_of_the_text_stay(rte):
    said = prompts.plain(rte, PAIR)
    assert "It {rains}." in said and said.index("It {rains}.") < said.index("It is wet.")
    assert "{hypothesis}" not in said and "7" not in said


def test_each_split_has_its_own_paraphrases_in_turn(rte):
    for split in ("train", "test"):
        own = rte.paraphrases(split)
        said = [prompts.instruction(rte, PAIR, split, index) for index in range(2 * len(own))]
        assert said[: len(own)] == said[len(own) :] == [text.format(**PAIR.fields).strip() for text in own]
    assert not set(rte.paraphrases("train")) & set(rte.paraphrases("test"))


def test_a_task_without_instructions_says_its_prompt(rte):
    mute = rte.model_copy(update={"instructions": None})
    assert prompts.instruction(mute, PAIR, "test", 5) == prompts.plain(mute, PAIR).strip()


def test_what_is_read_apart_leaves_its_place_empty(rte):
    spec = rte.model_copy(update={"instructions": None, "prompt": "{premise}\nIs it so: {hypothesis}"})
    assert prompts.instruction(spec, PAIR, "train", 0, without="premise") == "Is it so: It is wet."


def test_a_chat_is_the_templates_own(decoder, encoder):
    turn = [{"role": "user", "content": "Is it wet?"}]
    ids = decoder.tokenizer.apply_chat_template(turn, add_generation_prompt=True)["input_ids"]
    said = prompts.chat(decoder.tokenizer, "Is it wet?")
    assert decoder.tokenizer(said, add_special_tokens=False)["input_ids"] == ids
    assert said == "<s>user: Is it wet?</s><s>"  # and the answer follows at once
    assert prompts.chat(encoder.tokenizer, "Is it wet?") == "Is it wet?\nAnswer:"


@pytest.mark.parametrize(
    ("prompt", "without", "texts"),
    [
        ("{premise} so {hypothesis}?", None, ["It {rains}.", "It is wet."]),
        ("{hypothesis} since {premise}, {hypothesis}", None, ["It is wet.", "It {rains}."]),  # the prompt's order, each once
        ("{hypothesis}", None, ["It is wet."]),
        ("{id} {premise} {hypothesis}", None, ["7", "It {rains}. It is wet."]),  # a model reads a pair at most
        ("{id} {premise} {hypothesis}", "premise", ["7 It is wet."]),  # beside the long field there is one text
        ("{premise}", "premise", []),
    ],
)
def test_an_encoder_reads_one_text_or_a_pair(rte, prompt, without, texts):
    assert prompts.inputs(rte.model_copy(update={"prompt": prompt}), PAIR, without) == texts
