"""The page in a real browser: what a reader does with it, by mouse and by keys, and that markup in a record does nothing."""

import csv
import io
import json
import re
from dataclasses import asdict
from random import Random

import numpy as np
import pytest
from browsing import Opened, browsing
from scipy.stats import binomtest

from bench.records import store
from reports.choice.rule import Wish, choices
from reports.page import leaderboard, suite
from reports.rows.rows import aggregate, ranked

pytestmark = pytest.mark.slow
TWO_TASKS = (("full", 0.8), ("lora-8bit", 0.7), ("zero-shot", 0.95))
"""On rte, where another row is ahead than on sst2."""
EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"


@pytest.fixture(scope="module")
def browser():
    with browsing() as found:
        yield found


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return tmp_path_factory.mktemp("results")


def watched(make):
    curve = make.curve([(0.1, {"wikipedia": 0.02}), (0.2, {"wikipedia": 0.1})])
    return make.record("watched", 0, 0.8, curve=curve)


def texts(pair):
    """The pair, its task's items with a text each: their number in words of three lengths."""
    record, frame = pair
    words = [f"item {number} " + "word " * (3 * (number % 3)) for number in range(len(frame))]
    return record, frame.assign(
        text=[text if kind == "task" else None for text, kind in zip(words, frame["kind"], strict=True)]
    )


@pytest.fixture
def written(make, results):
    """Two tasks and two models, of which one failed; written once."""
    if not (results / leaderboard.FILE).exists():
        found = [texts(pair) for pair in [*make.suite(2), watched(make)]]
        found += [texts(make.record(strategy, 0, score, task="rte")) for strategy, score in TWO_TASKS]
        found += [texts(make.record(strategy, 0, 0.7, model="minilm", probes={})) for strategy in ("full", "frozen")]
        make.kept(results, [*found, (make.failed("bias-only"), None)])
        leaderboard.write_page(results, results)
    return results / leaderboard.FILE


@pytest.fixture
def opened(browser, written):
    pages = []

    def opened(address="", path=written, **context):
        pages.append(Opened(browser, path, address, **context))
        return pages[-1]

    yield opened
    for page in pages:
        page.close()


def test_a_title_sorts_and_a_second_click_turns_the_order(opened):
    page = opened()
    page.page.click("#board th .sort:text-is('Gain')")
    falling = [float(text.replace("−", "-")) for text in page.column("Gain") if text not in ("–", "")]
    assert falling == sorted(falling, reverse=True) and len(falling) > 8 and "sort=gain%3Adescending" in page.hash
    page.page.click("#board th .sort:text-is('Gain')")
    rising = [float(text.replace("−", "-")) for text in page.column("Gain") if text not in ("–", "")]
    assert rising == sorted(falling)
    assert page.page.get_attribute("#board th:has(.sort:text-is('Gain'))", "aria-sort") == "ascending"
    assert "out of memory" in page.page.locator("#board tbody tr").last.inner_text()  # what has no value comes last


def test_menus_narrow_the_rows_and_the_address_brings_them_back(opened):
    page = opened()
    everything = page.page.locator("#board tbody tr").count()
    page.page.select_option("#filter-model", "minilm")
    assert page.page.locator("#board tbody tr").count() == 2 < everything
    page.page.select_option("#filter-strategy", "frozen")
    assert page.column("Strategy") == ["frozen"]
    again = opened(page.hash)
    assert again.column("Strategy") == ["frozen"] and again.page.input_value("#filter-model") == "minilm"
    again.page.click("#reset")
    assert again.page.locator("#board tbody tr").count() == everything and again.hash == ""


def test_an_old_link_to_a_model_that_is_gone_hides_nothing(opened):
    page = opened("#model=gone")
    assert page.page.input_value("#filter-model") == "" and page.page.locator("#board tbody tr").count() > 1
    assert page.page.locator("#choice .card").count() == opened().page.locator("#choice .card").count() > 0


def test_the_chooser_says_where_nothing_is_to_be_chosen_among(opened):
    """A menu of the table may have what no row with a score has, as a constant answer's."""
    page = opened().page
    page.evaluate("ranking.values.model.push('no model'); state.set({ model: 'no model' })")
    assert page.inner_text("#choice") == "No row of that suite and model has a score."


def test_columns_are_chosen_and_kept_in_the_address(opened):
    page = opened()
    assert "FLOPs" not in page.page.locator("#board thead").inner_text()
    page.page.click("#columns summary")
    page.page.get_by_label("FLOPs", exact=True).check()
    page.page.get_by_label("Gain", exact=True).uncheck()
    titles = page.page.locator("#board .sort").all_inner_texts()
    assert "FLOPs" in titles and "Gain" not in titles
    assert opened(page.hash).page.locator("#board .sort").all_inner_texts() == titles


def test_first_screen_says_who_is_ahead_and_how_sure_that_is(opened):
    page = opened("#model=smollm2&task=rte", viewport={"width": 1280, "height": 900})
    card = page.page.locator("#verdict .card")
    assert card.inner_text().split("\n\n")[:2] == ["smollm2 on rte", "accuracy over 200 items"]
    assert "Ahead is zero-shot: by more than chance it is better than all others" in card.inner_text()
    told = (
        r"a difference below \d+\.\d points \((80 % range \S+ to \S+; )?after Holm over all \d+ pairs\) would mostly not have"
    )
    assert re.search(f"Between two rows, {told} been found", card.inner_text())
    assert card.bounding_box()["y"] + card.bounding_box()["height"] < 900


def test_a_place_in_the_address_hides_nothing(opened):
    page = opened("#drawings")
    assert page.page.locator("#plots figure").count() > 2 and page.page.locator("#board tbody tr").count() > 5
    page.page.click("nav a[href='#pick']")
    assert page.page.evaluate("document.activeElement.id") == "pick"


def test_chooser_tells_ties_and_reasons(opened):
    page = opened("#model=smollm2&tasks=sst2")
    page.page.fill("#wish-seconds", "1000")
    page.page.fill("#wish-forgetting", "0.05")
    card = page.page.locator("#choice .card").first
    assert "rows are left, a tie: none is better than another by more than chance on sst2." in card.inner_text()
    page.page.click("#choice summary >> nth=0")
    assert re.search(r"full: loses \+0\.\d+ nats per token of wikipedia on sst2", card.inner_text())
    assert "max-forgetting=0.05" in page.hash
    page.page.fill("#wish-saved", "0.0001")
    assert "One row is left." in card.inner_text() and "few-shot: sst2: .640 [" in card.inner_text()


def wishes(suites, count):
    """Limits around what the rows have, and sets of tasks, one of them unknown."""
    draw = Random(0)
    lines = [line for part in suites for line in part["table"]["lines"]]
    tasks = [(), ("sst2",), ("rte",), ("sst2", "rte"), ("rte", "sst2"), ("nothing",)]
    for _ in range(count):
        costs = {
            cost: [line["cost"][cost] for line in lines if cost in line["cost"]]
            for cost in ("train_seconds", "peak_memory_bytes", "saved_bytes")
        }
        limits = {
            cost: draw.choice(known) * draw.choice((0.999, 1, 1.001, 2)) for cost, known in costs.items() if draw.random() < 0.4
        }
        yield Wish(limits, draw.choice((None, 0.0, 0.02, 0.05, 0.1, 0.2)), draw.choice(tasks))


def test_form_and_command_choose_the_same(opened, results):
    page = opened()
    rows = ranked(aggregate(store.read_all(results), results))
    suites = [suite.suite_part(rows)]
    asked = list(wishes(suites, 300))
    here = [[asdict(choice) for choice in choices(suites[0], wish)] for wish in asked]
    there = page.page.evaluate("(wishes) => wishes.map((wish) => choices(DATA[0], wish))", [asdict(wish) for wish in asked])
    assert json.loads(json.dumps(here)) == there
    assert len({json.dumps(each) for each in here}) > 40  # and not always the same
    assert "some are better than others on one task" in json.dumps(here)

    def told(suite):
        here = [[asdict(choice) for choice in choices(suite, wish)] for wish in asked]
        given = [json.loads(json.dumps(suite)), [asdict(wish) for wish in asked]]
        assert json.loads(json.dumps(here)) == page.page.evaluate(
            "([suite, wishes]) => wishes.map((w) => choices(suite, w))", given
        )
        return json.dumps(here)

    draw, lines = Random(1), suites[0]["table"]["lines"]
    for line in lines:  # who beats whom by chance, in circles too
        fellows = [other["number"] for other in lines if other["group"] == line["group"]]
        line["better"] = [[number, draw.choice((0.01, 0.025, 0.04))] for number in fellows if draw.random() < 0.3]
        line["lost"] = {name: lost for name, lost in line["lost"].items() if draw.random() < 0.8}
    assert "was not measured on" in told(suites[0])
    for group in suites[0]["groups"]:
        for probe in group["probes"].values():
            probe["share"] = None  # rows of the table measured it in unlike ways
    assert "which other rows measured otherwise" in told(suites[0])


def test_gains_over_different_bases_are_drawn_over_one(make, opened, tmp_path):
    make.kept(tmp_path, make.two_wordings())
    leaderboard.write_page(tmp_path, tmp_path)
    figure = opened(path=tmp_path / leaderboard.FILE).page.locator("#plots figure").first
    words = figure.locator("a.mark[aria-label^='instruction']").get_attribute("aria-label")
    assert words.startswith("instruction: gain over best base 15 [")
    assert "gain over best base, points" in figure.inner_text()


def test_long_numbers_of_an_axis_are_told_in_short(opened):
    """Planted fault: thirteen digits at each tick of the FLOPs stood over each other."""
    figure = opened("#plot=smollm2+on+sst2&cost=train_flops").page.locator("#plots figure", has_text="against flops")
    ticks = figure.locator(".tick text").all_text_contents()
    assert "10T" in ticks and max(map(len, ticks)) <= 4


def test_points_lead_to_their_runs(opened):
    page = opened("#plot=smollm2+on+sst2")
    figures = page.page.locator("#plots figcaption strong").all_inner_texts()
    assert (
        figures[:2] == ["Gain against forgetting of wikipedia", "Score against training time"] and "Learning curves" in figures
    )
    assert any(title.endswith("against the others") for title in figures)
    point = page.page.locator("#plots figure").first.locator("a.mark[aria-label^='lora-8bit']")
    point.focus()
    page.page.keyboard.press("Enter")
    assert (
        page.page.locator("#run h2").inner_text().startswith("Run ")
        and "lora-8bit, smollm2 on sst2" in page.page.locator("#run h2").inner_text()
    )
    page.page.go_back()
    assert not page.page.locator("#run").is_visible()


def test_a_drawing_stays_where_another_choice_leaves_it_and_its_links_keep_that_choice(opened):
    page = opened("#plot=smollm2+on+sst2")
    page.page.evaluate("document.querySelector('#plots svg').drawnOnce = true")
    page.page.click("#board [data-focus='sort score']")
    assert page.page.evaluate("document.querySelector('#plots svg').drawnOnce")
    links = page.page.evaluate("[...document.querySelectorAll('#plots a')].map((link) => link.getAttribute('href'))")
    assert links and all("sort=score" in link and "run=" in link for link in links)
    assert any("with=" in link for link in links)
    page.page.select_option("#plot-cost", index=1)
    assert not page.page.evaluate("document.querySelector('#plots svg').drawnOnce")


def test_a_link_to_a_run_keeps_what_was_chosen_since_it_was_drawn(opened):
    """Planted fault: it led back to the choices of the time when its table was drawn."""
    page = opened()
    page.page.evaluate("document.querySelector('[data-runs]').scrollIntoView()")  # by which it is drawn
    runs = page.page.locator("[data-runs] a[data-run]").first
    runs.wait_for(state="attached")
    page.page.select_option("#filter-model", "minilm")
    runs.click()
    assert "model=minilm" in page.hash and "run=" in page.hash and page.page.input_value("#filter-model") == "minilm"
    other = page.page.locator("#run p a[data-run]").first
    page.page.select_option("#filter-task", "sst2")
    assert other.count() == 0 or "task=sst2" in other.get_attribute("href")


def test_the_run_that_is_open_is_shown_again_when_it_is_asked_for(opened):
    page = opened()
    name = page.page.locator("#board tbody th a").first
    name.click()
    page.page.evaluate("scrollTo(0, 0)")
    name.click()
    assert page.page.evaluate("document.activeElement.id") == "run"


def test_a_run_shows_its_own_score_apart_from_its_row_s_mean(opened, results):
    record = next(r for r in store.read_all(results) if r.setup.strategy == "full" and r.setup.seed == 1)
    page = opened(f"#run={record.run_id}")
    sections = page.page.locator("#run .sources section").first.inner_text()
    result, row = sections.split("The row\n", 1)
    assert "Gain" not in result and "score" in result.lower() and "Gain" in row


def test_a_budget_keeps_the_rows_that_train_nothing(opened):
    page = opened("#model=smollm2&task=sst2")
    budgets = page.page.evaluate("ranking.values.budget.filter((each) => each !== 'none')")
    rows = page.page.evaluate(
        f"state.set({{ budget: {json.dumps(budgets[0])} }}); ranking.filtered().map((line) => line.strategy)"
    )
    assert {"zero-shot", "full"} <= set(rows)


def test_a_table_stays_where_it_was_scrolled_to_when_it_is_sorted(opened):
    page = opened("", viewport={"width": 400, "height": 800})
    page.page.evaluate("document.querySelector('#board .scroll').scrollLeft = 120")
    page.page.wait_for_function("ranking.table.scrolled === 120")
    page.page.evaluate("ranking.table.changed({ sort: 'strategy:descending', page: 1 })")
    assert page.page.evaluate("document.querySelector('#board .scroll').scrollLeft") == 120


def right_of(results, run):
    items = store.read_items(results, run)
    items = items[items["kind"] == "task"]
    return (items["prediction"] == items["gold"]).to_numpy(), items["text"].to_numpy()


def test_disagreements_are_those_of_the_answers(opened, results):
    records = {
        (r.setup.strategy, r.setup.seed): r
        for r in store.read_all(results)
        if r.setup.model == "smollm2" and r.setup.task == "sst2"
    }
    one, other = records["full", 0], records["frozen", 1]
    (mine, told), (theirs, _) = (right_of(results, run) for run in (one, other))
    page = opened(f"#run={one.run_id}&with={other.run_id}")
    cells = page.page.locator(".agreement tbody td").all_inner_texts()
    table = [(mine & theirs).sum(), (mine & ~theirs).sum(), (~mine & theirs).sum(), (~mine & ~theirs).sum()]
    assert [int(cell) for cell in cells] == table and all(table)
    p = binomtest(int(table[1]), int(table[1] + table[2])).pvalue
    shown = re.search(r"differ: p (below \.001|[\d.]+)\.", page.page.locator("#disagreements").inner_text())[1]
    assert shown == ("below .001" if p < 0.001 else f"{p:.3f}".removeprefix("0"))
    for which, alone in (("this", mine & ~theirs), ("other", theirs & ~mine)):
        page.page.select_option("#items", which)
        listed = page.page.locator(".items li p").all_inner_texts()
        assert [text.strip() for text in listed] == [text.strip() for text in told[alone]][:20] and listed
    slices = page.page.locator("#disagreements .table tbody tr").all_inner_texts()
    assert len(slices) == 5 and slices[0].startswith("positive\tlabel\t100")


def test_keyboard_alone_reaches_and_works_everything(opened):
    page = opened()
    for _ in range(200):
        page.page.keyboard.press("Tab")
        if page.page.evaluate("document.activeElement.textContent") == "Score":
            break
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    assert page.page.evaluate(outline) == "solid"  # who uses no mouse sees where he is
    page.page.keyboard.press("Enter")
    assert "sort=score%3Adescending" in page.hash
    assert page.page.evaluate("document.activeElement.textContent") == "Score"  # the focus stays where it was
    page.page.keyboard.press("Space")
    assert "sort=score%3Aascending" in page.hash
    page.page.focus("#filter-model")
    page.page.keyboard.press("m")
    assert (
        page.page.input_value("#filter-model") == "minilm" and page.page.evaluate("document.activeElement.id") == "filter-model"
    )
    page.page.focus("#board tbody tr a")
    page.page.keyboard.press("Enter")
    assert page.page.locator("#run").is_visible() and page.page.evaluate("document.activeElement.id") == "run"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_axe_finds_nothing(opened, results, scheme, width):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    run = next(record for record in store.read_all(results) if record.setup.strategy == "full" and record.setup.task == "sst2")
    page = opened(f"#run={run.run_id}&sort=score%3Adescending", color_scheme=scheme, viewport={"width": width, "height": 800})
    page.page.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")
    found = axe.Axe().run(page.page, options={"resultTypes": ["violations"]})
    assert [
        (each["id"], each["impact"], [node["html"][:200] for node in each["nodes"][:3]])
        for each in found.response["violations"]
    ] == []


def test_dark_mode_is_dark_and_a_phone_does_not_scroll_sideways(opened):
    def background(page):
        return page.page.evaluate("getComputedStyle(document.body).backgroundColor")

    light, dark = opened(color_scheme="light"), opened(color_scheme="dark", viewport={"width": 360, "height": 740})
    brightness = [np.mean([int(part) for part in re.findall(r"\d+", background(page))]) for page in (light, dark)]
    assert brightness[0] > 240 and brightness[1] < 40
    assert dark.page.evaluate("document.documentElement.scrollWidth") <= 360


def test_default_columns_fit_a_small_laptop(browser, make, tmp_path):
    """Rows as `make bench` writes them: nothing is cut off at the right, where a reader would not look for more."""
    strategies = ("full", "frozen", "lora-8bit", "instruction", "multitask", "zero-shot", "few-shot")
    nats = "loss (nats per token)"
    probes = {"wikipedia": (nats, 3.094, 3.139), "lambada": (nats, 4.121, 4.226), "arc-easy": (nats, 0.448, 0.264)}
    found = [make.record(each, 0, 0.6 + place / 20, probes=probes) for place, each in enumerate(strategies)]
    make.kept(tmp_path, [*found, make.record("majority-answer", 0, 0.5, model="no model", probes={})])
    page = Opened(browser, leaderboard.write_page(tmp_path, tmp_path), "", viewport={"width": 1280, "height": 800})
    page.page.locator("#board tbody tr").first.wait_for()
    table, box = page.page.evaluate("['scrollWidth', 'clientWidth'].map((each) => document.querySelector('.scroll')[each])")
    assert table <= box
    page.close()


def test_downloads_hold_the_rows_that_are_shown(opened):
    page = opened("#model=minilm&sort=strategy%3Adescending")
    with page.page.expect_download() as kept:
        page.page.get_by_role("button", name="CSV").click()
    rows = list(csv.DictReader(io.StringIO(kept.value.path().read_text())))
    assert [row["strategy"] for row in rows] == ["full", "frozen"] and {row["model"] for row in rows} <= {"minilm"}
    assert [float(row["score"]) for row in rows] == [pytest.approx(0.7)] * 2 and float(rows[0]["score low"]) < 0.7
    assert all(float(row["gain low"]) < float(row["gain"]) < float(row["gain high"]) for row in rows)
    assert [(row["rank best"], row["rank worst"], row["reason"]) for row in rows] == [("1", "2", "")] * 2
    with page.page.expect_download() as kept:
        page.page.get_by_role("button", name="JSON").click()
    found = json.loads(kept.value.path().read_text())
    assert [row["row"] for row in found] == ["full", "frozen"] and found[0]["score"][0] == pytest.approx(70)


def test_paper_has_all_rows_and_no_menus(opened):
    page = opened()
    page.page.emulate_media(media="print")
    page.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert not page.page.locator("#filters").is_visible() and page.page.locator("details:not([open])").count() == 0


def test_a_table_that_was_never_looked_at_is_printed_whole(browser, make, tmp_path):
    """And one that was looked at stands on its page again afterwards."""
    make.kept(tmp_path, [make.record("full", seed, 0.5 + seed / 1000, suite=f"suite{seed % 2}") for seed in range(130)])
    page = Opened(browser, leaderboard.write_page(tmp_path, tmp_path))
    heads = page.page.locator("#verdict h3").all_inner_texts()
    assert all(head.startswith(("suite0: ", "suite1: ")) for head in heads)
    runs = page.page.locator("[data-runs]").last
    assert runs.locator("tbody tr").count() == 0
    page.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert runs.locator("tbody tr").count() == 65
    page.page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert runs.locator("tbody tr").count() == 50


@pytest.fixture
def attacked(make, tmp_path):
    """Records whose every text is markup that would run."""
    other = {"gold": {"positive": EVIL}, "prediction": {"positive": EVIL}, "before": {"positive": EVIL}}
    found = []
    for strategy, score in ((EVIL, 0.8), ("full", 0.7), ("=1+1", 0.6)):
        record, frame = make.record(strategy, 0, score, model=EVIL, suite=EVIL, asked=EVIL, budget=EVIL, device={"name": EVIL})
        found.append((record, frame.assign(text=EVIL).replace(other)))
    make.kept(tmp_path, [*found, (make.failed("f", reason=EVIL, model=EVIL, suite=EVIL), None)])
    return leaderboard.write_page(tmp_path, tmp_path), found


def test_markup_in_records_does_nothing(opened, attacked):
    path, found = attacked
    page = opened(f"#run={found[0][0].run_id}", path)
    assert page.page.locator(".items li").count() > 0 and EVIL in page.page.locator(".items").inner_text()
    assert EVIL in page.page.locator("#board").inner_text() and EVIL in page.page.locator("#verdict").inner_text()
    assert EVIL in page.page.locator("#plots").inner_html().replace("&lt;", "<").replace("&gt;", ">")
    assert page.page.locator("img").count() == 0 and page.page.locator("script").count() == 3
    with page.page.expect_download() as kept:
        page.page.get_by_role("button", name="CSV").click()
    assert "'=1+1" in [row["strategy"] for row in csv.DictReader(io.StringIO(kept.value.path().read_text()))]


@pytest.mark.parametrize("part", ["model", "suite", "strategy", "task", "budget"])
def test_no_name_is_wider_than_the_page(browser, tmp_path, make, part):
    long = "L" * 3000
    names = {"model": "m", "suite": "s", "task": "sst2", "budget": "b"} | ({part: long} if part != "strategy" else {})
    strategies = ["full", "frozen", *([long] if part == "strategy" else ["lora-8bit"])]
    found = [make.record(strategy, 0, 0.6 + place / 10, **names) for place, strategy in enumerate(strategies)]
    make.kept(tmp_path, found)
    path = leaderboard.write_page(tmp_path, tmp_path)
    for address in ("", f"#run={found[0][0].run_id}"):
        page = Opened(browser, path, address, viewport={"width": 1280, "height": 800})
        page.page.locator("#board tbody tr").first.wait_for()
        assert page.page.evaluate("document.documentElement.scrollWidth") <= 1280
        page.close()


def test_policy_stops_a_script_that_came_in_all_the_same(browser, written, tmp_path):
    text = written.read_text().replace(
        "<main>", "<main><script>document.title = 'in'</script><img src=x onerror=\"document.title = 'in'\">"
    )
    (tmp_path / "page.html").write_text(text)
    page = Opened(browser, tmp_path / "page.html")
    assert page.page.title() == "tunebench leaderboard" and len(page.said) >= 2
    page.context.close()
