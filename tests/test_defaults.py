"""baselines/defaults.py: which rates it would make defaults, from searches that are made up, and once for real in small."""

import gzip
import importlib.util
import json
import re
from pathlib import Path

import pytest
import yaml

from bench.records.outcome import Score
from bench.records.record import Provenance, Setup
from bench.records.trial import TrialRecord
from bench.specs.library import Library

ROOT = Path(__file__).parents[1]
_spec = importlib.util.spec_from_file_location("defaults", ROOT / "baselines" / "defaults.py")
defaults = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(defaults)

RATES = (4e-5, 1e-5, 1e-4, 4e-4)
STRATEGIES = ROOT / "suites" / "strategies"
PAGE = (ROOT / "docs" / "method" / "learning-rates.md").read_text()
TUNING = (ROOT / "docs" / "method" / "tuning.md").read_text()
BASELINES = ROOT / "baselines"
FOUND = [
    (strategy, family, task, found)
    for strategy, families in yaml.safe_load((BASELINES / defaults.FOUND).read_text()).items()
    for family, tasks in families.items()
    for task, found in tasks.items()
]
SCORE = {"name": "x", "ci_low": None, "ci_high": None, "n": 8}


def trial(task, rate, scores, strategy="full", higher=True):
    """A training for each score; None for one that failed."""
    return [
        TrialRecord(
            trial_id=f"{strategy}-{task}-{rate}-{seed}",
            status="failed" if score is None else "ok",
            setup=Setup(suite="s", model="m", task=task, strategy=strategy, hyperparameters={}, seed=seed, budget="8examples"),
            sampled={"learning_rate": rate},
            score=None if score is None else Score(**SCORE, value=score, higher_is_better=higher, share=higher),
            provenance=Provenance(versions={}, device={}, engine_version=5, inputs={"long": "text"}),
        )
        for seed, score in enumerate(scores)
    ]


def search(task, scores, strategy="full", family="decoder", higher=True, rates=RATES):
    """One of two seeds: the second scores .02 more than the first, and the mean is what is given."""
    pairs = [(None, None) if score is None else (score - 0.01, score + 0.01) for score in scores]
    trials = [trial(task, rate, pair, strategy, higher) for rate, pair in zip(rates, pairs, strict=True)]
    return defaults.Searched(family, strategy, task, trials)


def test_each_task_has_the_rate_with_the_best_mean_over_the_orders():
    """Planted fault: one rate for all tasks, which was worse than another on each of them."""
    found = [search("a", [0.80, 0.70, 0.90, 0.10]), search("b", [0.55, 0.60, 0.52, 0.10])]
    best = defaults.best_rates(found)["full"]["decoder"]
    assert {task: told["values"] for task, told in best.items()} == {"a": {"learning_rate": 1e-4}, "b": {"learning_rate": 1e-5}}
    assert best["b"] == {
        "values": {"learning_rate": 1e-5},
        "score": 0.6,
        "items": 8,
        "engines": [5],
        "budget": "8examples",
        "seeds": 2,
        "seed_sd": 0.0141,
        "tried": [{"learning_rate": rate, "score": score} for rate, score in zip(RATES, (0.55, 0.6, 0.52, 0.1), strict=True)],
    }


def test_less_can_be_better_and_what_failed_has_no_score():
    best = defaults.best_rates([search("a", [3.0, 4.0, None, 2.9], higher=False)])["full"]["decoder"]["a"]
    assert best["values"] == {"learning_rate": 4e-4} and best["score"] == 2.9
    assert [each["score"] for each in best["tried"]] == [3.0, 4.0, None, 2.9]
    assert "4e-05: 3.000, 0.0001: failed, 0.0004: **2.900** |" in defaults.table({"full": {"decoder": {"a": best}}})


def test_where_every_trial_failed_nothing_is_found():
    """Planted fault: the search broke off, as no score was there to say whether more is better."""
    best = defaults.best_rates([search("a", [None] * 4)])["full"]["decoder"]["a"]
    assert best["values"] is None and best["score"] is None and best["seed_sd"] is None
    (*_, line) = defaults.table({"full": {"decoder": {"a": best}}}).splitlines()
    assert line.endswith("| – | 1e-05: failed, 4e-05: failed, 0.0001: failed, 0.0004: failed |")


def test_a_trial_that_failed_for_one_seed_is_out():
    trials = [trial("a", 1e-5, (0.9, None)), trial("a", 1e-4, (0.5, 0.6))]
    found = [defaults.Searched("decoder", "full", "a", trials)]
    assert defaults.best_rates(found)["full"]["decoder"]["a"]["values"] == {"learning_rate": 1e-4}


def test_families_and_strategies_have_their_own():
    found = [search("a", [0.1, 0.2, 0.3, 0.4]), search("a", [0.4, 0.3, 0.2, 0.1], family="encoder")]
    found += [search("a", [0.1, 0.5, 0.2, 0.2], strategy="frozen")]
    rates = defaults.best_rates(found)
    chosen = {(name, family): best["a"]["values"] for name, families in rates.items() for family, best in families.items()}
    assert chosen == {
        ("full", "decoder"): {"learning_rate": 4e-4},
        ("full", "encoder"): {"learning_rate": 4e-5},
        ("frozen", "decoder"): {"learning_rate": 1e-5},
    }


def test_earlier_searches_stay_until_they_are_made_anew(tmp_path, monkeypatch, capsys):
    def made(*searches):
        monkeypatch.setattr(defaults, "searched", lambda options: iter(searches))
        defaults.main(["--to", str(tmp_path)])
        return capsys.readouterr().out.splitlines(), (tmp_path / "defaults.jsonl.gz").read_bytes()

    first, _ = made(search("a", [0.1, 0.2, 0.3, 0.4]), search("a", [0.4, 0.3, 0.2, 0.1], family="encoder"))
    assert first == ["full (decoder, a): {'learning_rate': 0.0004}", "full (encoder, a): {'learning_rate': 4e-05}"]
    second, packed = made(search("a", [0.1, 0.9, 0.3, 0.4]))
    assert second == ["full (decoder, a): {'learning_rate': 1e-05}", "full (encoder, a): {'learning_rate': 4e-05}"]
    assert made()[1] == packed and "long" not in gzip.decompress(packed).decode()


def test_every_strategy_that_trains_is_searched_where_none_is_named(tmp_path, monkeypatch):
    """Planted fault: `rehearsal` and `lora-32bit`, which no suite runs by itself, were never searched."""
    asked = []
    monkeypatch.setattr(defaults, "searched", lambda options: iter(asked.append(options.strategies) or ()))
    defaults.main(["--to", str(tmp_path)])
    spaces = {path.stem: Library().strategy(path.stem).search for path in STRATEGIES.glob("*.yaml")}
    searchable = {name for name, space in spaces.items() if "learning_rate" in space}
    assert set(*asked) == searchable - {"lora-slow"}


def test_one_seed_is_refused(capsys):
    with pytest.raises(SystemExit):
        defaults.main(["--seeds", "1"])
    assert "give 2 or more" in capsys.readouterr().err


def unearned(strategy, family, task, found):
    """Why a default is not what the search of baselines/defaults.yaml found, and no other reason for it is given; or None.

    A default may stay where it lies behind by no more than the standard error of the difference of two means over orders, if
    the strategy's file names the rate that was found.
    """
    best = found["values"]["learning_rate"]
    default = Library().strategy(strategy).defaults(family, Library().task(task).type)["learning_rate"]
    if default == best:
        return None
    scores = {each["learning_rate"]: each["score"] for each in found["tried"]}
    if scores.get(default) is None:
        return f"{default:g} was not tried, and {best:g} was found"
    lag = abs(found["score"] - scores[default]) / found["seed_sd"]
    if lag > (2 / found["seeds"]) ** 0.5:
        return f"{default:g} lies {lag:.1f} SD behind {best:g}"
    comment = "".join(re.findall(r"^#.*$", (STRATEGIES / f"{strategy}.yaml").read_text(), re.MULTILINE))
    named = [float(rate) for rate in re.findall(r"\d[\d.]*e-\d+", comment)]
    return None if any(rate == pytest.approx(best, rel=0.05) for rate in named) else f"the file does not name {best:g}"


@pytest.mark.parametrize(("strategy", "family", "task", "found"), FOUND)
def test_a_default_is_what_the_search_found_or_its_file_says_why_not(strategy, family, task, found):
    assert unearned(strategy, family, task, found) is None
    space = Library().strategy(strategy).space(family)["learning_rate"]
    assert space.low < found["values"]["learning_rate"] < space.high


def test_every_strategy_was_searched_on_every_task():
    """With a task more than another, a strategy would be better tuned; and a type of tasks without a search has no rate."""
    pairs = [(family, task) for family in ("decoder", "encoder") for task in ("sst2", "medical-spans", "squad")]
    assert {(strategy, *pair) for strategy in defaults.STRATEGIES for pair in pairs} == {tuple(where) for *where, _ in FOUND}


@pytest.mark.parametrize(
    ("values", "seed_sd", "told"),
    [
        (3e-5, 0.01, None),
        (1.51e-4, 0.2, None),
        (1.51e-4, 0.01, "3e-05 lies 10.0 SD behind 0.000151"),
        (9e-5, 0.2, "the file does not name 9e-05"),
    ],
)
def test_a_default_that_nothing_speaks_for_is_seen(values, seed_sd, told):
    """Of `instruction` on classes, whose default is 3e-5, and whose file says that 1.51e-4 did alike."""
    scores = {3e-5: 0.7, values: 0.8}
    tried = [{"learning_rate": rate, "score": score} for rate, score in scores.items()]
    found = {"values": {"learning_rate": values}, "score": 0.8, "seeds": 2, "seed_sd": seed_sd, "tried": tried}
    assert unearned("instruction", "decoder", "sst2", found) == told
    found["tried"] = tried[1:]
    if values != 3e-5:
        assert unearned("instruction", "decoder", "sst2", found).startswith("3e-05 was not tried")


def test_what_was_found_is_what_the_kept_trainings_give():
    """Planted fault: a score in the file that no training has."""
    found = defaults.best_rates(defaults.kept(BASELINES / defaults.TRAININGS))
    assert json.loads(json.dumps(found)) == yaml.safe_load((BASELINES / defaults.FOUND).read_text())


def rows_below(header, page=PAGE):
    """The cells of the table of the page whose header begins so, the header first."""
    lines = page[page.index(header) :].split("\n\n")[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if not line.startswith("|--")]


def test_the_page_tells_the_rates_that_are_used():
    (_, *columns), *rows = rows_below("| strategy | decoders |")
    assert columns == ["decoders", "decoders, `ner`", "decoders, `qa`", "encoders", "encoders, `ner`", "encoders, `qa`"]
    trained = [
        path.stem for path in STRATEGIES.glob("*.yaml") if "learning_rate" in Library().strategy(path.stem).defaults("decoder")
    ]
    assert sorted(name for name, *_ in rows) == sorted(trained)
    shown = [("decoder", None), ("decoder", "ner"), ("decoder", "qa"), ("encoder", None), ("encoder", "ner"), ("encoder", "qa")]
    for name, *told in rows:
        spec = Library().strategy(name)
        assert [float(rate) for rate in told] == [spec.defaults(*column)["learning_rate"] for column in shown]
        assert set(spec.types) <= {"ner", "qa"} and set(spec.encoder_types) <= {"ner", "qa"}
        # Of what was not searched yet the file says on what else it rests, and where that is told.
        assert re.search(r"^# .*docs/method/learning-rates\.md", (STRATEGIES / f"{name}.yaml").read_text(), re.MULTILINE)


def test_lora_slow_has_the_rates_of_full():
    slow, full = (Library().strategy(name) for name in ("lora-slow", "full"))
    assert (slow.types, slow.encoder_types, slow.encoder) == (full.types, full.encoder_types, full.encoder)
    assert slow.hyperparameters["learning_rate"] == full.hyperparameters["learning_rate"]


def test_the_page_on_tuning_tells_the_ranges_that_are_searched():
    _, *rows = rows_below("| strategy | decoders |", TUNING)
    told = {name: ranges for names, *ranges in rows for name in names.split(", ")}
    spaces = {path.stem: Library().strategy(path.stem) for path in STRATEGIES.glob("*.yaml") if path.stem in told}
    assert spaces.keys() == {path.stem for path in STRATEGIES.glob("*.yaml") if Library().strategy(path.stem).search}
    for name, strategy in spaces.items():
        for family, words in zip(("decoder", "encoder"), told[name], strict=True):
            ((of, searched),) = strategy.space(family).items()
            assert of == ("shots" if name == "few-shot" else "learning_rate")
            assert searched.log and searched.integer == (of == "shots")
            assert [float(end) for end in words.split(" to ")] == [searched.low, searched.high], (name, family)


def test_the_page_tells_what_was_searched():
    told = PAGE.split(defaults.BEGIN)[1].split(defaults.END)[0]
    assert told.strip() == defaults.table(yaml.safe_load((BASELINES / defaults.FOUND).read_text())).strip()


def test_the_table_tells_each_search_with_its_best_score_and_what_failed(tmp_path):
    found = [search("b", [0.5, None, 0.7, 0.2]), search("a", [0.1, 0.2, 0.3, 0.4], family="encoder")]
    _, _, *lines = defaults.table(defaults.best_rates(found)).splitlines()
    assert lines == [
        "| full | decoder | b | 8examples, 8, 2 | 0.014 | 1e-05: failed, 4e-05: 0.500, 0.0001: **0.700**, 0.0004: 0.200 |",
        "| full | encoder | a | 8examples, 8, 2 | 0.014 | 1e-05: 0.200, 4e-05: 0.100, 0.0001: 0.300, 0.0004: **0.400** |",
    ]
    page = tmp_path / "page.md"
    page.write_text(f"before\n{defaults.BEGIN}old\n{defaults.END}after\n")
    defaults.put("new\n", page)
    assert page.read_text() == f"before\n{defaults.BEGIN}\nnew\n\n{defaults.END}after\n"


@pytest.mark.slow
def test_a_small_search_for_real_writes_both_files_and_goes_on_where_it_was(tmp_path, capsys):
    small = ["--trials", "2", "--suites", "sentiment", "--models", "tiny-bert", "--strategies", "full", "lora-8bit"]
    small += ["--budget", "32", "--items", "12", "--out", str(tmp_path / "out"), "--to", str(tmp_path)]
    defaults.main(small)
    content = yaml.safe_load((tmp_path / "defaults.yaml").read_text())
    assert set(content) == {"full", "lora-8bit"}
    found = content["full"]["encoder"]["sst2"]
    assert found["values"]["learning_rate"] > 0 and found["seed_sd"] is not None
    assert found["seeds"] == 2 and len(found["tried"]) == 2
    packed = (tmp_path / "defaults.jsonl.gz").read_bytes()
    trainings = [json.loads(line) for line in gzip.decompress(packed).decode().splitlines()]
    assert len(trainings) == 2 * 2 * 2 and {each["setup"]["seed"] for each in trainings} == {1000, 1001}
    assert len(packed) < 8000 and "learning_rate" in capsys.readouterr().out
    defaults.main(small)
    assert (tmp_path / "defaults.jsonl.gz").read_bytes() == packed
