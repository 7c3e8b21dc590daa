"""What is wrong with a command is told before torch is loaded, in the words of the plan."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from malformed import malformed

from bench.errors import UserError
from bench.planning.first_look import chosen, first_look
from bench.planning.options import PlanOptions
from bench.planning.plan import plan
from bench.specs.library import Library

ROOT = Path(__file__).parents[3]
RIGHT = PlanOptions("sentiment", model="tiny-bert")
WRONG = {
    "unknown suite 'sentimental'": replace(RIGHT, suite="sentimental"),
    "unknown strategy 'fulll'": replace(RIGHT, strategies=["fulll"]),
    "unknown task 'sst3'": replace(RIGHT, tasks=["sst3"]),
    "budget 'much' is not understood": replace(RIGHT, budget="much"),
    "--set rate: write it as key=value": replace(RIGHT, settings=["rate"]),
    "--probe-every 0: give a number": replace(RIGHT, probe_every="0"),
    "probe power 'strong'": replace(RIGHT, probe_power="strong"),
}


@pytest.mark.parametrize("sentence", WRONG)
def test_it_says_what_the_plan_would(sentence):
    with pytest.raises(UserError) as early:
        first_look(WRONG[sentence])
    with pytest.raises(UserError) as late:
        plan(WRONG[sentence], "fp32")
    assert str(early.value) == str(late.value) and str(early.value).startswith(sentence)


@pytest.mark.parametrize("suite", ["all", *Library().names("")])
def test_what_is_right_passes(suite):
    first_look(replace(RIGHT, suite=suite))
    first_look(PlanOptions("all", tasks=["sst2"], strategies=["full"], settings=["full.learning_rate=1e-3", "dropout=0"]))


def test_the_suites_names_come_first_and_in_its_order():
    library = Library()
    assert chosen("strategy", None, ["frozen", "full"], library) == ["frozen", "full"]
    assert chosen("strategy", ["lora-8bit", "full", "frozen", "lora-8bit"], ["frozen", "full"], library) == [
        "frozen",
        "full",
        "lora-8bit",
    ]
    with pytest.raises(UserError, match="no strategy is named"):
        chosen("strategy", [], ["full"], library)


def test_it_needs_no_torch(tmp_path):
    """By which a wrong command ends in a second."""
    options = malformed(tmp_path)["no such strategy"]
    code = (
        "import sys; from bench.cli import main\n"
        "try: main(sys.argv[1:])\n"
        "finally: print([name for name in ('torch', 'transformers', 'scipy', 'pandas') if name in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code, "run", *options], capture_output=True, text=True, cwd=ROOT)
    assert (told.returncode, told.stdout) == (2, "[]\n") and told.stderr.startswith("error: unknown strategy 'fulll'")
