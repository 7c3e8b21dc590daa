// The ranking: the tables of all suites as one, with menus that narrow it, columns to choose, and sentences that say who is ahead.

const CARDS = 3; // tables of rows that are told in words

// Lines of all suites over the columns of all suites, in the order in which they are met.
function merged(suites) {
  const columns = [];
  const known = new Map();
  const lines = [];
  suites.forEach((suite, number) => {
    const places = suite.table.columns.map((column) => {
      const name = [column.key, column.group].join("|");
      if (!known.has(name)) known.set(name, columns.push({ ...column, index: columns.length }) - 1);
      const same = columns[known.get(name)];
      if (column.note && !same.note.split("; ").includes(column.note)) same.note = [same.note, column.note].filter(Boolean).join("; ");
      return known.get(name);
    });
    for (const line of suite.table.lines) {
      const cells = [];
      line.cells.forEach((cell, place) => (cells[places[place]] = cell));
      const group = suite.groups[line.group];
      lines.push({ ...line, cells, suite: suite.name, suiteNumber: number, groupOf: group, model: group.model, task: group.task });
    }
  });
  // A later suite's probes belong beside the others'.
  const order = [...new Set(columns.map((column) => column.group))];
  columns.sort((a, b) => order.indexOf(a.group) - order.indexOf(b.group) || a.index - b.index);
  return { columns, lines };
}

const FILTERS = {
  suite: { title: "Suite", of: (line) => line.suite },
  model: { title: "Model", of: (line) => line.model },
  task: { title: "Task", of: (line) => line.task },
  strategy: { title: "Strategy", of: (line) => line.strategy },
  budget: { title: "Budget", of: (line) => line.budget },
  seeds: { title: "Seeds", of: (line) => counted(line.seeds, "run") },
};

class Ranking {
  constructor(suites) {
    this.suites = suites;
    Object.assign(this, merged(suites));
    if (suites.length > 1) this.addSuites();
    for (const line of this.lines.filter(({ runs }) => runs.length)) {
      line.run = line.runs[0];
      line.href = () => state.address({ run: line.run });
    }
    this.values = {};
    for (const [name, { of }] of Object.entries(FILTERS)) this.values[name] = [...new Set(this.lines.map(of))].sort(byWords.compare);
    this.table = new Table(byId("board"), "Score, gain, forgetting and cost of each row", (choice) => state.set({
      ...("sort" in choice ? { sort: choice.sort } : {}), page: choice.page > 1 ? String(choice.page) : null }));
    state.listeners.push(() => this.show());
  }

  addSuites() {
    const index = Math.max(...this.columns.map((column) => column.index)) + 1;
    this.columns.splice(1, 0, { key: "suite", term: "suite", title: "Suite", group: "", note: "", first: "ascending", numeric: false, names: false, shown: true, index });
    for (const line of this.lines) line.cells[index] = line.suite;
  }

  // The rows that the menus leave: of a budget, those that train nothing too, as the command has it.
  filtered() {
    const asked = Object.entries(FILTERS).map(([name, { of }]) => [state.get(name), of, this.values[name]])
      .filter(([value, , known]) => known.includes(value)); // a link may name what is no longer here
    return this.lines.filter((line) => asked.every(([value, of]) => of(line) === value || (of === FILTERS.budget.of && !line.trains)));
  }

  // The columns that were chosen, or those that are there at first: none that has nothing to show or the same name in all rows.
  chosenColumns(lines) {
    const chosen = state.get("columns");
    if (chosen) {
      const keys = new Set(chosen.split("~"));
      return this.columns.filter((column) => column.names || keys.has(column.key));
    }
    const alike = new Set(["model", "task", "suite"].filter((name) => this.values[name].length === 1));
    return this.columns.filter((column) => column.shown && !alike.has(column.key) &&
      (!column.numeric || lines.some((line) => part(line.cells[column.index], TEXT) !== null)));
  }

  show() {
    const lines = this.filtered();
    const columns = this.chosenColumns(lines);
    // The first click puts the best first, which of perplexities are the lowest.
    const lower = lines.length > 0 && lines.every((line) => !line.groupOf.higher);
    for (const column of columns.filter(({ key }) => key === "score")) column.first = lower ? "ascending" : "descending";
    this.drawFilters(lines, columns);
    this.drawVerdict(lines);
    this.table.draw(columns, lines, { sort: state.get("sort"), page: Number(state.get("page", "1")) || 1 });
    this.shown = { lines: this.table.inOrder, columns };
  }

  drawFilters(lines, columns) {
    const focused = document.activeElement?.id;
    const open = byId("columns")?.open;
    const menus = Object.entries(FILTERS).filter(([name]) => this.values[name].length > 1).map(([name, { title }]) =>
      menu(`filter-${name}`, title, [["", "all"], ...this.values[name].map((value) => [value, value])], state.get(name), (value) => state.set({ [name]: value, page: null })));
    fill(byId("filters"), menus, this.columnMenu(columns, open),
      element("span", { class: "field buttons" },
        element("button", { type: "button", click: () => download("tunebench.csv", "text/csv", this.csv()) }, "CSV"),
        element("button", { type: "button", click: () => download("tunebench.json", "application/json", this.json()) }, "JSON"),
        [...state.chosen.keys()].length ? element("button", { type: "button", id: "reset", click: () => state.set(Object.fromEntries([...state.chosen.keys()].map((name) => [name, null]))) }, "Reset") : null),
      element("span", { class: "count", role: "status" }, `${counted(lines.length, "row")} of ${this.lines.length.toLocaleString("en")}`));
    if (focused) (byId(focused) ?? byId("filters").querySelector("select, summary"))?.focus();
  }

  columnMenu(columns, open) {
    const shown = new Set(columns.map((column) => column.key));
    const boxes = this.columns.filter((column) => !column.names).map((column, place) => {
      const id = `column-${place}`;
      const box = element("input", { type: "checkbox", id, checked: shown.has(column.key), change: () => {
        if (box.checked) shown.add(column.key);
        else shown.delete(column.key);
        state.set({ columns: [...shown].join("~") });
      } });
      return element("label", { for: id }, box, column.title);
    });
    return element("details", { id: "columns", open }, element("summary", {}, "Columns"), element("div", { class: "boxes" }, boxes));
  }

  drawVerdict(lines) {
    const suites = new Map(lines.map((line) => [line.groupOf, this.suites.length > 1 ? `${line.suite}: ` : ""]));
    const groups = [...suites.keys()].filter((group) => group.said.length);
    const cards = groups.slice(0, CARDS).map((group) => element("div", { class: "card" },
      element("h3", {}, `${suites.get(group)}${group.model} on ${group.task}`), element("p", { class: "what" }, `${group.measure} over ${counted(group.items, "item")}`),
      group.said.map((said, place) => element("p", { class: place ? "note" : "ahead" }, said))));
    const more = groups.length > CARDS ? element("p", { class: "note" }, `These are the first ${CARDS} of ${groups.length} tables of a model and a task. Choose a model or a task above to see another.`) : null;
    fill(byId("verdict"), cards.length ? element("div", { class: "cards" }, cards) : null, more);
  }

  csv() {
    const quote = (value) => (/[",\n\r]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
    // A spreadsheet would run a name that begins like a formula.
    const safe = (value) => (typeof value === "string" && /^[=+\-@\t\r]/.test(value) && Number.isNaN(Number(value)) ? `'${value}` : String(value ?? ""));
    const { lines, columns } = this.shown;
    const rows = lines.map((line) => columns.flatMap((column) => cellValues(column, line)));
    const heads = columns.flatMap(({ key, numeric }) => (key === "rank" ? ["rank best", "rank worst"] : numeric ? [key, `${key} low`, `${key} high`] : [key]));
    return [["status", "reason", "measure", ...heads], ...rows.map((row, place) => [lines[place].status || "ok", lines[place].reason, lines[place].groupOf.measure, ...row])].map((row) => row.map((value) => quote(safe(value))).join(",")).join("\r\n") + "\r\n";
  }

  json() {
    const rows = this.shown.lines.map(({ suite, model, task, label, budget, seeds, runs, score, gain, lost, cost, groupOf, status, reason }) =>
      ({ suite, model, task, row: label, budget, seeds, runs, status: status || "ok", reason, measure: groupOf.measure, unit: groupOf.unit, score, gain, lost, cost }));
    return JSON.stringify(rows, null, 1);
  }
}

// What a program reads of a cell: the value, and of a number the ends of its interval.
function cellValues(column, line) {
  const cell = line.cells[column.index];
  // A row's name holds what sets it apart from others of its strategy.
  if (column.names) return [part(cell, VALUE) ?? part(cell, TEXT) ?? ""];
  if (!column.numeric) return [part(cell, TEXT) ?? ""];
  if (column.key === "rank") return placesOf(part(cell, TEXT) ?? ""); // its value is the middle of its places
  const ends = (part(cell, INTERVAL) ?? "").replaceAll("\u2212", "-").match(/\[(.*), (.*)\]/);
  return [line.status ? "" : part(cell, VALUE) ?? "", ...(ends ? ends.slice(1) : ["", ""])];
}

// `1-3`, which a spreadsheet would take for a day, as 1 and 3.
function placesOf(text) {
  const places = text.split("-");
  return [places[0], places[places.length - 1]];
}
