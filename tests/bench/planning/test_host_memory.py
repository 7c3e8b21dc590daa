"""What a dry run says of the memory that all processes of a machine share."""

import torch

from bench.planning.options import PlanOptions
from bench.suite_run import SuiteOptions, run_suite


def test_a_dry_run_counts_what_a_machine_holds(own_cache, decoder, decoder_folder, tmp_path, capsys, monkeypatch):
    decoder.load().to(torch.float16).save_pretrained(tmp_path / "halved")
    decoder.tokenizer.save_pretrained(tmp_path / "halved")
    halved = str(tmp_path / "halved")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))

    def printed(model, sharing, strategy="full"):
        options = PlanOptions("sentiment", model, strategies=[strategy], test_items=8, probe_items=4)
        run_suite(options, "fp32", SuiteOptions(tmp_path / "out", dry_run=True, planned_for=sharing))
        return " ".join(capsys.readouterr().out.split())

    assert "all processes of a machine map" not in printed(halved, "ddp")
    size = "0.00 GB that they share"
    assert f"halved: under FSDP2, all processes of a machine map one copy of it in 32 bit in the cache: {size}" in printed(
        halved, "fsdp2"
    )
    assert f"under ZeRO-3, all processes of a machine map its own files, which hold it in 32 bit: {size}" in printed(
        str(decoder_folder), "zero3"
    )
    told = printed("opt-6.7b", "fsdp2")
    whole = "map its own files, which hold it in {0} bit, or else one copy of it in {0} bit in the cache: {1} GB"
    assert whole.format(16, "13.32") in told and whole.format(32, "26.63") in told
