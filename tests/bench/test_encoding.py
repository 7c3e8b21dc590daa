import pytest
import torch

from bench import data, tasktypes
from bench.encoding import IGNORE, Encoded, Encoding, collate
from bench.prompts import Wording


@pytest.fixture(scope="module")
def first(sst2):
    return data.load(sst2).train[0]


def test_a_decoder_learns_the_answer_alone(sst2, decoding, first):
    encoded = decoding.for_decoder(tasktypes.load(sst2), first, Wording(), 0)
    tokenizer = decoding.model.tokenizer
    assert tokenizer.decode(encoded.ids) == f"Review: {first.fields['text']}\nSentiment: {first.label}"
    assert tokenizer.decode(encoded.ids[-encoded.answer :]) == f" {first.label}"


def test_instructions_use_the_chat_template_and_other_paraphrases_in_the_test(sst2, decoding, first):
    kind, wording = tasktypes.load(sst2), Wording(style="instruction")
    train = [decoding.model.tokenizer.decode(decoding.for_decoder(kind, first, wording, i).ids) for i in range(8)]
    test = [decoding.model.tokenizer.decode(decoding.context(sst2, first, wording, "test", i)) for i in range(8)]
    assert len(set(train)) == len(sst2.instructions.train) >= 3
    assert not {text.rsplit("<s>", 1)[0] for text in train} & {text.rsplit("<s>", 1)[0] for text in test}
    assert all(text.startswith("<s>user: ") and text.endswith(first.label) for text in train)


def test_an_encoder_reads_pairs_as_pairs_and_instructions_as_text(library, encoder):
    rte = library.task("rte")
    example, kind, encoding = data.load(rte).train[0], tasktypes.load(rte), Encoding(encoder, 128)
    plain = encoding.for_encoder(kind, example, Wording(), "train", 0)
    expected = encoder.tokenizer(example.fields["premise"], example.fields["hypothesis"])["input_ids"]
    assert list(plain.ids) == expected
    told = encoding.for_encoder(kind, example, Wording(style="instruction"), "train", 0)
    assert len(told.ids) > len(plain.ids) - 2


def test_long_texts_lose_their_middle(decoding):
    ids = list(range(1000))
    fitted = decoding.fitted(ids, room=6)
    assert len(fitted) == 250
    assert fitted[:125] == tuple(ids[:125]) and fitted[125:] == tuple(ids[875:])
    assert decoding.fitted(ids[:250], room=6) == tuple(ids[:250])


def test_padding_stands_left_and_labels_end_together():
    batch = collate([Encoded((5, 6, 7, 8), answer=2), Encoded((9, 10), answer=1)], 0, torch.device("cpu"))
    assert batch.input_ids.tolist() == [[5, 6, 7], [0, 0, 9]]
    assert batch.attention_mask.tolist() == [[1, 1, 1], [0, 0, 1]]
    assert batch.position_ids.tolist() == [[0, 1, 2], [0, 0, 0]]
    assert batch.labels.tolist() == [[7, 8], [IGNORE, 10]]


def test_each_example_sees_its_own_head():
    batch = collate(
        [Encoded((5,), label=1, head=(0, 2)), Encoded((6,), label=0, head=(2, 5))], 0, torch.device("cpu"), outputs=5
    )
    assert batch.labels.tolist() == [1, 2]
    uneven = collate([Encoded((5, 6), head=(0, 2)), Encoded((7,), head=(0, 2))], 0, torch.device("cpu"), outputs=2)
    assert uneven.input_ids.tolist() == [[5, 6], [7, 0]]  # positions of an encoder count from the left
    assert batch.allowed.tolist() == [[True, True, False, False, False], [False, False, True, True, True]]
