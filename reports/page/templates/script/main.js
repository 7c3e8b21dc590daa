// Puts everything in its place.

const DATA = JSON.parse(byId("data").textContent);

function drawTables(runs) {
  for (const place of document.querySelectorAll("[data-table]")) {
    const suite = DATA[place.closest("[data-suite]").dataset.suite];
    const { columns, lines, caption } = suite.tables[place.dataset.table];
    columns.forEach((column, index) => (column.index = index));
    new Table(place, caption).draw(columns, lines);
  }
  for (const place of document.querySelectorAll("[data-runs]")) runs.drawAll(place, DATA[place.closest("[data-suite]").dataset.suite]);
}

if (DATA.length) {
  const ranking = new Ranking(DATA);
  new Chooser(DATA);
  new Drawings(DATA, ranking);
  const runs = new Runs(DATA, ranking);
  state.read();
  drawTables(runs);
}
