"""Thirty commands of which each has one thing wrong, for whoever checks that a wrong input ends in a sentence."""

from pathlib import Path

TINY = {"--suite": "sentiment", "--model": "tiny-bert", "--budget": "16", "--test-items": "10", "--probe-items": "4"}
SUITE = """
name: own
version: 1
description: reviews
tasks: [own]
models: [tiny-bert]
strategies: [full]
"""
TASK = """
name: own
version: 1
description: reviews
type: classification
metrics: [accuracy]
labels: [bad, good]
train: {path: %s, columns: {text: text, label: label}}
validation: {share: 0.2}
test: {share: 0.2}
prompt: "{text}"
answers: {bad: bad, good: good}
"""
ROWS = "text,label\n" + "".join(f"a film of {n} words,{'good' if n % 2 else 'bad'}\n" for n in range(40))


def malformed(folder: Path) -> dict[str, list[str]]:
    """What is wrong -> the options of `tunebench run`; what they name is written into `folder`."""

    def tiny(**changed: str | None) -> list[str]:
        given = TINY | {f"--{name.replace('_', '-')}": value for name, value in changed.items()}
        return [word for option, value in given.items() if value is not None for word in (option, value)]

    def own(name: str, suite: str = SUITE, task: str = TASK, rows: str = ROWS) -> list[str]:
        place = folder / name
        (place / "tasks").mkdir(parents=True, exist_ok=True)
        (place / "suite.yaml").write_text(suite)
        (place / "rows.csv").write_text(rows)
        (place / "tasks" / "own.yaml").write_text(task % "../rows.csv" if "%s" in task else task)
        return tiny(suite=str(place / "suite.yaml"))

    (folder / "empty-model").mkdir(exist_ok=True)
    (folder / "file").touch()
    return {
        "no such suite": tiny(suite="sentimental"),
        "no such file": tiny(suite=str(folder / "nowhere.yaml")),
        "no YAML": own("broken", suite="name: [own"),
        "an unknown field": own("field", suite=SUITE + "budgets: 3\n"),
        "no such model": tiny(model="tiny-bart"),
        "a model without files": tiny(model=str(folder / "empty-model")),
        "no such strategy": tiny(strategies="fulll"),
        "no such task": tiny(tasks="sst3"),
        "a budget in words": tiny(budget="much"),
        "a budget of nothing": tiny(budget="0"),
        "two budgets of one unit": tiny(budget="16examples,32examples"),
        "an unknown hyper-parameter": [*tiny(), "--set", "full.rate=3"],
        "a setting without a value": [*tiny(), "--set", "learning_rate"],
        "a rate that is no number": [*tiny(), "--set", "learning_rate=high"],
        "a rate that is too high": [*tiny(), "--set", "learning_rate=2"],
        "an unknown adapter": [*tiny(), "--set", "lora-8bit.peft.peft_type=LORE"],
        "an unknown precision": tiny(precision="fp8"),
        "a stride of nothing": tiny(probe_every="0"),
        "a stride beyond the budget": tiny(probe_every="200%"),
        "a power in no unit": tiny(probe_items=None, probe_power="strong"),
        "an unknown sampler": tiny(tune="2", sampler="grid"),
        "an unknown part of a seed": tiny(vary="weather", seeds="2"),
        "checkpoints without end": tiny(checkpoint_every="0s"),
        "results into a file": tiny(out=str(folder / "file" / "out")),
        "no seed": tiny(seeds="0"),
        "one item": tiny(test_items="1"),
        "an unknown option": [*tiny(), "--speed", "high"],
        "a column that is missing": own("column", rows=ROWS.replace("label", "class", 1)),
        "a label that is unknown": own("label", rows=ROWS + "a film,excellent\n"),
        "no rows": own("rows", rows="text,label\n"),
    }
