"""Which passes read whole texts, and where a text lies in its row."""

import pytest
import torch

from bench.modeling.replay.whole_texts import WholeTexts, text_hash
from bench.tokens.encoded import Encoded, collate

CPU = torch.device("cpu")
TEXTS = [(5, 6, 7), (8, 9), (10, 11, 12, 13)]


def asked(family, texts=TEXTS, **more):
    decodes = family == "decoder"
    rows = [Encoded((*ids, 1), answer=1) if decodes else Encoded(ids, labels=(0,), types=(0,) * len(ids)) for ids in texts]
    batch = collate(rows, 0, CPU)
    own = {"position_ids": batch.position_ids, "use_cache": False} if decodes else {"token_type_ids": batch.types}
    return {"input_ids": batch.input_ids, "attention_mask": batch.attention_mask, **own, **more}


@pytest.mark.parametrize(("family", "starts"), [("encoder", [0, 0, 0]), ("decoder", [1, 2, 0])])
def test_texts_are_found_in_their_padding(family, starts):
    found = WholeTexts.of(asked(family), family, numbers=True)
    types = [(0,) * len(ids) if family == "encoder" else () for ids in TEXTS]
    assert found.texts == list(zip(TEXTS, types, strict=True)) and found.starts == starts and found.width == 4


@pytest.mark.parametrize("family", ["encoder", "decoder"])
def test_states_lie_where_their_texts_lie(family):
    found = WholeTexts.of(asked(family), family, numbers=True)
    rows = found.padded([torch.tensor(ids, dtype=torch.float)[:, None] for ids in TEXTS])
    given = asked(family)
    assert torch.equal(rows[..., 0].long(), given["input_ids"] * given["attention_mask"])


@pytest.mark.parametrize("family", ["encoder", "decoder"])
def test_some_texts_are_asked_in_the_same_way_as_all(family):
    found = WholeTexts.of(asked(family), family, numbers=True)
    expected = asked(family, TEXTS[:1])
    alone = found.alone(found.texts[:1], len(found.texts[0][0]))
    wider = found.alone(found.texts[:2], 24)
    assert wider["input_ids"].shape == (2, 24) and not wider["input_ids"][0, len(found.texts[0][0]) :].any()
    assert wider["attention_mask"].sum(1).tolist() == [len(ids) for ids, _ in found.texts[:2]]
    assert alone.keys() == expected.keys()
    for name, value in expected.items():
        assert alone[name] is value if value is False else torch.equal(alone[name], value)


def test_a_text_is_another_in_other_ids_order_or_types():
    names = {
        text_hash(text)
        for text in (((1, 2), ()), ((2, 1), ()), ((1, 2), (0, 0)), ((1, 2), (0, 1)), ((1,), (2,)), ((1, 2, 0), ()))
    }
    assert len(names) == 6 and text_hash(((1, 2), ())) in names


DECODER = [
    {"use_cache": True},
    {"use_cache": None},  # which then keeps keys and values
    {"past_key_values": object()},
    {"position_ids": None},  # and so it would count padding
    {"position_ids": torch.arange(4).expand(3, 4)},
    {"inputs_embeds": torch.zeros(3, 4, 2)},
    {"output_hidden_states": True},
    {"attention_mask": None},
    {"attention_mask": torch.tensor([[0, 1, 0, 1]] * 3)},
    {"attention_mask": torch.tensor([[0, 0, 0, 0]] * 3)},
    {"attention_mask": torch.ones(3, 1, 4, 4)},
]


@pytest.mark.parametrize("changed", DECODER, ids=lambda changed: f"{next(iter(changed))}")
def test_any_other_pass_of_a_decoder_is_left_alone(changed):
    assert WholeTexts.of(asked("decoder", **changed), "decoder", numbers=True) is None


ENCODER = [
    {"attention_mask": None},
    {"attention_mask": torch.tensor([[0, 1, 1, 1]] * 3)},  # padded on the left: it counts from the first column
    {"position_ids": torch.arange(4).expand(3, 4)},
    {"output_hidden_states": True},
    {"head_mask": torch.ones(2)},
]


@pytest.mark.parametrize("changed", ENCODER, ids=lambda changed: f"{next(iter(changed))}")
def test_any_other_pass_of_an_encoder_is_left_alone(changed):
    assert WholeTexts.of(asked("encoder", **changed), "encoder", numbers=True) is None


def test_a_decoder_that_takes_no_numbers_of_places_needs_none():
    assert WholeTexts.of(asked("decoder", position_ids=None), "decoder", numbers=False).starts == [1, 2, 0]


def test_what_says_no_changes_nothing():
    quiet = {"output_hidden_states": False, "output_attentions": None, "return_dict": True}
    assert WholeTexts.of(asked("encoder", **quiet), "encoder", numbers=True) == WholeTexts.of(asked("encoder"), "encoder", True)
