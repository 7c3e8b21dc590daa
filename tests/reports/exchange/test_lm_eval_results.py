"""lm-evaluation-harness' files as records: with samples and without, and what is wrong with them."""

import pytest

from bench.errors import FormatError, UserError
from bench.records import store
from reports.exchange.lm_eval_results import Named, read_lm_eval
from reports.rows.fairness import check_comparable, unfair, unlike
from reports.rows.rows import aggregate


def by_task(path, **named):
    return {record.setup.task: (record, items) for record, items in read_lm_eval(path, Named(**named))}


def test_a_record_for_each_task_and_none_for_a_group(harness_file):
    found = by_task(harness_file())
    assert set(found) == {"riddles", "essays", "sums"}
    record, items = found["riddles"]
    setup = record.setup
    assert items is None and record.status == "ok"
    assert (setup.suite, setup.model, setup.strategy, setup.budget, setup.tuning.trials) == (
        "lm-eval",
        "org/Model-1B",
        "lm-eval 0-shot",
        None,
        None,
    )
    assert setup.hyperparameters == {"num_fewshot": 0, "task_version": 1.0, "limit": 4.0, "chat_template_sha": None}
    assert found["sums"][0].setup.strategy == "lm-eval 5-shot"
    origin = record.provenance
    assert origin.versions == {"lm-eval": "0.4.13", "transformers": "5.1.0"}
    assert origin.device == {"type": "cuda", "precision": "bf16"} and origin.started == "2023-11-14T22:13:20+00:00"
    assert "seed" not in origin.inputs and record.run_id != found["sums"][0].run_id
    assert {name: value for name, value in record.cost if value not in (None, [])} == {"total_parameters": 135}


def test_samples_become_the_table_of_items(harness_file, riddle_lines):
    record, items = by_task(harness_file({"riddles": riddle_lines()}))["riddles"]
    assert list(items.columns) == ["kind", "name", "item", "target", "answer", "acc", "acc_norm"]
    assert (
        items["item"].tolist() == ["0", "1", "2", "3"] and set(items["kind"]) == {"task"} and set(items["name"]) == {"riddles"}
    )
    assert items["answer"][0] == '[["-1.5", "False"]]' and items["acc"].tolist() == [1, 1, 1, 0]
    assert record.provenance.source.interval == "items"
    score = record.outcome.score
    assert 0 < score.ci_low < 0.5 < score.ci_high < 1 and score.share


def test_items_that_a_task_gave_no_metric_are_no_items_of_it(harness_file, riddle_lines):
    """The harness leaves them out of its count. Planted fault: the whole file was refused."""
    unasked = [{**line, "metrics": []} for line in riddle_lines([(None, None), (None, None)])]
    lines = [*unasked, *({**line, "doc_id": 2 + number} for number, line in enumerate(riddle_lines()))]
    record, items = by_task(harness_file({"riddles": lines}))["riddles"]
    assert items["item"].tolist() == ["2", "3", "4", "5"] and record.outcome.score.n == 4
    with pytest.raises(FormatError, match="holds 3 items, and the results are of 4"):
        by_task(harness_file({"riddles": lines[:-1]}))


def test_samples_are_part_of_the_id(harness_file, riddle_lines):
    alone = by_task(harness_file())
    beside = by_task(harness_file({"riddles": riddle_lines()}))
    assert alone["riddles"][0].run_id != beside["riddles"][0].run_id
    assert alone["sums"][0].run_id == beside["sums"][0].run_id


RIDDLE = {"doc_to_text": "{{q}} Answer:", "test_split": "test", "metric_list": [{"metric": "acc"}]}


def test_what_nobody_set_is_no_other_wording(harness_file):
    """A release that writes more fields down asks the same."""
    more = {"target_delimiter": " ", "fewshot_delimiter": "\n\n", "generation_kwargs": None}
    one, other = (
        by_task(harness_file(configs={"riddles": RIDDLE | each}, fewshot_as_multiturn=False), strategy=name)["riddles"][0]
        for name, each in (("one", {}), ("other", more))
    )
    assert unlike(aggregate([one, other])) == []


@pytest.mark.parametrize(
    ("aspect", "changed"),
    [
        ("definition of the task", {"versions": {"riddles": 99, "sums": 3}}),
        ("chat template", {"chat_template_sha": "ab" * 32}),
        ("wording of the task", {"configs": {"riddles": RIDDLE | {"doc_to_text": "Riddle: {{q}}"}}}),
        ("wording of the task", {"system_instruction": "Be brief."}),
        ("wording of the task", {"fewshot_as_multiturn": True}),
        ("wording of the task", {"configs": {"riddles": RIDDLE | {"target_delimiter": ""}}}),
        ("data or settings of answers", {"configs": {"riddles": RIDDLE | {"test_split": "dev"}}}),
        ("data or settings of answers", {"configs": {"riddles": RIDDLE | {"dataset_path": "org/other"}}}),
        ("data or settings of answers", {"configs": {"riddles": RIDDLE | {"generation_kwargs": {"max_gen_toks": 8}}}}),
    ],
)
def test_another_question_is_refused(harness_file, aspect, changed):
    """Planted fault: two files of unlike versions of a task, templates, prompts, data or settings of writing were compared
    without a word."""
    told = {"configs": {"riddles": RIDDLE}}
    one, other = (
        by_task(harness_file(**told | more), strategy=name)["riddles"][0] for name, more in (("one", {}), ("other", changed))
    )
    assert [(each.aspect, each.refuses) for each in unlike(aggregate([one, other]))] == [(aspect, True)]
    with pytest.raises(UserError, match=f"{aspect} differs: .* \\(one\\), .* \\(other\\)"):
        check_comparable(aggregate([one, other]))


def test_a_prompts_place_in_memory_is_no_wording(harness_file):
    """MMLU-Pro's prompt is a partial function, which the harness writes down with its address in that process."""
    one, other = (
        by_task(harness_file(configs={"riddles": {"doc_to_text": f"functools.partial(<function example at {place}>)",
                                                  "metric_list": [{"metric": "acc"}]}}), strategy=place)["riddles"][0]
        for place in ("0x7f7543bd14e0", "0x7fc2d8bb14e0")
    )  # fmt: skip
    assert unlike(aggregate([one, other])) == []


def test_a_name_that_no_file_can_have_is_told(harness_file):
    name = "n" * 201
    with pytest.raises(FormatError, match="a name of at most 200 bytes"):
        by_task(harness_file(results={name: {"acc,none": 0.5}}, configs={name: {}}))


def test_another_version_of_the_harness_is_told(harness_file):
    one, other = (
        by_task(harness_file(lm_eval_version=version), strategy=version)["riddles"][0] for version in ("0.4.13", "0.3.0")
    )
    (said,) = unfair(aggregate([one, other]))
    assert said == "not the same chance: version of lm-eval differs: 0.4.13 (0.4.13), 0.3.0 (0.3.0)"


def test_names_are_the_importers(harness_file, tmp_path):
    record, _ = by_task(harness_file(), suite="ours", model="base", strategy="full")["riddles"]
    assert (record.setup.suite, record.setup.model, record.setup.strategy) == ("ours", "base", "full")
    assert by_task(harness_file(model_name=str(tmp_path / "my-model")))["riddles"][0].setup.model == "my-model"
    assert str(tmp_path) not in by_task(harness_file(model_name=str(tmp_path / "m")))["riddles"][0].model_dump_json()


def test_models_whose_paths_end_alike_are_two_rows(harness_file):
    """Planted fault: nothing told two checkpoints apart but the hashes of what they answered."""
    places = ("/a/checkpoint-500", "/b/checkpoint-500")
    one, other = (by_task(harness_file(model_name=place))["riddles"][0] for place in places)
    assert one.setup.model == other.setup.model == "checkpoint-500"
    paths = [record.setup.hyperparameters["model_path"] for record in (one, other)]
    assert len(set(paths)) == 2 and len(aggregate([one, other])) == 2
    for name in ("org/model", "runs/best"):  # of a hub, or it may be
        assert "model_path" not in by_task(harness_file(model_name=name))["riddles"][0].setup.hyperparameters
    assert "model_path" not in by_task(harness_file(model_name=places[0]), model="ours")["riddles"][0].setup.hyperparameters


def test_seconds_belong_to_one_task_alone(harness_file):
    one = {"riddles": {"acc,none": 0.75, "acc_norm,none": 0.5}}
    assert by_task(harness_file(results=one))["riddles"][0].cost.eval_seconds == 12.5
    assert by_task(harness_file(config__model_num_parameters=-1))["riddles"][0].cost.total_parameters is None


def test_a_record_and_its_items_are_written_and_read(harness_file, riddle_lines, tmp_path):
    record, items = by_task(harness_file({"riddles": riddle_lines()}))["riddles"]
    store.write_record(tmp_path, record, items)
    assert store.read_all(tmp_path) == [record] and store.read_items(tmp_path, record).equals(items)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"results": {}}, "results: hold no task"),
        ({"configs": {}}, "results: hold no task"),
        ({"results__riddles": {"alias": "x"}}, "results.riddles: holds no metric"),
        ({"results.riddles.acc,none": "high"}, 'results.riddles.acc,none: "high" is not a finite number'),
        ({"results.sums.exact_match,strict": 1.5}, r"exact_match \(strict\): 1.5 is no share"),
        ({"n-samples": {}}, "n-samples.riddles: is missing"),
        ({"n-samples.riddles.effective": 4.5}, "4.5 is not a whole number"),
        ({"higher_is_better": {"riddles": {}}}, "higher_is_better.riddles.acc: is missing"),
        (
            {"total_evaluation_time_seconds": "soon", "results": {"riddles": {"acc,none": 0.5}}},
            '"soon" is not a number of seconds',
        ),
        ({"date": "today"}, '"today" is not a finite number'),
        ({"results.riddles.acc,none": 10**400}, "results.riddles.acc,none: 1000.* is not a finite number"),
        (
            {"total_evaluation_time_seconds": 10**400, "results": {"riddles": {"acc,none": 0.5}}},
            "is not a number of seconds",
        ),
        (
            {"results": {"../sums": {"acc,none": 0.5}}, "configs": {"../sums": {"task": "x"}}},
            'results.../sums: "../sums" is not a name without /',
        ),
    ],
)
def test_a_fault_is_named(harness_file, changes, said):
    with pytest.raises(FormatError, match=said):
        by_task(harness_file(**changes))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda lines: lines[:3], "holds 3 items, and the results are of 4"),
        (lambda lines: [*lines[:3], lines[0]], "line 4: repeats doc_id 0"),
        (lambda lines: [{**line, "acc_norm": 1.0} for line in lines], "its answers give acc_norm 1, and the results say 0.5"),
        (lambda lines: [{**lines[0], "doc_id": "x"}, *lines[1:]], 'line 1.doc_id: "x" is not a finite number'),
        (lambda lines: [{"doc_id": 1}], "line 1.target: is missing"),
        (
            lambda lines: [*lines[:3], {**lines[3], "metrics": ["acc", "acc_norm", "kind"], "kind": 1.0}],
            "line 4.metrics: kind is the name of another column",
        ),
    ],
)
def test_samples_that_do_not_belong_are_named(harness_file, riddle_lines, change, said):
    with pytest.raises(FormatError, match=f"^samples_riddles_.*jsonl: {said}"):
        by_task(harness_file({"riddles": change(riddle_lines())}))


def test_samples_that_are_no_json_are_named(harness_file, riddle_lines):
    """Planted fault: `line 1` was told as that of the results file."""
    path = harness_file({"riddles": riddle_lines()})
    (samples,) = path.parent.glob("samples_*")
    samples.write_text("{")
    with pytest.raises(FormatError, match=f"^{samples.name}: line 1: is not JSON"):
        by_task(path)
