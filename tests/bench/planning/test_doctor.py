"""What the doctor says is asked of the machine."""

import urllib.error
import urllib.request

import pytest

from bench.planning import doctor, estimate


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(estimate, "speed", lambda: 12.3e9)


def test_findings_name_what_there_is(monkeypatch, tmp_path):
    monkeypatch.setenv("TUNEBENCH_CACHE", str(tmp_path / "not" / "there" / "yet"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)  # of HF_HUB_OFFLINE=1, =true or =on
    found = dict(doctor.findings())
    assert found["fp32 matrix product"] == "12 GFLOP/s"
    assert found["precision of `auto`"] in ("fp32", "bf16")
    assert found["cache"].startswith(str(tmp_path)) and "GiB free" in found["cache"]
    assert found["hub"] == "offline (HF_HUB_OFFLINE)" and found["launchers"].startswith("accelerate")
    assert {"torch", "transformers", "tokenizers", "numpy", "gguf"} <= set(found)


def test_a_hub_that_cannot_be_reached_is_told_with_what_works(monkeypatch, capsys):
    def refused(*_, **__):
        raise urllib.error.URLError("no route")

    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr(urllib.request, "urlopen", refused)
    doctor.print_findings()
    assert "cannot be reached (URLError); pinned wheels and local folders work" in " ".join(
        capsys.readouterr().out.replace("│", " ").split()
    )


def test_an_address_that_is_none_ends_nothing(monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "hf-mirror.com")
    assert dict(doctor.findings())["hub"].startswith("hf-mirror.com cannot be reached (ValueError)")
