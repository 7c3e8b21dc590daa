"""Copies from which processes load that share weights out: told before anything starts where the disk lacks the room."""

import shutil
from types import SimpleNamespace

import pytest
import torch

from bench.errors import UserError
from bench.launching import launch
from bench.planning.options import PlanOptions
from bench.planning.plan import plan
from bench.preflight.copies import check_copies, copies
from bench.suite_run import SuiteOptions


@pytest.fixture
def halved(own_cache, decoder, tmp_path):
    """The decoder in a folder that holds it in 16 bits."""
    folder = tmp_path / "halved"
    decoder.load().to(torch.float16).save_pretrained(folder)
    decoder.tokenizer.save_pretrained(folder)
    return str(folder)


@pytest.fixture
def full_disk(monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=100_000))


def test_one_for_each_model_and_format(halved):
    runs = plan(PlanOptions("sentiment", halved, strategies=["zero-shot", "full", "lora-8bit"], test_items=8), "fp32")
    assert [(copy.model.name, copy.bits) for copy in copies(runs[:2], "fsdp2")] == [("halved", 32)]
    assert copies(runs, "ddp") == copies(runs, "zero2") == []


def test_a_disk_that_has_no_room_is_told_before_anything_is_started(halved, tmp_path, full_disk, monkeypatch):
    monkeypatch.setattr(launch, "check_launch", lambda path, config: None)  # this machine need not have GPUs
    options = PlanOptions("sentiment", halved, strategies=["full"], test_items=8)
    told = r"where FSDP2 shares weights out, .* read 'halved' in 32 bit from a copy in the cache, of 0.0 GB, and .* 0.0 GB free"
    with pytest.raises(UserError, match=told):
        launch.launch("fsdp2", options, "fp32", SuiteOptions(tmp_path / "out"), ["run"])
    runs = plan(options, "fp32")
    check_copies(runs, "ddp")
    for copy in copies(runs, "zero3"):
        copy.made()
    check_copies(runs, "zero3")


def test_a_model_in_the_format_that_is_asked_for_takes_no_room(decoder_folder, full_disk):
    check_copies(plan(PlanOptions("sentiment", str(decoder_folder), strategies=["full"]), "fp32"), "fsdp2")
