"""Answers read one by one against those of the batches: two ways, written apart, to the same numbers."""

import json
import shutil
from dataclasses import replace

import pytest

from bench.inference.contexts import contexts
from bench.inference.evalset import EvalSet
from bench.inference.local import LocalBackend
from bench.inference.predictions import predict
from bench.modeling.models import find_model
from bench.selftests.plain_answers import PlainAnswer, plain_answer
from bench.selftests.plain_reader import PlainReader
from bench.specs.wording import Wording
from bench.tasks import splits, types
from bench.tasks.encoding import Encoding


@pytest.fixture
def evalset(library):
    def made(task, model, wording=None, **more):
        spec = library.task(task)
        limit = more.pop("limit", 128)
        options = {"items": 6, **more}
        return EvalSet(
            types.task_type(spec), splits.load_splits(spec), Encoding(model, limit), wording or Wording(), seed=0, **options
        )

    return made


def same(evalset, model, net, least=1):
    """Whether all answers agree, of which at least so many could be read in one pass."""
    found = predict(LocalBackend(net, model), evalset)
    plain = [plain_answer(evalset, index, PlainReader(net, model)) for index in range(len(found))]
    assert sum(answer is not None for answer in plain) >= least
    known = [plain_answer(evalset, index, PlainReader(net, model), said) for index, said in enumerate(found["prediction"])]
    assert [answer and answer.value for answer in known] == [answer and answer.value for answer in plain]
    for answer, (_, row) in zip(plain, found.iterrows(), strict=True):
        if answer and answer.margin > 1e-4:
            value = evalset.task.wrong(row) if answer.value is None else answer.value
            kept = row["prediction"] if isinstance(value, str) else list(row["prediction"])
            assert kept == (pytest.approx(value, rel=1e-5) if evalset.task.asks == "read" else value)
            assert row["confidence"] == pytest.approx(answer.confidence, abs=1e-4)
        if answer and answer.reference_loss is not None:
            assert row["reference_loss"] == pytest.approx(answer.reference_loss, rel=1e-4)
    return True


@pytest.mark.parametrize("wording", [Wording(), Wording(shots=2), Wording(style="instruction")])
@pytest.mark.parametrize("limit", [128, 16])
def test_a_decoder_ranks_alike(evalset, decoder, wording, limit):
    assert same(evalset("sst2", decoder, wording, limit=limit), decoder, decoder.load().eval(), least=6)


def test_a_decoder_ranks_answers_that_begin_each_other_alike(evalset, decoder):
    asked = evalset("sst2", decoder)
    spec = asked.task.spec.model_copy(update={"answers": {"negative": "good", "positive": "good film"}})
    asked = replace(asked, task=types.task_type(spec))
    end = decoder.tokenizer.eos_token_id
    assert all((*ids["positive"][: len(ids["negative"]) - 1], end) == ids["negative"] for ids in asked.candidates)
    assert same(asked, decoder, decoder.load().eval(), least=6)


@pytest.mark.parametrize("normalised", [None, "characters"])
def test_choices_that_begin_each_other_are_ranked_alike(evalset, decoder, normalised):
    """Planted fault: the second reading ended such choices also where their likelihoods are divided by their lengths."""
    asked = evalset("medmcqa", decoder, items=4)
    spec = asked.task.spec.model_copy(update={"options": {"normalised": normalised}})
    choices = {"choices": "A. good film\nB. good\nC. bad"}
    examples = [replace(each, fields={**each.fields, **choices}, gold="A") for each in asked.examples]
    data = replace(asked.data, test=examples)
    assert same(replace(asked, task=types.task_type(spec), data=data), decoder, decoder.load().eval(), least=4)


def test_a_decoder_writes_alike(evalset, decoder):
    squad = evalset("squad", decoder, limit=96, items=3)
    assert same(squad, decoder, decoder.load().eval(), least=3)


@pytest.mark.parametrize("style", ["plain", "instruction"])
@pytest.mark.parametrize("templated", [True, False])
def test_the_next_answer_of_a_chat_is_written_alike(evalset, decoder, monkeypatch, style, templated):
    if not templated:
        monkeypatch.setattr(decoder.tokenizer, "chat_template", None)
    chat = evalset("coqa-chat", decoder, Wording(style=style), limit=700, items=2)
    asked = [decoder.tokenizer.decode(context.ids) for context in contexts(chat)]
    assert all(example.fields["text"] in text for example, text in zip(chat.examples, asked, strict=True))
    assert same(chat, decoder, decoder.load().eval(), least=2)


@pytest.mark.parametrize("file", ["generation_config.json", "config.json"])
def test_a_decoder_stops_alike_where_its_files_say_so(evalset, decoder, library, tmp_path, monkeypatch, file):
    """With what it would write second, as the end of a turn: in the file for it, or beside the architecture's numbers."""
    written, seen = PlainReader.written, []
    monkeypatch.setattr(PlainReader, "written", lambda *args: seen.append(written(*args)) or seen[-1])

    def asked(model):
        squad = evalset("squad", model, Wording(style="instruction"), limit=96, items=3)
        assert same(squad, model, model.load().eval(), least=3)
        return seen[-3][0]

    before = asked(decoder)
    shutil.copytree(decoder.folder, tmp_path, dirs_exist_ok=True)
    (tmp_path / "generation_config.json").unlink()
    told = json.loads((tmp_path / file).read_text()) if file == "config.json" else {}
    (tmp_path / file).write_text(json.dumps(told | {"eos_token_id": [2, before[1]]}))
    after = asked(find_model(str(tmp_path), library))
    assert after == before[: len(after)] and after[-1] == before[1] and len(after) <= 2 < len(before)


def test_a_decoder_reads_alike(evalset, decoder):
    assert same(evalset("film-plots", decoder, limit=512), decoder, decoder.load().eval())


@pytest.mark.parametrize("task", ["sst2", "sec-entities", "squad"])
def test_an_encoders_head_answers_alike(evalset, encoder, task):
    asked = evalset(task, encoder, head=0, limit=256)
    net = encoder.load(asked.task.auto_class, num_labels=asked.task.outputs()).eval()
    assert same(asked, encoder, net)


def test_an_encoders_head_under_an_instruction(evalset, encoder):
    asked = evalset("sec-entities", encoder, Wording(style="instruction"), head=0, limit=256)
    assert same(asked, encoder, encoder.load(asked.task.auto_class, num_labels=asked.task.outputs()).eval())


def test_a_word_that_the_tokenizer_leaves_out_is_no_entity(evalset, encoder):
    """A space of no width stands in many texts from the web."""
    asked = evalset("sec-entities", encoder, head=0, limit=256)
    net = encoder.load(asked.task.auto_class, num_labels=asked.task.outputs()).eval()
    text = "Ann \u200b lives in Rome"
    example = replace(asked.examples[0], fields={**asked.examples[0].fields, "text": text}, gold=("O",) * 5)
    vars(asked)["examples"] = [example]
    assert same(asked, encoder, net) and plain_answer(asked, 0, PlainReader(net, encoder)).value[1] == "O"


@pytest.mark.parametrize("shots", [0, 1, 4])  # with one, a label has none and is known by its description
def test_an_encoder_is_similar_alike(evalset, encoder, shots):
    import transformers

    net = encoder.load(transformers.AutoModel).eval()
    assert same(evalset("sst2", encoder, Wording(shots=shots)), encoder, net, least=6)


def test_what_needs_several_windows_is_left_out(evalset, encoder):
    asked = evalset("squad", encoder, head=0, limit=48)
    net = encoder.load(asked.task.auto_class, num_labels=2).eval()
    assert plain_answer(asked, 0, PlainReader(net, encoder)) is None


@pytest.mark.parametrize(
    ("said", "margin"),
    [
        ("Der Ordner", 0.2),  # ends where the plain reading goes on
        ("Der Ordner ist leer und alt", 0.3),  # goes on where it ends
        ("Der Baum", 2.0),
        ("Ein Ordner", 1.0),
        ("Der Ordner ist leer", 0.2),  # the same
        (["Der Ordner"], 0.2),  # no text any more
    ],
)
def test_a_text_hangs_on_the_choice_from_which_on_it_goes_another_way(said, margin):
    steps = (("Der", 1.0), ("Der Ordner", 2.0), ("Der Ordner ist leer", 0.2), ("Der Ordner ist leer", 0.3))
    assert PlainAnswer("Der Ordner ist leer", 0.5, 0.2, steps).margin_before(said) == margin


def test_a_token_that_ends_within_a_letter_is_no_other_way_to_go_on():
    steps = (("f", 5.0), ("f\ufffd", 4.0), ("fü", 3.0), ("für", 0.2))
    assert PlainAnswer("für", 0.5, 0.2, steps=steps).margin_before("fünf") == 0.2
    assert PlainAnswer("für", 0.5, 0.2, steps=steps).margin_before("vor") == 5.0
