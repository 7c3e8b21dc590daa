"""What bitsandbytes holds of a model in few bits, and what it leaves as it is."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification

from bench.modeling.quantisation import leave_unpacked, quantisation
from bench.modeling.structure import layers


def test_what_stands_around_the_stack_is_named_as_left_out(decoder, encoder):
    eight = quantisation(decoder.shape(AutoModelForCausalLM), 8)
    assert eight.load_in_8bit and eight.llm_int8_skip_modules == ["lm_head"]
    four = quantisation(encoder.shape(AutoModelForSequenceClassification, num_labels=2), 4)
    assert four.load_in_4bit and four.bnb_4bit_quant_type == "nf4"
    assert set(four.llm_int8_skip_modules) == {"bert.pooler.dense", "classifier"}


def test_layers_that_may_pack_their_weights_may_no_longer():
    """Whether they may is said by each layer, as the machine's processor has it."""
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    net[0].support_avx512bf16_for_cpu = True
    leave_unpacked(net)
    assert net[0].support_avx512bf16_for_cpu is False and not hasattr(net[1], "support_avx512bf16_for_cpu")


@pytest.mark.parametrize("bits", [8, 4])
def test_the_stack_is_quantised_and_what_stands_around_it_is_not(decoder, encoder, bits):
    for model in (decoder.load(bits=bits), encoder.load(AutoModelForSequenceClassification, bits, num_labels=2)):
        inside = {id(module) for block in layers(model) for module in block.modules()}
        for module in model.modules():
            if isinstance(module, nn.Linear):
                quantised = module.weight.dtype in (torch.int8, torch.uint8)
                assert quantised == (id(module) in inside)


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="Linux alone tells what is mapped")
@pytest.mark.parametrize("bits", [8, 4])
def test_a_quantised_model_leaves_its_file_and_a_whole_one_lies_in_it(decoder, tmp_path, bits):
    """Else all of the file would count as memory, for the few weights that are not quantised."""

    def mapped(bits):
        model = replace(decoder, source=shutil.copytree(decoder.folder, tmp_path / str(bits))).load(bits=bits)
        return model.get_input_embeddings().weight, str(tmp_path / str(bits)) in Path("/proc/self/maps").read_text()

    whole, in_file = mapped(32)
    rounded, left = mapped(bits)
    assert in_file and not left
    assert torch.equal(rounded, whole)


def test_gradients_pass_through_weights_in_4_bit_that_were_asked_before(decoder, monkeypatch):
    """As on a CPU with AVX512-BF16, for which bitsandbytes packs them when they are first asked."""
    monkeypatch.setattr("bitsandbytes.nn.modules.has_avx512bf16", lambda: True)
    model, ids = decoder.load(bits=4), torch.tensor([[5, 6, 7]])

    def gradient():
        embedded = model.get_input_embeddings()(ids).detach().requires_grad_()
        model.train()(inputs_embeds=embedded).logits.sum().backward()
        return embedded.grad

    before = gradient()
    with torch.no_grad():
        model.eval()(ids)
    assert torch.equal(gradient(), before)
