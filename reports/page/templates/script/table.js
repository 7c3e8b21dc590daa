// A table {columns, lines}: sorted by the column whose title is clicked, numbers by size and words by alphabet, cells without a
// value last in either direction; and shown page by page. Titles are buttons, so Enter and Space work too.

const PAGE = 50;
const PRINTED = 1000; // rows on paper
const byWords = new Intl.Collator("en", { numeric: true });

const TEXT = 0, VALUE = 1, INTERVAL = 2, DETAIL = 3, BAR = 4, STRONG = 5;

function part(cell, index) {
  if (cell === null || cell === undefined) return null;
  if (typeof cell === "string") return index <= VALUE ? cell : null;
  return cell[index] ?? null;
}

// The lines in the column's order. Keys become numbers once per column; to sort again costs no comparing of words.
function sorted(lines, column, direction) {
  const keys = keysOf(column, lines);
  const sign = direction === "ascending" ? 1 : -1;
  const places = lines.map((line, place) => place);
  places.sort((a, b) => {
    if (keys[a] !== keys[a] || keys[b] !== keys[b]) return (keys[a] !== keys[a]) - (keys[b] !== keys[b]) || a - b;
    return sign * (keys[a] - keys[b]) || a - b;
  });
  return places.map((place) => lines[place]);
}

// NaN stands for no value.
function keysOf(column, lines) {
  const values = lines.map((line) => (line.status && column.numeric ? null : part(line.cells[column.index], VALUE)));
  if (column.numeric) return Float64Array.from(values, (value) => (value === null ? NaN : Number(value)));
  const words = [...new Set(values.filter((value) => value !== null).map(String))].sort(byWords.compare);
  const places = new Map(words.map((word, place) => [word, place]));
  return Float64Array.from(values, (value) => (value === null ? NaN : places.get(String(value))));
}

class Table {
  // `choice` holds what is sorted by (`sort`: key, colon, direction) and the page; `changed` is told of new ones.
  constructor(host, caption, changed = null) {
    this.host = host;
    this.caption = caption;
    this.choice = { sort: "", page: 1 };
    this.changed = changed || ((choice) => this.draw(this.columns, this.lines, { ...this.choice, ...choice }));
    Table.all.push(this);
  }

  draw(columns, lines, choice = this.choice) {
    Object.assign(this, { columns, lines, choice });
    const [key, direction] = split(choice.sort);
    const column = columns.find((each) => each.key === key);
    this.inOrder = column ? sorted(lines, column, direction) : lines;
    const last = Math.max(1, Math.ceil(lines.length / Table.size));
    const page = Math.min(Math.max(1, choice.page), last);
    const shown = this.inOrder.slice((page - 1) * Table.size, page * Table.size);
    const table = element("table", { class: "board" }, element("caption", {}, this.caption), this.head(column, direction), body(columns, shown));
    const focused = this.host.contains(document.activeElement) && document.activeElement.dataset.focus;
    // To ask for its place here would lay the page out once more.
    const scroll = () => (this.scrolled = this.host.firstChild.scrollLeft);
    fill(this.host, element("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": this.caption, scroll }, table), last > 1 ? this.pager(page, last) : null);
    if (this.scrolled) this.host.firstChild.scrollLeft = this.scrolled;
    if (focused) this.host.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus();
  }

  head(sortedBy, direction) {
    const groups = [];
    for (const { group } of this.columns) {
      if (groups.length && groups.at(-1).title === group) groups.at(-1).span += 1;
      else groups.push({ title: group, span: 1 });
    }
    return element("thead", {},
      element("tr", { class: "groups" }, groups.map(({ title, span }) =>
        title ? element("th", { colspan: span, scope: "colgroup", class: "starts" }, title) : element("td", { colspan: span }))),
      element("tr", {}, this.columns.map((column, place) => {
        const classes = cellClass(this.columns, place);
        const order = column === sortedBy ? direction : "none";
        const sort = () => this.changed({ sort: `${column.key}:${next(column, order)}`, page: 1 });
        return element("th", { scope: "col", "aria-sort": order, class: classes },
          element("button", { type: "button", class: "sort", "aria-describedby": `means-${column.term}`, "data-focus": `sort ${column.key}`, click: sort }, column.title),
          column.note ? element("small", {}, column.note) : null);
      })));
  }

  pager(page, last) {
    const first = (page - 1) * Table.size;
    const go = (words, to, off) => element("button", { type: "button", disabled: off, "data-focus": words, click: () => this.changed({ page: to }) }, words);
    return element("div", { class: "pager" }, go("Previous", page - 1, page === 1), go("Next", page + 1, page === last),
      element("span", {}, `${(first + 1).toLocaleString("en")} to ${Math.min(first + Table.size, this.lines.length).toLocaleString("en")} of ${this.lines.length.toLocaleString("en")}`));
  }
}
Table.all = [];
Table.size = PAGE; // also of tables that are first drawn for paper

const split = (sort) => [sort.slice(0, sort.lastIndexOf(":")), sort.slice(sort.lastIndexOf(":") + 1)];
const next = (column, order) => ({ ascending: "descending", descending: "ascending" })[order] || column.first;

function cellClass(columns, place) {
  const column = columns[place];
  const starts = column.group && columns[place - 1]?.group !== column.group;
  return [column.numeric ? "number" : "word", column.names && "name", starts && "starts"].filter(Boolean).join(" ");
}

function body(columns, lines) {
  const classes = columns.map((column, place) => cellClass(columns, place));
  return element("tbody", {}, lines.map((line) => {
    const cells = columns.map((column, place) => {
      const cell = line.cells[column.index];
      const strong = part(cell, STRONG) ? " strong" : "";
      return element(column.names ? "th" : "td", { scope: column.names ? "row" : null, class: classes[place] + strong }, content(column, cell, line));
    });
    return element("tr", { class: line.status || null }, line.status ? withReason(columns, cells, line) : cells);
  }));
}

// A run that failed has one wide cell instead of its numbers.
function withReason(columns, cells, line) {
  const first = columns.findIndex((column) => column.numeric);
  if (first < 0) return cells;
  const reason = element("td", { class: "reason", colspan: columns.length - first }, element("strong", {}, line.status), `: ${line.reason}`);
  return [...cells.slice(0, first), reason];
}

function content(column, cell, line) {
  const text = part(cell, TEXT);
  if (text === null) return ["–"];
  const link = column.names && line.href ? element("a", { href: line.href(), "data-run": line.run }, text) : null;
  const shown = link || (column.numeric ? element("span", { class: "value" }, text) : text);
  const interval = part(cell, INTERVAL) && element("span", { class: "interval" }, part(cell, INTERVAL));
  return [shown, interval ? " " : null, interval, part(cell, BAR) && bar(part(cell, BAR)), part(cell, DETAIL) && element("small", {}, part(cell, DETAIL))];
}

// An interval on the track of its column, in per cent of it.
function bar([low, mid, high, base]) {
  const box = (kind, x, y, width, height) => element("rect", { class: kind, x, y, width, height });
  return element("svg", { class: "bar", viewBox: "0 0 100 8", preserveAspectRatio: "none", "aria-hidden": "true" },
    box("track", 0, 3.5, 100, 1), base === null || base === undefined ? null : box("base", base - 0.4, 0, 0.8, 8),
    box("range", low, 2.5, Math.max(high - low, 0.5), 3), box("point", mid - 0.9, 0.5, 1.8, 7));
}

// Paper has no buttons: what is folded away is printed open, and tables whole.
addEventListener("beforeprint", () => {
  document.querySelectorAll("details").forEach((folded) => (folded.open = true));
  Table.size = PRINTED;
  for (const table of Table.all.filter((each) => each.lines)) {
    table.kept = table.choice;
    table.draw(table.columns, table.lines, { ...table.choice, page: 1 });
  }
});
addEventListener("afterprint", () => {
  Table.size = PAGE;
  for (const table of Table.all.filter((each) => each.lines)) table.draw(table.columns, table.lines, table.kept ?? table.choice);
});
