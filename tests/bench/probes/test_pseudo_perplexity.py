import pytest
import torch
import transformers
from probing import measured

from bench.errors import UserError
from bench.modeling import models
from bench.probes import probe_class
from bench.tasks.encoding import Encoding

ROWS = [
    {"text": text} for text in ("The capital of France is Paris.", "He did not say why.", "Rain fell on the old town all day.")
]


def one_by_one(model, tokenizer, text):
    """Mean nats per token, each masked in turn, from the definition."""
    ids = tokenizer(text, return_tensors="pt")["input_ids"]
    losses = []
    for place in range(1, ids.shape[1] - 1):
        masked = ids.clone()
        masked[0, place] = tokenizer.mask_token_id
        with torch.no_grad():
            losses.append(-model(masked).logits[0, place].log_softmax(-1)[ids[0, place]].item())
    return sum(losses) / len(losses), len(losses)


def test_each_token_is_masked_in_turn(encoder, own, made):
    whole = encoder.load(transformers.AutoModelForMaskedLM).eval()
    probe = made(own("pseudo-perplexity", ROWS), Encoding(encoder, 64))
    for row, (_, item) in zip(probe.rows, measured(probe, encoder.load(transformers.AutoModel).eval()).iterrows(), strict=True):
        expected, count = one_by_one(whole, encoder.tokenizer, row["text"])
        assert item["value"] == pytest.approx(expected, rel=1e-5)
        assert item["weight"] == count


def test_a_word_that_the_vocabulary_lacks_is_a_token_of_the_text(encoder, own, made):
    probe = made(own("pseudo-perplexity", [{"text": "\U0001f642 \U0001f642"}, *ROWS]), Encoding(encoder, 64))
    found = measured(probe, encoder.load(transformers.AutoModel).eval())
    assert [len(encoder.tokenizer(row["text"])["input_ids"]) - 2 for row in probe.rows] == found["weight"].tolist()
    assert found["value"].between(0, 100).all()


@pytest.mark.parametrize("adapter", [False, True])
def test_the_base_head_reads_the_tuned_backbone(encoder, own, made, adapter):
    """A backbone that was changed under a task's head, or by an adapter, is the one that is read."""
    from peft import LoraConfig, get_peft_model

    tuned = encoder.load(transformers.AutoModelForSequenceClassification, num_labels=2).eval()
    if adapter:
        torch.manual_seed(0)
        config = LoraConfig(target_modules=["query", "dense"], init_lora_weights=False, task_type="SEQ_CLS")
        tuned = get_peft_model(tuned, config).eval()
    else:
        with torch.no_grad():
            tuned.bert.encoder.layer[0].output.dense.weight.mul_(1.5)
    probe = made(own("pseudo-perplexity", ROWS), Encoding(encoder, 64))
    base = measured(probe, encoder.load(transformers.AutoModel).eval())
    found = measured(probe, tuned)
    expected = encoder.load(transformers.AutoModelForMaskedLM).eval()
    inside = tuned.merge_and_unload() if adapter else tuned
    expected.bert.encoder.load_state_dict(inside.bert.encoder.state_dict())
    for row, (_, item), value in zip(probe.rows, found.iterrows(), base["value"], strict=True):
        assert item["value"] == pytest.approx(one_by_one(expected, encoder.tokenizer, row["text"])[0], rel=1e-4)
        assert item["value"] != pytest.approx(value, rel=1e-4)


def test_a_model_without_the_head_is_told_so(library, encoder):
    kind = probe_class(library.probe("mrpc-sentences"))
    assert kind.unfit(encoder) is None
    assert kind.unfit(models.find_model("minilm", library)) == "model 'minilm' was saved without a masked-LM head (BertModel)"


def test_the_plan_leaves_it_out_and_says_so(tmp_path):
    from bench.planning.options import PlanOptions
    from bench.planning.plan import plan

    path = tmp_path / "s.yaml"
    path.write_text(
        "name: s\nversion: 1\ndescription: d\nmodels: [minilm, tiny-bert]\ntasks: [sst2]\nstrategies: [full]\n"
        "probes: [mrpc, mrpc-sentences, wikipedia]\n"
    )
    minilm, tiny = plan(PlanOptions(str(path)), "fp32")
    assert [spec.name for spec, _ in minilm.probes] == ["mrpc"]
    assert [spec.name for spec, _ in tiny.probes] == ["mrpc", "mrpc-sentences"]
    assert minilm.left_out == (
        "probe 'mrpc-sentences' is left out: model 'minilm' was saved without a masked-LM head (BertModel)",
    )
    assert not tiny.left_out


def test_a_text_of_which_nothing_is_read_is_named(encoder, own, made):
    probe = made(own("pseudo-perplexity", [*ROWS, {"text": "\u200b"}]), Encoding(encoder, 64))
    with pytest.raises(UserError, match=r"leaves nothing of the text '\\u200b'; drop it from the rows"):
        measured(probe, encoder.load(transformers.AutoModel).eval())
