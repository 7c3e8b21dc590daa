// Puts everything in its place.

const DATA = JSON.parse(byId("data").textContent);

// A table is drawn when the reader comes near it, or prints: of many most are never looked at.
function drawTables(runs) {
  const draw = (place) => {
    const suite = DATA[place.closest("[data-suite]").dataset.suite];
    if ("runs" in place.dataset) return runs.drawAll(place, suite);
    const { columns, lines, caption } = suite.tables[place.dataset.table];
    // Several probes have columns of the same name here, and what is sorted by stands in no address.
    columns.forEach((column, index) => Object.assign(column, { index, key: String(index) }));
    new Table(place, caption).draw(columns, lines);
  };
  const waiting = new Set(document.querySelectorAll("[data-table], [data-runs]"));
  const now = (place) => waiting.delete(place) && draw(place);
  const watching = new IntersectionObserver((seen) => seen.filter((each) => each.isIntersecting).forEach((each) => now(each.target)), { rootMargin: "1000px" });
  for (const place of waiting) watching.observe(place);
  addEventListener("beforeprint", () => [...waiting].forEach(now));
}

let ranking = null;

if (DATA.length) {
  ranking = new Ranking(DATA);
  new Chooser(DATA, ranking);
  new Drawings(DATA, ranking);
  const runs = new Runs(DATA, ranking);
  state.read();
  drawTables(runs);
}
