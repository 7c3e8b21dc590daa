import shutil

import pytest
import torch
import yaml
from transformers import (
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    BartConfig,
    BartModel,
)

from bench.errors import UserError
from bench.modeling import models
from bench.planning.options import PlanOptions
from bench.planning.plan import plan
from bench.specs.library import Library
from bench.tasks.prompts import chat


def test_families(decoder, encoder):
    assert decoder.family == "decoder"
    assert encoder.family == "encoder"


def test_a_model_that_is_an_encoder_and_a_decoder_is_refused(tmp_path, library, encoder):
    """Planted fault: BART passed as an encoder, of which a part alone was counted, frozen and quantised."""
    config = BartConfig(vocab_size=100, d_model=16, encoder_layers=1, decoder_layers=1, encoder_ffn_dim=16, decoder_ffn_dim=16)
    BartModel(config).save_pretrained(tmp_path)
    encoder.tokenizer.save_pretrained(tmp_path)
    with pytest.raises(UserError, match="is an encoder with a decoder; name one that is either of the two"):
        _ = models.Model("bart", tmp_path, "hash").family


@pytest.mark.parametrize("kind", [AutoModelForSequenceClassification, AutoModelForTokenClassification])
def test_the_head_of_an_earlier_fine_tuning_is_drawn_anew(encoder, tmp_path, kind):
    """Planted fault: it was kept where it had as many outputs, and what it knew counted as gained."""
    tuned = encoder.load(kind, num_labels=2)
    with torch.no_grad():
        tuned.classifier.weight.fill_(7.0)
        tuned.bert.encoder.layer[1].output.dense.weight.fill_(5.0)
    tuned.save_pretrained(tmp_path)
    shutil.copy(encoder.folder / "tokenizer.json", tmp_path)
    found = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        found.append(models.Model("tuned", tmp_path, "hash").load(kind, num_labels=2))
    first, again, other = (model.classifier.weight for model in found)
    assert first.std() < 0.1 and torch.equal(first, again) and not torch.equal(first, other)
    assert all(torch.all(model.bert.encoder.layer[1].output.dense.weight == 5) for model in found)


def test_the_same_files_are_the_same_model_wherever_they_lie(decoder, decoder_folder, tmp_path, library):
    copy = shutil.copytree(decoder_folder, tmp_path / "elsewhere")
    assert models.find_model(str(copy), library).content_hash == decoder.content_hash
    config = (copy / "config.json").read_text()
    (copy / "config.json").write_text(config.replace('"rms_norm_eps": 1e-06', '"rms_norm_eps": 1e-05'))
    assert models.find_model(str(copy), library).content_hash != decoder.content_hash


def test_prompts_are_the_same_on_every_day(decoder_folder, tmp_path, library):
    """Many a chat template writes the day on which it is asked: a base that was asked yesterday read another prompt."""
    folder = shutil.copytree(decoder_folder, tmp_path / "dated")
    template = (
        "\n  {% if strftime_now is defined %}Today: {{ strftime_now('%d %b %Y') }}{% endif %}\n{{ messages[0]['content'] }}"
    )
    (folder / "chat_template.jinja").write_text(template)
    dated, plain = models.find_model(str(folder), library), models.find_model(str(decoder_folder), library)
    assert chat(dated.tokenizer, "Hi?") == f"\nToday: {models.DAY}Hi?"
    assert (dated.day, plain.day) == (models.DAY, None)
    runs = [plan(PlanOptions("sentiment", str(each), strategies=["zero-shot"]), "fp32")[0] for each in (folder, decoder_folder)]
    assert [run.inputs.get("day") for run in runs] == [models.DAY, None]


def test_a_model_that_is_kept_from_thinking_is_asked_another_question(decoder_folder, tmp_path, library):
    """Than by a version that let it think: its finished runs are no answers to this one."""
    folder = shutil.copytree(decoder_folder, tmp_path / "thinking")
    (folder / "chat_template.jinja").write_text("{% if not enable_thinking %}-{% endif %}{{ messages[0]['content'] }}")
    runs = [plan(PlanOptions("sentiment", str(each), strategies=["zero-shot"]), "fp32")[0] for each in (folder, decoder_folder)]
    assert [run.inputs.get("thinking") for run in runs] == ["off", None] and runs[0].model.conventions["thinking"] == "off"


def test_a_model_here_says_what_it_takes_and_what_it_gives(decoder, encoder):
    """As `EndpointModel` does, so that nobody has to ask which of the two it is."""
    for model in (decoder, encoder):
        assert model.needs_device and model.own_style is None and model.checkpoint is model
        assert model.check_access() is None and model.writes_at_most(7) == 7
        assert model.unfit_for("corpus", "read", trains=True) is model.unfit_for("corpus", "read", trains=False) is None
    assert decoder.lacks("generate") is None and encoder.lacks("generate") == "model 'tiny-bert' gives no generate"


def test_a_result_hangs_on_how_a_model_here_computes(decoder):
    asked = {"model": decoder.content_hash, "precision": "bf16", "max_length": 64}
    assert decoder.inputs("bf16", 64) == asked | decoder.conventions
    other = models.Model("d", decoder.folder, decoder.content_hash, True, "bf16")
    assert other.inputs("bf16", 64) == {
        **asked,
        **decoder.conventions,
        "reference_precision": "bf16",
        "trust_remote_code": True,
    }


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("minilmm", "unknown model 'minilmm'; did you mean minilm?"),
        ("./nowhere", "no such folder"),
        ("no-such/model", r"not a folder, not pinned, and the hub did not give it .* use a pinned model"),
    ],
)
def test_unknown_models_say_what_to_use(library, monkeypatch, name, sentence):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(UserError, match=sentence):
        models.find_model(name, library)


def test_only_safetensors_are_loaded(tmp_path, decoder_folder, library):
    (tmp_path / "config.json").write_text((decoder_folder / "config.json").read_text())
    (tmp_path / "pytorch_model.bin").write_bytes(b"pickle")
    with pytest.raises(UserError, match="has no safetensors file"):
        models.find_model(str(tmp_path), library)
    (tmp_path / "config.json").unlink()
    with pytest.raises(UserError, match="has no config.json"):
        models.find_model(str(tmp_path), library)


def test_a_hub_model_is_taken_from_the_local_cache(tmp_path, monkeypatch, decoder, decoder_folder, library):
    """The hub's own cache layout stands in for the hub."""
    commit = "0" * 40
    place = tmp_path / "models--somebody--tiny"
    shutil.copytree(decoder_folder, place / "snapshots" / commit)
    (place / "refs").mkdir()
    (place / "refs" / "main").write_text(commit)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    found = models.find_model("somebody/tiny", library)
    assert found.name == "somebody/tiny" and found.family == "decoder"
    assert found.content_hash == decoder.content_hash


@pytest.fixture
def planned(tmp_path, monkeypatch, decoder):
    """A library with a hub model's spec, and an empty hub cache without a hub."""
    (tmp_path / "models").mkdir()
    shape = {k: v for k, v in decoder.config.to_dict().items() if k.startswith("num_") or k.endswith("_size")}
    config = {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "tie_word_embeddings": True, **shape}
    spec = {"name": "far", "description": "a model on a hub", "hub": "somebody/far", "revision": "0" * 40, "license": "MIT"}
    (tmp_path / "models" / "far.yaml").write_text(yaml.safe_dump({**spec, "config": config}))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    return tmp_path, Library(tmp_path)


def fetched(folder, decoder_folder):
    return shutil.copytree(decoder_folder, folder / "hub" / "models--somebody--far" / "snapshots" / ("0" * 40))


def test_a_hub_model_can_be_planned_without_a_hub(planned, decoder):
    _, library = planned
    model = models.find_model("far", library)
    assert not model.at_hand and model.family == "decoder"
    shape = model.shape(AutoModelForCausalLM)
    real = decoder.load()
    assert {n: p.shape for n, p in shape.named_parameters()} == {n: p.shape for n, p in real.named_parameters()}
    assert all(parameter.is_meta for parameter in shape.parameters())
    with pytest.raises(UserError, match=r"model 'far': the hub did not give somebody/far at 0000.*; use --model"):
        model.load()


def test_a_planned_model_is_the_one_that_runs(planned, decoder, decoder_folder):
    folder, library = planned
    before = models.find_model("far", library)
    fetched(folder, decoder_folder)
    model = models.find_model("far", library)
    assert model.at_hand and model.content_hash == before.content_hash
    assert model.tokenizer("a film").input_ids == decoder.tokenizer("a film").input_ids
    assert torch.equal(model.load().lm_head.weight, decoder.load().lm_head.weight)
    text = (folder / "models" / "far.yaml").read_text().replace("'" + "0" * 40 + "'", "'" + "1" * 40 + "'")
    (folder / "models" / "far.yaml").write_text(text)
    assert models.find_model("far", library).content_hash != before.content_hash


def test_a_hub_that_gives_another_model_is_refused(planned, decoder_folder):
    folder, library = planned
    path = fetched(folder, decoder_folder) / "config.json"
    path.write_text(path.read_text().replace('"num_hidden_layers": 4', '"num_hidden_layers": 5'))
    with pytest.raises(UserError, match="models/far.yaml: config says num_hidden_layers 4, but the hub's is 5"):
        models.find_model("far", library).load()
