"""A run's id hashes the question and nothing else; what a model cannot be asked is told."""

import dataclasses
import json
import shutil

import pytest
from safetensors.torch import load_file, save_file
from transformers import GenerationConfig

from bench.errors import UserError
from bench.modeling.models import Model
from bench.placing.local import as_received, as_sent
from bench.planning import plan as planning
from bench.planning.options import PlanOptions
from bench.specs.budget import Budget
from bench.specs.library import Library
from bench.specs.model import ModelSpec
from bench.specs.probe_every import checked_stride
from bench.specs.wording import Wording
from bench.strategies.zero_shot import ZeroShot


def plan(**options):
    return planning.plan(PlanOptions("sentiment", **{"model": "tiny-bert", **options}), "fp32")


def test_the_id_hashes_what_determines_the_result():
    (run,) = plan(strategies=["full"])
    (again,) = plan(strategies=["full"])
    assert run.id == again.id
    for changed in (
        plan(strategies=["full"], budget="7"),
        plan(strategies=["full"], probe_items=9),
        plan(strategies=["full"], test_items=9),
        plan(strategies=["full"], settings=["learning_rate=0.5"]),
        plan(strategies=["full"], model="minilm"),
        planning.plan(PlanOptions("sentiment", model="tiny-bert", strategies=["full"]), "bf16"),
        [dataclasses.replace(run, seed=1)],
        [dataclasses.replace(run, task=run.task.model_copy(update={"version": 2}))],
        [dataclasses.replace(run, batch=8)],
    ):
        assert changed[0].id != run.id


def test_the_id_hashes_nothing_else():
    (run,) = plan(strategies=["full"])
    words = {"description": "in other words"}
    assert dataclasses.replace(run, suite="other", task=run.task.model_copy(update=words)).id == run.id
    (zero,) = plan(strategies=["zero-shot"])
    assert dataclasses.replace(zero, seed=5, budget=Budget(99)).id == zero.id


def api(folder, **settings):
    """A YAML file of a model behind an API."""
    said = {"base_url": "http://localhost:1/v1", "model": "m"} | settings
    path = folder / "api.yaml"
    path.write_text(json.dumps({"name": "api", "description": "d", "endpoint": said}))
    return str(path)


def test_the_id_holds_the_ends_of_a_text_where_the_checkpoint_names_others_than_the_tokenizer(decoder_folder, tmp_path):
    """So that what was written before they were heeded is asked again, and nothing else."""
    shutil.copytree(decoder_folder, tmp_path / "chat")
    eos = plan(strategies=["zero-shot"], model=str(decoder_folder))[0].checkpoint.tokenizer.eos_token_id
    for named, others in ((eos, None), ([eos, 7], [7]), (None, None)):
        GenerationConfig(eos_token_id=named).save_pretrained(tmp_path / "chat")
        (run,) = plan(strategies=["zero-shot"], model=str(tmp_path / "chat"))
        assert run.inputs.get("ends") == others


def test_the_id_of_a_hubs_model_does_not_hang_on_whether_its_files_are_here(decoder_folder, monkeypatch):
    """Its commit says all of it; what its files say beside that is known only once they have come."""
    shape = {"model_type": "llama", "architectures": ["LlamaForCausalLM"]}
    spec = ModelSpec(name="far", description="d", hub="a/b", revision="0" * 40, license="MIT", config=shape)
    (run,) = plan(strategies=["zero-shot"], model=str(decoder_folder))
    ids = set()
    for found in ([], [7]):
        monkeypatch.setattr(Model, "other_ends", found)
        ids.add(dataclasses.replace(run, model=dataclasses.replace(run.model, source=spec)).id)
    assert len(ids) == 1


def test_an_endpoints_id_hashes_its_answers_and_not_how_it_is_reached(tmp_path):
    def one(**settings):
        (run,) = plan(model=api(tmp_path, **settings), strategies=["zero-shot"])
        return run.id

    first = one()
    assert one(concurrency=2, timeout=9, input_price=1.5, output_price=2) == first
    assert one(key_env="PATH") == first
    assert len({first, one(model="n"), one(temperature=0.5), one(max_tokens=9), one(base_url="http://localhost:2/v1")}) == 5


def written_suite(folder, **changes):
    """A suite of the user's own: task and rehearsal are files beside it."""
    built_in = Library()
    columns = {"text": "t", "label": "l"}
    task = built_in.task("sst2").model_dump(exclude_defaults=True)
    task |= {"train": [{"path": "a.csv", "columns": columns}, {"path": "b.csv", "columns": columns}]}
    task |= {"validation": {"share": 0.2}, "test": {"share": 0.2}}
    del task["cluster"]
    strategy = built_in.strategy("multitask").model_dump(exclude_defaults=True)
    strategy["hyperparameters"]["rehearsal"] = {"path": "c.csv", "columns": {"text": "t"}}
    suite = built_in.suite("sentiment").model_dump(exclude_defaults=True)
    suite |= {"tasks": ["sst2"], "strategies": ["multitask"], "hyperparameters": {}}
    files = {
        "mine.yaml": json.dumps(suite),
        "tasks/sst2.yaml": json.dumps(task),
        "strategies/multitask.yaml": json.dumps(strategy),
    }
    files |= {"tasks/a.csv": "t,l\nx,positive\n", "tasks/b.csv": "t,l\ny,negative\n", "strategies/c.csv": "t\nz\n"}
    for file, content in (files | changes).items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(content)
    return str(folder / "mine.yaml")


def test_the_id_is_the_same_wherever_the_data_lies(tmp_path):
    """The suite's folder moves, then one of its files changes."""

    def made(name, **changes):
        suite = written_suite(tmp_path / name, **changes)
        (run,) = planning.plan(PlanOptions(suite, model="tiny-bert"), "fp32")
        return run.id

    first = made("first")
    assert made("second") == first
    assert made("third", **{"tasks/b.csv": "t,l\nw,negative\n"}) != first
    assert made("fourth", **{"strategies/c.csv": "t\nw\n"}) != first


@pytest.mark.parametrize("same", [("50%", "0.5", ".5", "50.0%"), ("3", "03"), ("33%", "0.33"), ("7%", "0.07")])
def test_a_share_is_one_share_however_it_is_written(same):
    assert len({plan(probe_every=each)[-1].id for each in same}) == 1
    assert {checked_stride(each) for each in same} == {same[0]}


def unfit(suite, model="tiny-bert", **options):
    return {run.strategy.name: run.unfit for run in planning.plan(PlanOptions(suite, model=model, **options), "fp32")}


def as_a_worker_gets_it(run):
    """With what was worked out of it when it was planned."""
    assert run.id
    return as_received(as_sent(run))


@pytest.mark.parametrize(("file", "part"), [("tasks/b.csv", "task"), ("strategies/c.csv", "rehearsal")])
def test_a_run_whose_data_have_changed_since_it_was_planned_is_refused(tmp_path, file, part):
    """Planted fault: labels that were turned round between planning and a worker's reading gave a score under the old id."""
    suite = written_suite(tmp_path)
    (run,) = planning.plan(PlanOptions(suite, model="tiny-bert"), "fp32")
    as_a_worker_gets_it(run).check_as_planned()
    (tmp_path / file).write_text((tmp_path / file).read_text().replace("y,negative", "y,positive").replace("z", "w"))
    for each in (as_a_worker_gets_it(run), run):  # the process that planned it may read its data hours later, too
        with pytest.raises(UserError, match=rf"has changed since it was planned \({part}\); give the command again"):
            each.check_as_planned()


def test_a_run_whose_model_has_changed_since_it_was_planned_is_refused(decoder_folder, tmp_path):
    """Planted fault: other weights had a score under the old model's hash, and the base's answers were kept under it."""
    folder = shutil.copytree(decoder_folder, tmp_path / "model")
    (run,) = plan(strategies=["full"], model=str(folder))
    as_a_worker_gets_it(run).check_as_planned()
    weights = load_file(folder / "model.safetensors")
    save_file({name: tensor * 1.5 for name, tensor in weights.items()}, folder / "model.safetensors")
    for each in (run, as_a_worker_gets_it(run)):
        with pytest.raises(UserError, match="the model in .* has changed since the run was planned; give the command again"):
            each.check_as_planned()


def test_what_cannot_be_done_is_told_in_the_plan(decoder_folder):
    assert set(unfit("sentiment").values()) == {None}
    for suite in ("ner", "qa"):
        found = unfit(suite)
        kind = {"ner": "ner", "qa": "qa"}[suite]
        assert found.pop("few-shot") == f"an encoder has no way to learn a {kind} task from examples without training"
        assert set(found.values()) == {None}
        assert set(unfit(suite, str(decoder_folder)).values()) == {None}
    assert set(unfit("corpus").values()) == {"'film-plots' is a causal-lm task, which needs a decoder"}
    assert set(unfit("corpus", str(decoder_folder)).values()) == {None}
    shown = unfit("corpus", str(decoder_folder), strategies=["few-shot"])
    assert shown == {"few-shot": "a causal-lm task asks nothing that could be shown solved"}


def test_a_model_behind_an_api_writes_and_does_no_more(tmp_path):
    model = api(tmp_path)
    assert unfit("corpus", model)["zero-shot"] == "a causal-lm task cannot be put to an endpoint"
    assert unfit("ner", model, strategies=["zero-shot", "few-shot"]) == {"zero-shot": None, "few-shot": None}
    assert unfit("ner", model, strategies=["full"]) == {"full": "a model behind an API cannot be trained here"}
    (run,) = plan(model=model, strategies=["zero-shot"])
    assert run.probes == () and run.wording.style == "instruction"
    assert "probe 'wikipedia' is left out: 'api' is asked over an API, which gives no losses" in run.left_out


def test_a_model_behind_an_api_needs_its_key_and_its_address(tmp_path, monkeypatch):
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    for settings, sentence in (
        ({"key_env": "NO_SUCH_KEY"}, "environment variable NO_SUCH_KEY holds no key"),
        ({"base_url": "ftp://x"}, "base_url is no http address"),
        ({"max_tokens": 0}, "field 'endpoint.max_tokens': Input should be greater than or equal to 1"),
    ):
        with pytest.raises(UserError, match=sentence):
            plan(model=api(tmp_path, **settings), strategies=["zero-shot"])


def test_an_encoder_has_no_head_for_a_corpus_that_is_mixed_in(decoder_folder):
    options = {"strategies": ["multitask"], "settings": ["multitask.tasks={film-plots: 0.2}"]}
    assert unfit("sentiment", **options) == {"multitask": "'film-plots' is a causal-lm task, which needs a decoder"}
    assert unfit("sentiment", str(decoder_folder), **options) == {"multitask": None}


@pytest.mark.parametrize("part", ["stages: [film-plots, sst2]", "tasks: [sst2], also: [film-plots]"])
def test_an_encoder_has_no_head_for_a_corpus_before_its_task_or_after(decoder_folder, tmp_path, part):
    path = tmp_path / "mine.yaml"
    path.write_text(f"{{name: mine, version: 1, description: d, models: [tiny-bert], {part}, strategies: [zero-shot, full]}}")
    told = "'film-plots' is a causal-lm task, which needs a decoder"
    assert unfit(str(path)) == {"zero-shot": None, "full": told}
    assert unfit(str(path), str(decoder_folder)) == {"zero-shot": None, "full": None}


def test_a_strategy_that_trains_nothing_keeps_its_own_words():
    class Told(ZeroShot):
        @property
        def wording(self):
            return Wording(style="instruction", shots=2)

    (run,) = plan(strategies=["zero-shot"])
    assert run.wording == Wording()
    told = dataclasses.replace(run, strategy=Told("told", run.strategy.hyperparameters))
    assert told.wording == Wording(style="instruction", shots=2)


def test_a_base_is_asked_in_the_words_of_the_row_as_far_as_it_reads_them(decoder_folder, tmp_path):
    told, shown = Wording(style="instruction"), Wording(shots=4)
    decoder = plan(model=str(decoder_folder), strategies=["instruction"])[0]
    assert decoder.base_wordings == (Wording(), told)
    assert decoder.in_base_words(decoder.wording) == told and decoder.in_base_words(shown) == Wording()
    encoder = plan(strategies=["instruction"])[0]
    assert encoder.wording == told and encoder.in_base_words(told) == Wording()
    asked = planning.plan(PlanOptions("sentiment", model=api(tmp_path), strategies=["few-shot"]), "fp32")[0]
    assert asked.in_base_words(asked.wording) == told and len(asked.base_wordings) == 1


def test_instructions_are_missed_where_a_run_is_asked_by_them_and_nowhere_else(decoder_folder, tmp_path):
    def told(task="sst2", **options):
        bare = Library().task(task).model_copy(update={"instructions": None})
        found = {}
        for run in plan(**options):
            if run.task.name == task:
                run = dataclasses.replace(run, task=bare)
            others = tuple(bare if other.name == task else other for other in run.others)
            found[run.strategy.name] = dataclasses.replace(run, others=others).unworded
        return found

    for model in ("tiny-bert", str(decoder_folder)):
        found = told(model=model)
        assert {name for name, sentence in found.items() if sentence} == {"instruction", "multitask"}
        assert found["instruction"].startswith("task 'sst2' has no instructions, and strategy 'instruction' is asked by")
    assert told(settings=["multitask.style=plain"], strategies=["multitask"]) == {"multitask": None}
    # A task that is mixed in is asked in the same words.
    assert told("rte", strategies=["multitask"])["multitask"].startswith("task 'rte' has no instructions")
    asked = told(model=api(tmp_path))
    assert {name for name, sentence in asked.items() if sentence} == {"zero-shot", "few-shot"}
    assert "model 'api' (asked over an API)" in asked["few-shot"]
    assert told("film-plots", tasks=["film-plots"], model=str(decoder_folder), strategies=["instruction"]) == {
        "instruction": None
    }


def test_an_endpoints_id_does_not_hash_what_only_this_machine_would_do(tmp_path):
    options = PlanOptions("sentiment", model=api(tmp_path), strategies=["zero-shot"])
    (one,), (other,) = planning.plan(options, "fp32"), planning.plan(options, "bf16")
    assert one.id == other.id == dataclasses.replace(one, max_length=64).id


def test_the_id_holds_the_place_where_seconds_limit_the_run_and_nowhere_else(monkeypatch):
    def ids(**options):
        return {run.strategy.name: run.id for run in plan(strategies=["zero-shot", "full"], **options)}

    here, counted = ids(budget="90s"), ids(budget="80ktokens")
    monkeypatch.setenv("WORLD_SIZE", "2")
    there = ids(budget="90s")
    assert there["full"] != here["full"] and there["zero-shot"] == here["zero-shot"] and ids(budget="80ktokens") == counted
    assert plan(strategies=["full"], budget="90s")[0].inputs["placement"] == "cpu x 2"


def test_with_all_parts_at_zero_it_is_one_run_whichever_part_is_varied():
    (run,) = plan(strategies=["full"])
    parts = ("init", "order", "dropout")
    assert run.inputs["seed"] == 0 and "seeds" not in run.inputs
    still = {dataclasses.replace(run, varied=part).id for part in parts}
    moved = {dataclasses.replace(run, varied=part, seed=seed).id for part in parts for seed in (1, 2)}
    assert len(still) == 1 and len(moved) == 6 and not still & moved
    assert not (still | moved) & {dataclasses.replace(run, seed=seed).id for seed in range(3)}


def test_a_seed_moves_all_parts_or_the_one_that_is_varied():
    (run,) = plan(strategies=["full"])
    assert dataclasses.replace(run, seed=3).seeds.model_dump() == {"init": 3, "order": 3, "dropout": 3}
    order = dataclasses.replace(run, seed=3, varied="order")
    assert order.inputs["seeds"] == {"init": 0, "order": 3, "dropout": 0} and "seed" not in order.inputs
    assert order.seeds.varied == "order" and dataclasses.replace(order, seed=0).seeds.varied is None
    assert order.label.endswith("full / seed 3 of order") and run.label.endswith("full / seed 0")


def test_a_setting_that_came_later_is_named_where_it_is_used_alone(planned):
    """Results of before there was `compile` keep their ids."""
    plain, off, on = (planned("full", settings=said) for said in ([], ["compile=false"], ["compile=true"]))
    assert plain.id == off.id != on.id
    assert "compile" not in plain.inputs["hyperparameters"] and on.inputs["hyperparameters"]["compile"] is True


def test_the_id_holds_what_only_some_runs_hang_on_where_they_do(monkeypatch):
    def moved(run, **changes):
        return dataclasses.replace(run, **changes).id != run.id

    runs = {run.strategy.name: run for run in plan()}
    full, instruction, multitask, shown, zero = (
        runs[name] for name in ("full", "instruction", "multitask", "few-shot", "zero-shot")
    )
    assert moved(full, probe_every="50%") and not moved(zero, probe_every="50%")
    assert moved(shown, seed=1) and not moved(zero, seed=1)  # the solved examples are drawn by it
    assert moved(instruction, paraphrase_items=7) and not moved(full, paraphrase_items=7)
    assert moved(multitask, other_items=7)
    few, more = (plan(strategies=["full"], tune={"trials": trials})[0] for trials in (2, 3))
    assert len({full.id, few.id, more.id}) == 3
    ids = [dataclasses.replace(run).id for run in (full, multitask)]
    monkeypatch.setattr("bench.runs.run.BESIDE", 99)  # as when others are left out of what is mixed in
    assert [dataclasses.replace(run).id == before for run, before in zip((full, multitask), ids, strict=True)] == [True, False]


def test_the_id_holds_how_many_are_asked_of_a_test_that_is_thinned_too():
    (run,) = planning.plan(PlanOptions("ner", model="tiny-bert", strategies=["full"], tasks=["medical-spans"]), "fp32")
    options = {**run.task.options, "empty": None}
    plain = dataclasses.replace(run, task=run.task.model_copy(update={"options": options, "out_of_domain": {}}), also=())
    thinned = dataclasses.replace(plain, task=run.task.model_copy(update={"out_of_domain": {}}))
    assert [dataclasses.replace(each, other_items=7).id != each.id for each in (plain, thinned)] == [False, True]
