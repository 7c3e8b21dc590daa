"""What the pages for people say: links lead somewhere, also to lines, commands exist, and tables agree with the code."""

import re
import shlex

import pytest
from doc_tables import first_cells
from line_links import PAGES, ROOT, with_lines
from typer import BadParameter
from typer.main import get_command

from bench.cli import app
from bench.data import squad
from bench.measuring.item_table import COLUMNS
from bench.records.contract import as_contract
from bench.records.record import Provenance, Record, Setup
from bench.specs.library import Library
from bench.specs.suite import SuiteSpec
from bench.strategies import load_strategy

EACH_PAGE = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
LINK = re.compile(r"\]\(<?([^)>\s]+)>?\)")
TUNEBENCH = get_command(app)
WORKED = re.compile(r"^```python\n((?:(?!```).*\n)+)```\n\n```text\n((?:(?!```).*\n)+)```", re.MULTILINE)
"""Code, and below it what it prints."""
USAGE_ERROR = BadParameter.__base__
"""Of a command line: no such option, no such value, or one too many or too few."""
COMMAND = re.compile(r"(?:^ {4}|`)(tunebench|accelerate launch .*?bench/run\.py) ([^`\n]+)", re.MULTILINE)
WHOLE = re.compile(r"^ {4}(tunebench|sbatch .*?launch/slurm\.sh|accelerate launch .*?bench/run\.py) (.+)$", re.MULTILINE)
"""Commands on lines of their own, which a reader copies as they stand."""
COMMENT = r"\s+#\s| [|>] | && "
QUESTIONS = [
    "What do I need?",
    "How do I begin?",
    "What will I see?",
    "What if it is stopped?",
    "Which settings matter?",
    "What was tried?",
]
"""Of each page of docs/where/, in this order."""


def without_code(text):
    return re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)


def anchors(page):
    """The names that a forge gives to a page's headings."""
    titles = re.findall(r"^#+ (.+)$", without_code(page.read_text()), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@EACH_PAGE
def test_links_lead_somewhere(page):
    for link in LINK.findall(page.read_text()):
        if link.startswith(("http://", "https://")):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{page.name}: {link}"
        if anchor and target.suffix != ".py":
            assert anchor in anchors(target), f"{page.name}: {link}"


@EACH_PAGE
def test_links_to_lines_lead_to_what_they_name(page):
    text = page.read_text(encoding="utf-8")
    assert with_lines(page, text) == text, "run: python tests/line_links.py"
    plain = [link for link in LINK.findall(text) if re.search(r"\.py#(?!L\d+$)", link)]
    assert plain == []


WORKED_OUT = [(page, code, printed) for page in PAGES for code, printed in WORKED.findall(page.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("page, code, printed", WORKED_OUT, ids=[page.stem for page, *_ in WORKED_OUT])
def test_worked_numbers_are_what_their_code_prints(page, code, printed, capsys):
    exec(code, {})
    assert capsys.readouterr().out == printed


def test_what_is_worked_out_by_code_is_found():
    """Else a page whose blocks stand otherwise would be held to nothing."""
    blocks = sum(page.read_text(encoding="utf-8").count("\n```\n\n```text\n") for page in PAGES)
    assert len(WORKED_OUT) == blocks >= 8


MODULE = """
LIMIT, MOST = 1, 2


@decorated
class Run:
    name: str = "perform"

    @property
    def id(self):
        def inner(): ...


def perform(): ...
"""


@pytest.mark.parametrize(
    "name, line", [("LIMIT", 2), ("MOST", 2), ("Run", 6), ("Run.name", 7), ("Run.id", 10), ("perform", 14)]
)
def test_a_line_is_that_of_the_definition(tmp_path, name, line):
    (tmp_path / "run.py").write_text(MODULE)
    page = tmp_path / "page.md"
    assert with_lines(page, f"See [`{name}`](run.py#L3).") == f"See [`{name}`](run.py#L{line})."


@pytest.mark.parametrize("words", ["`inner`", "`id`", "`Run.perform`", "`perform.id`", "perform", "`perform` here"])
def test_a_link_to_a_line_names_what_is_there(tmp_path, words):
    (tmp_path / "run.py").write_text(MODULE)
    with pytest.raises(LookupError, match="defines no"):
        with_lines(tmp_path / "page.md", f"[{words}](run.py#L3)")


def stray_rows(text):
    """Lines that look like rows of a table and are shown as they stand: no head with a line of dashes begins their block."""
    blocks = re.findall(r"(?:^\|.*\n?)+", without_code(text), flags=re.MULTILINE)
    return [block.splitlines()[0] for block in blocks if not re.match(r"\|.*\n\|(?: *:?-+:? *\|)+$", block, re.MULTILINE)]


@EACH_PAGE
def test_rows_stand_below_the_head_of_their_table(page):
    assert stray_rows(page.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "page, stray",
    [
        ("| a | b |\n|---|---:|\n| 1 | 2 |\n| 3 | 4 |\n", []),
        ("| a | b |\n|---|---:|\n| 1 | 2 |\n\n| 3 | 4 |\n", ["| 3 | 4 |"]),
        ("| a | b |\n| 1 | 2 |\n", ["| a | b |"]),
        ("```text\n| a | b |\n```\n", []),
    ],
)
def test_a_row_that_a_blank_line_cuts_off_is_found(page, stray):
    assert stray_rows(page) == stray


def unknown(program, line):
    """The command, or the options, of a line that tunebench does not have."""
    words = shlex.split(re.split(COMMENT, line)[0])
    command = TUNEBENCH
    for word in words if program == "tunebench" else ["run", *words]:
        command = getattr(command, "commands", {}).get(word, command)
    known = {name for option in command.params for name in option.opts + option.secondary_opts} | {"--help"}
    wrong = {word for word in words if word.startswith("--") and word.partition("=")[0] not in known}
    return wrong if command.name or words[0].startswith("-") else {words[0]}


@EACH_PAGE
def test_commands_and_their_options_exist(page):
    text = page.read_text().replace("\\\n", " ")
    assert [(line, wrong) for program, line in COMMAND.findall(text) if (wrong := unknown(program, line))] == []


def parsed(program, line):
    """The options of a whole command; an error as the command line has it, where it would take no such words."""
    words, command = shlex.split(re.split(COMMENT, line)[0]), TUNEBENCH
    if program.startswith("sbatch"):
        words = ["--launch", *words]
    if program != "tunebench":
        words = ["run", *words]
    while hasattr(command, "commands"):
        _, command, words = command.resolve_command(command.make_context(command.name, words.copy()), words)
    return command.make_context(command.name, words).params


@EACH_PAGE
def test_commands_on_lines_of_their_own_are_parsed_as_they_stand(page):
    for program, line in WHOLE.findall(page.read_text().replace("\\\n", " ")):
        named = parsed(program, line).get("launch") or "one"
        assert named.endswith(".yaml") or (ROOT / "launch" / f"{named}.yaml").exists(), line


@pytest.mark.parametrize(
    "text",
    [
        "tunebench run --suit sentiment",
        "tunebench run --suite sentiment --seeds many",
        "tunebench run --suite sentiment minilm",
        "tunebench run --model minilm",
        "tunebench runs --suite sentiment",
        "sbatch --nodes=2 launch/slurm.sh --suite sentiment --out out",
        "sbatch launch/slurm.sh gpus --suite sentiment --cpus-per-task 8",
        "accelerate launch --config_file launch/gpu.yaml bench/run.py --suite sentiment --num_processes 8",
    ],
)
def test_a_command_that_does_not_parse_is_found(text):
    ((program, line),) = WHOLE.findall(f"    {text}\n")
    with pytest.raises(USAGE_ERROR):
        parsed(program, line)


@pytest.mark.parametrize("name", ["laptop", "one-gpu", "node", "slurm", "ray"])
def test_each_place_to_run_has_a_page_that_answers_the_same_questions_and_that_the_readme_names(name):
    page = ROOT / "docs" / "where" / f"{name}.md"
    assert re.findall(r"^#{2,} (.+)$", page.read_text(), re.MULTILINE) == QUESTIONS
    assert f"(docs/where/{name}.md)" in (ROOT / "README.md").read_text()


def test_contributing_names_the_columns_of_squads_format():
    row = next(line for line in (ROOT / "CONTRIBUTING.md").read_text().splitlines() if line.startswith("| `squad` |"))
    asked = {"id": "1", "question": "Who?", "answers": [{"text": "Ann", "answer_start": 0}]}
    content = {"data": [{"title": "A", "paragraphs": [{"context": "Ann.", "qas": [asked]}]}]}
    ((_, columns),) = squad.questions(content)
    named = re.findall(r"`(\w+)`", row.split("|")[3])
    assert [name for name in named if name not in ("true", "false")] == list(columns)


def test_the_page_on_result_files_names_all_columns_of_the_items():
    assert first_cells("docs/records.md", "| column |") == list(COLUMNS)


def test_the_page_on_result_files_names_all_keys_of_the_contract():
    setup = Setup(suite="s", model="m", task="t", strategy="full", hyperparameters={}, seed=0, budget="1example")
    origin = Provenance(versions={}, device={})
    keys = as_contract(Record(run_id="0", status="skipped", setup=setup, provenance=origin))
    assert sorted(first_cells("docs/records.md", "| key |")) == sorted(keys)


def test_contributing_names_all_fields_of_a_suite():
    assert sorted(first_cells("CONTRIBUTING.md", "| field | by default |")) == sorted(SuiteSpec.model_fields)


def stems(folder):
    return sorted(path.stem for path in (ROOT / "suites" / folder).glob("*.yaml"))


def test_the_readme_names_all_strategies_and_suites():
    text = (ROOT / "README.md").read_text()
    assert [name for name in stems("strategies") if f"`{name}`" not in text] == []
    part_of_one = ("claims-whole", "claims-few", "claims-alone")
    assert [name for name in stems(".") if name not in (*part_of_one, "assets") and f"`{name}`" not in text] == []


def test_the_page_on_learning_rates_names_all_settings():
    library = Library()
    loaded = [load_strategy(library.strategy(name), "decoder", {}) for name in stems("strategies")]
    known = {name for strategy in loaded for name in type(strategy.hyperparameters).model_fields}
    assert sorted(first_cells("docs/method/learning-rates.md", "| setting |")) == sorted(known)


def test_the_page_on_forgetting_names_all_probes():
    kinds = {Library().probe(name).kind for name in stems("probes")}
    assert set(first_cells("docs/method/forgetting.md", "| kind, and the probes of it")) == {*kinds, *stems("probes")}
