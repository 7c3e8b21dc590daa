"""The verdicts as a person reads them."""

import json
import re

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
    assert "lora-8bit against full (sst2, 512examples, 2 seeds)" in " ".join(text.split())


def test_the_smallest_effect_has_its_range_and_its_family(rows, out, tmp_path, capsys):
    """Two seeds tell badly what they vary by, and the verdicts of a model are looked at together."""
    rows(("full", 0.8, {}), ("frozen", 0.7, {}), ("lora-8bit", 0.8, {"rate": 1e-3, "cost": {"saved_bytes": 4}}))
    (claims,) = json.loads(told(capsys, "--out", out, "--json")).values()
    parts = [part for each in claims for part in each["comparisons"]]
    assert len(parts) > 1 and {part["family"] for part in parts} == {len(parts)}
    ranged = [part["smallest"] for part in parts if part["smallest"]]
    assert any(re.fullmatch(r"a ratio of [\d.]+ \([\d.]+ to [\d.]+\)", each) for each in ranged), ranged
    assert any(re.fullmatch(r"\+[\d.]+ \(\+[\d.]+ to \+[\d.]+\) points", each) for each in ranged), ranged
    family = f"after Holm over all {len(parts)} comparisons"
    assert f"smollm2: what its runs say to well-known claims, {family}" in " ".join(told(capsys, "--out", out).split())
    told(capsys, "--out", out, "--markdown", tmp_path / "claims.md")
    assert f"smollm2: {family}." in (tmp_path / "claims.md").read_text()


def test_what_collapsed_is_told(rows, out, capsys):
    one, some = {"collapsed": "one label alone"}, "sst2, 512examples, 2 seeds"
    rows(("full", 0.8, {}), ("lora-8bit", 0.5, {"rate": 1e-3} | one), ("frozen", 0.7, {}))
    text = " ".join(told(capsys, "--out", out).split())
    assert f"smollm2: lora-8bit ({some}) collapsed with every seed and is left out." in text
    assert "full (sst2, 512examples, 2 seeds) collapsed" not in text and "no runs for it: Adapters store less." in text


def test_several_rates_of_one_strategy_are_told(rows, out, capsys):
    """Planted fault: one of three rates that suited `full` badly decided a claim, and nothing was said of it."""
    rows(*(("full", score, {"rate": rate}) for score, rate in ((0.8, 1e-5), (0.6, 1e-4), (0.7, 3e-4))))
    text = " ".join(told(capsys, "--out", out).split())
    assert "smollm2: full stands at 3 learning rates (sst2, 512examples, 2 seeds): one that suits it badly counts" in text
    rows(("frozen", 0.8, {}))
    assert "frozen stands" not in told(capsys, "--out", out)


def test_markdown(filled, tmp_path, capsys):
    told(capsys, "--out", filled, "--markdown", tmp_path / "claims.md")
    text = (tmp_path / "claims.md").read_text()
    assert "| Adapters store less. | holds (1 of 1 for it) |" in text
    assert "| smollm2 | lora-8bit against full (sst2, 512examples, 2 seeds) | 0.0010 | holds | – |" in text


def test_json(filled, capsys):
    (claims,) = json.loads(told(capsys, "--out", filled, "--json")).values()
    found = {each["claim"]: each for each in claims}
    assert found["smaller"]["verdict"] == "holds" and found["half_the_weights"]["verdict"] is None
    assert found["smaller"]["comparisons"][0]["p"] < 0.05


@pytest.mark.parametrize(("seeds", "told_so"), [(1, True), (2, False)])
def test_rows_of_one_seed_say_so(rows, out, tmp_path, capsys, seeds, told_so):
    """Their verdicts are about two trained models, and the claims are about strategies."""
    rows(("full", 0.8, {"seeds": seeds}), ("lora-8bit", 0.8, {"seeds": seeds, "rate": 1e-3, "cost": {"saved_bytes": 4}}))
    told(capsys, "--out", out, "--markdown", tmp_path / "claims.md")
    for text in (told(capsys, "--out", out), (tmp_path / "claims.md").read_text()):
        assert ("smollm2 has rows of one seed" in text) is told_so
        assert f"512examples, {seeds} seed" in " ".join(text.split())
