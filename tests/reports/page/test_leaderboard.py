"""The page: self-contained, escaped, sortable, the same each time, and silent about nothing."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import pytest

from bench import ENGINE_VERSION
from bench.errors import UserError
from bench.records import store
from bench.records.outcome import Score
from reports.page import leaderboard
from reports.rows.rows import aggregate
from reports.unseen_characters import UNSEEN

SECTIONS = {"Other metrics", "Other tasks and domains", "Transfer", "Wordings"}
VOID = {"meta", "link", "br", "rect", "path", "use"}


def texts_of(data) -> list[str]:
    """All texts of the page's data, in their order."""
    if isinstance(data, dict):
        data = [part for pair in data.items() for part in pair]
    if isinstance(data, list):
        return [text for part in data for text in texts_of(part)]
    return [data] if isinstance(data, str) else []


class Page(HTMLParser):
    """All tags with their attributes, the texts, and the data that the script draws."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.data: list = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        tag, attributes = self.tags[-1] if self.tags else ("", {})
        if tag == "script" and attributes.get("type") == "application/json" and data.strip():
            self.data = json.loads(data)
            self.texts += texts_of(self.data)
        elif tag != "script":
            self.texts.append(data)

    def named(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag == name]

    @property
    def words(self) -> str:
        return " ".join(" ".join(self.texts).split())


def written(make, out, found) -> str:
    make.kept(out, found)
    return leaderboard.write_page(out, out).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def _pages() -> dict[int, str]:
    return {}


@pytest.fixture
def page_of(make, out, _pages):
    """The page of a whole suite with that many seeds, written once."""

    def get(seeds: int) -> str:
        if seeds not in _pages:
            _pages[seeds] = written(make, out, make.suite(seeds))
        return _pages[seeds]

    return get


def own(text: str) -> str:
    """The page without D3's script, which is not ours."""
    return re.sub(r"<script>// https://d3js\.org.*?</script>", "", text, count=1, flags=re.DOTALL)


def test_page_needs_nothing_from_elsewhere(page_of):
    text = own(page_of(1))
    page = Page(text)
    loading = ("src", "href", "xlink:href", "action", "data", "srcset", "poster")
    links = [value for _, attributes in page.tags for name, value in attributes.items() if name in loading]
    assert links and all(value.startswith(("#", "data:")) for value in links)
    assert not re.search(r"@import|url\((?!#)", text)
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "").replace("http-equiv", "")


def test_policy_allows_the_page_s_own_scripts_and_style_alone(page_of):
    text = page_of(1)
    scripts = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    assert len(scripts) == 2 and text.count("<script") == 3 and scripts[0].startswith("// https://d3js.org")
    styles = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    assert len(styles) == 1 and "style=" not in own(text).split("<script")[0]
    names = [f"'sha256-{base64.b64encode(hashlib.sha256(part.encode()).digest()).decode()}'" for part in (*scripts, *styles)]
    policy = f"default-src 'none'; img-src data:; script-src {names[0]} {names[1]}; style-src {names[2]}; "
    assert f"{policy}base-uri 'none'; form-action 'none'" in text


def test_every_line_of_the_ranking_has_its_columns_and_numbers_to_sort_by(page_of):
    (suite,) = Page(page_of(1)).data
    columns, lines = suite["table"]["columns"], suite["table"]["lines"]
    assert len(columns) == 23 and len(lines) == 7 and sum(column["numeric"] for column in columns) == 18
    for line in lines:
        assert len(line["cells"]) == len(columns)
        for column, cell in zip(columns, line["cells"], strict=True):
            value = cell[1] if isinstance(cell, list) else cell
            assert not column["numeric"] or cell is None or isinstance(value, int | float)


def test_numbers_intervals_and_bars(page_of):
    page = Page(page_of(1))
    assert re.search(r"\.875 \[\.\d{3}, \.\d{3}\]", page.words) and "+32.5" in page.words and "12.3 T" in page.words
    assert re.search(r"\.453 → \.359", page.words) and "9.77 MB" in page.words
    score = [column["key"] for column in page.data[0]["table"]["columns"]].index("score")
    assert all(len(line["cells"][score][4]) == 4 for line in page.data[0]["table"]["lines"])


def test_what_intervals_hold_is_said(page_of):
    one, several = Page(page_of(1)).words, Page(page_of(2)).words
    assert "One seed: the interval is for this trained model on new items. Another seed may differ by more." in one
    assert "taken as alike and pooled" in several and "Rows that depend on no seed hold items alone." in several
    assert "seed SD 0.7 points" in several and "seed SD" not in one.split("What the numbers mean")[0]


def test_ids_are_unique(page_of):
    ids = [attributes["id"] for _, attributes in Page(page_of(1)).tags if "id" in attributes]
    assert len(ids) == len(set(ids))


def watched(make, out) -> str:
    """The page of three stages, and of a run that was watched on its way on contaminated items."""
    curve = make.curve([(0.1, {"wikipedia": 0.02}), (0.2, {"wikipedia": 0.1})])
    staged = make.record("full", suite="stages", run_id="s", stages=make.stages())
    return written(make, out, [make.contaminated(make.record("full", curve=curve), "wikipedia", 3), staged])


def test_curves_stages_and_contaminated_items_are_shown(make, out):
    text = watched(make, out)
    page = Page(text)
    assert "3 of 64" in page.words and "After rte" in page.words
    curves = [line["curve"] for suite in page.data for line in suite["table"]["lines"]]
    assert curves == [[[16, 65, 10, {"wikipedia": 0.02}], [32, 75, 20, {"wikipedia": 0.1}]], []]
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_columns_of_what_no_record_holds_are_not_there(page_of):
    terms = {column["term"] for suite in Page(page_of(1)).data for table in suite["tables"] for column in table["columns"]}
    assert terms and not {"backward_transfer", "contaminated"} & terms


def test_definitions_and_provenance(page_of):
    words = Page(page_of(1)).words
    for term in ("Gain", "Forgetting", "Interval", "FLOPs", "Saved", "Kaplan et al. 2020"):
        assert term in words
    for fact in (
        "2.13.0",
        "a CPU",
        "ab" * 32,
        "cd" * 32,
        "12,808",
        "repeated removed 57",
        f"Engine version {ENGINE_VERSION}",
        "2026-11-24T10:09:52",
    ):
        assert fact in words
    (suite,) = Page(page_of(1)).data
    run = next(run for run in suite["runs"] if suite["table"]["lines"][run["line"]]["label"] == "full")
    assert suite["settings"][run["line"]] == {"learning_rate": "2e-05", "warmup": "0.1"}
    assert (len(run["id"]), run["seed"], run["status"], run["shown"]) == (16, 0, "ok", ".875")
    assert suite["origins"][run["origin"]]["torch"] == "2.13.0" and len(suite["origins"]) == 1


def test_names_are_escaped(make, out):
    evil, quoted = "<script>alert(1)</script>", 'a\'b"c onload="x'
    found = [
        make.record(
            quoted, model=evil, task="<b>t", suite='"><img src=x>', device={"name": evil}, versions={evil: evil}, budget=evil
        ),
        (make.failed("f", reason=evil, model=evil, suite='"><img src=x>'), None),
    ]
    text = written(make, out, found)
    page = Page(text)
    assert text.count("<script") == 3 and not page.named("img") and "<b>t" not in text
    assert not any("onload" in attributes for _, attributes in page.tags)
    assert evil in page.words and quoted in page.words


def everything(make) -> list:
    """Records with all that a row can have, of two seeds."""
    found = []
    for seed in range(2):
        pair = make.wordings(make.mixture(seed, validation=[0.7, 0.8123, 0.75]), {"say {text}": 0.80, "{text}?": 0.85})
        record, items = make.elsewhere(pair, "tweets", 0.7, 150)
        rate = Score(name="malformed", value=0.032, ci_low=0.01, ci_high=0.06, n=200, share=True, higher_is_better=False)
        cost = record.cost.model_copy(update={"money": 1.25})
        metrics = {**record.outcome.metrics, "malformed": rate}
        found += [(make.changed(record, metrics=metrics, cost=cost), items), make.alone(seed=seed)]
    return found


def test_everything_that_a_record_holds_is_shown(make, out):
    text = written(make, out, everything(make))
    page = Page(text)
    headings = re.findall(r"<h3>(.*?)</h3>", text)
    assert [h for h in headings if h in SECTIONS] == ["Other metrics", "Other tasks and domains", "Transfer", "Wordings"]
    for words in ("malformed", "tweets", "say {text}", "Spread", "1.25", "of suite entailment, 64 items", ".700 .812 .750"):
        assert words in page.words
    assert "kept .812" in page.words and ".032" in page.words and re.search(r"gain \+\d+\.\d \[", page.words)
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    captions = [table["caption"] for suite in page.data for table in suite["tables"]]
    assert len(ids) == len(set(ids)) and len([each for each in captions if each.startswith("Suite sentiment")]) == 5
    assert not re.search(r"\b(nan|inf|None)\b", page.words) and "{{" not in text


def test_what_no_record_holds_is_not_on_the_page(page_of):
    text = page_of(1)
    assert not SECTIONS & set(re.findall(r"<h3>(.*?)</h3>", text))
    (suite,) = Page(text).data
    assert "Money" not in [column["title"] for column in suite["table"]["columns"]]
    assert not any("validation" in run for run in suite["runs"])


def test_names_of_tasks_domains_and_instructions_are_escaped(make, out):
    evil = "<script>alert(1)</script>"
    quoted = "\"><img src=x onerror='y'>{{ 71*7193 }}"
    pair = make.elsewhere(make.mixture(), quoted, 0.7, 150)
    others = {"inputs": {"others": [{"name": evil, "version": 1}]}}
    more = make.elsewhere(make.mixture(1, **others), evil, 0.7, 64)
    found = [make.wordings(pair, {evil: 0.8, quoted: 0.9}), make.wordings(more, {evil: 0.7, quoted: 0.9})]
    found += [
        make.alone(suite=quoted),
        make.alone(seed=1, suite=evil, task=evil, inputs={"task": {"name": evil, "version": 1}}),
    ]
    text = written(make, out, found)
    page = Page(text)
    assert "Transfer" in text and text.count("<script") == 3 and not page.named("img")
    assert not any("onerror" in attributes for _, attributes in page.tags)
    assert evil in page.words and quoted in page.words and "510703" not in page.words


def test_task_named_like_a_column_does_not_become_the_row_s_name(make, out):
    (suite,) = Page(written(make, out, [make.elsewhere(make.record("full"), "Strategy", 0.7, 64)])).data
    for table in [suite["table"], *suite["tables"]]:
        assert [column["title"] for column in table["columns"] if column["names"]] == ["Strategy"]


def test_failed_runs_are_shown_with_their_reasons(make, out):
    found = [make.record("full"), (make.failed("frozen", 1), None), (make.failed("x", reason="no GPU", status="skipped"), None)]
    words = Page(written(make, out, found)).words
    assert "1 run failed" in words and "failed: RuntimeError: out of memory" in words and "skipped: no GPU" in words


def test_check_that_does_not_hold_is_an_alarm(make, out):
    found = [make.record("zero-shot", trainable=0, checks={"untouched_forgets_nothing": False})]
    page = Page(written(make, out, found))
    assert "zero-shot (smollm2 on sst2) : the check untouched_forgets_nothing does not hold." in page.words
    assert [run["warnings"] for run in page.data[0]["runs"]] == [["The check untouched_forgets_nothing does not hold."]]


def test_unusual_way_of_asking_is_said_and_escaped(make, out):
    text = written(make, out, [make.record("zero-shot", trainable=0, asked="it writes <b>its answer</b>"), make.record("full")])
    assert "zero-shot: it writes <b>its answer</b>." in Page(text).words and "<b>its" not in text


def test_devices_that_differ_are_said(make, out):
    text = written(make, out, [make.record("full"), make.record("frozen", device={"name": "a GPU"})])
    assert "Runs come from different devices" in text


def test_suites_models_and_tasks_share_a_page(make, out):
    others = [
        make.record("full", suite="other", model="bert", task="rte", run_id="b", probes={"mrpc": ("accuracy", 0.7, 0.6)}),
        make.record("full", model="bert", run_id="c", probes={"mrpc": ("accuracy", 0.7, 0.6)}),
    ]
    text = written(make, out, [make.record("full"), *others])
    ids = [attributes["id"] for _, attributes in Page(text).tags if "id" in attributes]
    assert [len(suite["tables"]) for suite in Page(text).data] == [1, 2] and len(ids) == len(set(ids))
    assert 'href="#suite-2"' in text


def test_same_records_give_the_same_bytes(make, out):
    first = written(make, out, make.suite(1))
    assert leaderboard.write_page(out, out / "elsewhere").read_text(encoding="utf-8") == first


def test_nothing_is_nan(page_of):
    for seeds in (1, 2):
        assert not re.search(r"\b(nan|inf|None)\b", Page(page_of(seeds)).words)
        assert '="nan"' not in page_of(seeds)


def test_no_records_are_told_and_nothing_is_written(out):
    """The folder's name may be mistyped."""
    with pytest.raises(UserError, match="no records in .*nothing/records; run a suite first"):
        leaderboard.write_page(out / "nothing", out)
    assert not out.exists()


def test_broken_record_is_named_and_the_old_page_stays(make, out):
    before = written(make, out, [make.record("full")])
    (store.folder(out) / "broken.json").write_text("{", encoding="utf-8")
    with pytest.raises(UserError, match=r"broken\.json"):
        leaderboard.write_page(out, out)
    assert (out / leaderboard.FILE).read_text(encoding="utf-8") == before
    assert [path.name for path in out.iterdir() if path.is_file()] == [leaderboard.FILE]


def test_places_and_their_family_are_said(page_of):
    words = Page(page_of(2)).words
    assert "smollm2 on sst2: rank: the places that a row may have, after Holm over all 21 pairs of scores." in words
    assert "Smallest detectable difference: " in words


def test_nothing_unseen_gets_into_the_page(make, tmp_path):
    evil = "a\x1b[31m\u202eb\ud800"
    found = [make.record(evil, 0, 0.8, model="m\u202e", asked=evil), make.record("full", 0, 0.7, model="m\u202e")]
    text = leaderboard.render(aggregate([record for record, _ in found]))
    assert not UNSEEN.search(text) and "\\u001b" not in text and "a\ufffd[31m\ufffdb\ufffd" in text
