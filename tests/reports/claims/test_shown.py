"""The verdicts as a person reads them."""

import json

import pytest

from bench.cli import main


@pytest.fixture
def filled(rows, out):
    rows(("full", 0.8, {}), ("lora-8bit", 0.8, {"rate": 1e-3, "cost": {"saved_bytes": 4}}))
    return out


def told(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        main(["claims", *map(str, arguments)])
    assert ended.value.code == 0
    return capsys.readouterr().out


def test_the_terminal(filled, capsys):
    text = told(capsys, "--out", filled)
    assert "holds (1 of 1 for it): Adapters store less." in text and "no runs for it: 8 bit halves" in text
    assert "lora-8bit against full (sst2, 512examples)" in " ".join(text.split())


def test_markdown(filled, tmp_path, capsys):
    told(capsys, "--out", filled, "--markdown", tmp_path / "claims.md")
    text = (tmp_path / "claims.md").read_text()
    assert "| Adapters store less. | holds (1 of 1 for it) |" in text
    assert "| smollm2 | lora-8bit against full (sst2, 512examples) | 0.0010 | holds | – |" in text


def test_json(filled, capsys):
    (claims,) = json.loads(told(capsys, "--out", filled, "--json")).values()
    found = {each["claim"]: each for each in claims}
    assert found["smaller"]["verdict"] == "holds" and found["half_the_weights"]["verdict"] is None
    assert found["smaller"]["comparisons"][0]["p"] < 0.05
