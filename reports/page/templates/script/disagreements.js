// Where two runs of one table answer the same items differently: how often (the table of McNemar's test), in which slices, and on
// which texts. What is right of each run is packed as bits: four items to a hexadecimal digit.

const LISTED = 20; // items at first
const LETTERS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_"; // an answer's place, where there are so few

class Disagreements {
  constructor(runs) {
    this.runs = runs;
    this.opened = false;
  }

  // The runs that can be held against this one: those of its table that answered the same items.
  others(known) {
    return [...this.runs.byId.values()].filter(({ run, line }) => run !== known.run && run.right && line.groupOf === known.line.groupOf);
  }

  show(known) {
    const host = byId("disagreements");
    const others = known.run.right ? this.others(known) : [];
    if (!others.length) {
      fill(host, element("h3", {}, "Where do two runs disagree?"), element("p", { class: "note" }, "There is no other run of this table with answers to the same items that are right or wrong."));
      return;
    }
    const other = others.find(({ run }) => run.id === state.get("with")) || others.find(({ run }) => run.line !== known.run.line) || others[0];
    const which = state.get("items") === "other" ? "other" : "this";
    const drawn = [known.run.id, other.run.id, which].join();
    if (host.dataset.drawn === drawn && host.firstChild) return;
    const focused = document.activeElement?.id;
    host.dataset.drawn = drawn;
    const names = [nameOf(known), nameOf(other)];
    const bits = [known, other].map(({ run }) => bitsOf(run.right));
    const items = known.line.groupOf.answers;
    fill(host, element("h3", {}, "Where do two runs disagree?"),
      element("form", { "aria-label": "Which runs and items", submit: (event) => event.preventDefault() },
        menu("with", "Compared with", others.map((each) => [each.run.id, nameOf(each)]), other.run.id, (id) => state.set({ with: id })),
        menu("items", "Items", [["this", `${names[0]} right, ${names[1]} wrong`], ["other", `${names[1]} right, ${names[0]} wrong`]], which, (chosen) => state.set({ items: chosen === "this" ? null : chosen }))),
      this.table(names, bits, items), this.slices(known, other, names, bits, items), this.list(known, other, names, bits, items, which));
    if (focused) byId(focused)?.focus();
  }

  table(names, bits, items) {
    const { both, one, other, none } = agreement(bits, items.count);
    const row = (title, ...cells) => element("tr", {}, element("th", { scope: "row" }, title), cells.map((cell) => element("td", { class: "number" }, cell.toLocaleString("en"))));
    const test = one + other ? `McNemar's exact test on the ${counted(one + other, "item")} where they differ: p ${pOf(one, other)}. ` : "";
    return element("div", {},
      element("table", { class: "agreement" }, element("caption", {}, `${names[0]} and ${names[1]} over ${counted(items.count, "item")}`),
        element("thead", {}, element("tr", {}, element("td"), element("th", { scope: "col", class: "number" }, `${names[1]} right`), element("th", { scope: "col", class: "number" }, `${names[1]} wrong`))),
        element("tbody", {}, row(`${names[0]} right`, both, one), row(`${names[0]} wrong`, other, none))),
      element("p", { class: "note" }, `${test}It is about these two trained models, and not about strategies: another seed may differ.`));
  }

  // Each slice's share of items on which the one run alone is right, minus that of the other.
  slices(known, other, names, bits, items) {
    const parts = Object.entries(items.slices).flatMap(([by, { names: slices, of }]) => slices.map((name, place) =>
      ({ by, name, ...agreement(bits, items.count, (item) => of[item] === place.toString(36)) })));
    for (const [name, count] of Object.entries(items.domains)) {
      if (known.run.away[name] && other.run.away[name]) parts.push({ by: "domain", name, ...agreement([known, other].map(({ run }) => bitsOf(run.away[name])), count) });
    }
    if (!parts.length) return null;
    const column = (key, title, numeric, first = "descending") => ({ key, term: "slice", title, group: "", note: "", first, numeric, names: key === "slice" });
    const columns = [column("slice", "Slice", false, "ascending"), column("by", "Cut by", false, "ascending"), column("count", "Items", true),
      column("one", `${names[0]} alone right`, true), column("other", `${names[1]} alone right`, true), column("difference", "Difference, points", true)];
    columns.forEach((each, index) => (each.index = index));
    const lines = parts.map(({ by, name, both, one, other: theirs, none }) => {
      const count = both + one + theirs + none;
      const difference = count ? (100 * (one - theirs)) / count : 0;
      return { cells: [name, by, [String(count), count], [String(one), one], [String(theirs), theirs], [`${difference > 0 ? "+" : difference < 0 ? "−" : ""}${Math.abs(difference).toFixed(1)}`, difference]] };
    });
    const host = element("div", { class: "table narrow" });
    new Table(host, `Slices in which ${names[0]} and ${names[1]} differ`).draw(columns, lines);
    return [element("h4", {}, "Which slices explain the difference?"), host];
  }

  list(known, other, names, bits, items, which) {
    const [right, wrong] = which === "this" ? [0, 1] : [1, 0];
    const { one, other: theirs } = agreement(bits, items.count);
    const all = which === "this" ? one : theirs;
    const places = items.where.map((item, place) => [item, place]).filter(([item]) => bits[right](item) && !bits[wrong](item));
    const told = (run, place) => {
      const answer = typeof run.answers === "string" ? LETTERS.indexOf(run.answers[place]) : run.answers[place];
      const sure = run.sure.slice(2 * place, 2 * place + 2);
      return `${items.words[answer]}${sure === "--" ? "" : ` (${sure === "++" ? 100 : Number(sure)} %)`}`;
    };
    const entry = ([, place]) => element("li", {}, element("p", {}, items.texts[place] || items.names[place]),
      element("dl", { class: "answers" }, [["gold", items.golds[place]], [names[0], told(known.run, place)], [names[1], told(other.run, place)]].map(([name, value]) =>
        element("div", {}, element("dt", {}, name), element("dd", {}, value)))));
    const list = element("ol", { class: "items" }, places.slice(0, LISTED).map(entry));
    const rest = places.slice(LISTED);
    const more = rest.length ? element("button", { type: "button", class: "plain", click: () => {
      list.append(...rest.map(entry));
      more.remove();
    } }, `Show ${rest.length} more`) : null;
    return [element("h4", {}, `${names[right]} right, ${names[wrong]} wrong`),
      element("p", { class: "note" }, `${places.length} of ${counted(all, "item")} with their texts: the page holds those on which the runs of this table are most divided. In brackets the answer's probability, as the model gives it.`), list, more];
  }
}

const nameOf = ({ line, run }) => (line.runs.length > 1 ? `${line.label}, seed ${run.seed}` : line.label);
const bitsOf = (text) => (item) => (parseInt(text[item >> 2], 16) >> (3 - (item & 3))) & 1;

// On how many items both are right, one alone, the other alone, or none.
function agreement([one, other], count, taken = () => true) {
  const found = { both: 0, one: 0, other: 0, none: 0 };
  for (let item = 0; item < count; item++) {
    if (!taken(item)) continue;
    found[one(item) ? (other(item) ? "both" : "one") : other(item) ? "other" : "none"] += 1;
  }
  return found;
}

// Of the exact two-sided test that either is as likely to be the right one: binomial with 1/2.
function pOf(one, other) {
  const count = one + other;
  let term = 0; // logarithm of the probability of k
  let sum = 0;
  for (let k = 0; k <= Math.min(one, other); k++) {
    sum += Math.exp(term - count * Math.LN2);
    term += Math.log(count - k) - Math.log(k + 1);
  }
  const p = Math.min(1, 2 * sum);
  return p < 0.001 ? "below .001" : p.toFixed(3).replace(/^0/, "");
}
