"""baselines/gpu.py: it says that there is no GPU, and makes its page of records, here of a CPU's."""

import pytest
import torch

from baselines import gpu


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_it_says_so_and_writes_nothing(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    gpu.main([])
    assert capsys.readouterr().out == "torch sees no GPU here, so nothing was run and nothing was written.\n"
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_the_page_is_made_of_records(tmp_path, own_cache):
    options = ["--model", "tiny-bert", "--strategies", "full", "--budget", "16", "--test-items", "9", "--probe-items", "2"]
    found = gpu.records(tmp_path, options, ACCELERATE_USE_CPU="true")
    score, cost = found["full"].outcome.score, found["full"].cost
    moved = found["full"].outcome.model_copy(update={"score": score.model_copy(update={"value": score.ci_high + 0.1})})
    shifted = found["full"].model_copy(update={"outcome": moved})
    assert gpu.equality(found, found)[2:] == [f"| full | {score.value:.4f} | {score.value:.4f} | yes |"]
    assert gpu.equality(found, {"full": shifted})[2].endswith("**no** |")
    half = 2 * cost.useful_flops / cost.train_seconds
    rows = gpu.speed({"one GPU": found}, half)
    assert rows[2] == f"| one GPU | full | 1 | {cost.train_tokens / cost.train_seconds:,.0f} | 50.0% |"
    assert "on two cards" in gpu.page("two cards", half, [], rows) and rows[2] in gpu.page("two cards", half, [], rows)
