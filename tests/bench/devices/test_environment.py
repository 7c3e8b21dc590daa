"""What may change a number though the question is the same."""

from importlib.metadata import PackageNotFoundError, version

import torch

from bench.devices import environment as module
from bench.devices.environment import environment, environment_id, versions


def test_the_environment_names_what_computes():
    here = environment("cpu", "fp32")
    assert set(here) == {"torch", "transformers", "tokenizers", "peft", "bitsandbytes", "numpy", "gguf", "device", "precision"}
    # What a package index names 2.13.0 may call itself 2.13.0+cu130.
    assert here["torch"].split("+")[0] == torch.__version__.split("+")[0] and here["numpy"] == version("numpy")
    assert (here["device"], here["precision"]) == ("cpu", "fp32")


def test_its_id_changes_with_every_entry_and_nothing_else():
    here = environment("cpu", "fp32")
    ids = {environment_id(here | {name: "other"}) for name in here} | {environment_id(here)}
    assert len(ids) == len(here) + 1 and all(len(each) == 16 for each in ids)
    assert environment_id(dict(reversed(here.items()))) == environment_id(here)


def test_what_is_not_installed_has_no_version(monkeypatch, request):
    def missing(package):
        if package == "bitsandbytes":
            raise PackageNotFoundError(package)
        return "1"

    monkeypatch.setattr(module, "version", missing)
    module._version.cache_clear()
    request.addfinalizer(module._version.cache_clear)
    assert "bitsandbytes" not in environment("cuda", "bf16") and "bitsandbytes" not in versions()
    assert versions()["deepspeed"] == "1"  # told in the record, and no part of the environment
    assert "deepspeed" not in environment("cuda", "bf16")
