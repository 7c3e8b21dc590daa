// Which drawings a table of rows has, and what they are of.

const COST_AXES = {
  train_seconds: ["Training time", "seconds of training", 1],
  peak_memory_bytes: ["Memory", "peak memory, GB", 1e-9],
  saved_bytes: ["Saved", "saved, MB", 1e-6],
  train_flops: ["FLOPs", "training FLOPs", 1, "~s"],
};

const MEASURED = new Set(["train_seconds", "peak_memory_bytes"]); // what another machine takes more or less of

class Drawings {
  constructor(suites, ranking) {
    Object.assign(this, { suites, ranking });
    this.tables = suites.flatMap((suite) => suite.groups.map((group, number) => ({
      group, name: [suites.length > 1 ? `${suite.name}: ` : "", `${group.model} on ${group.task}`].join(""),
      lines: ranking.lines.filter((line) => line.groupOf === group && line.run && line.score) }))).filter(({ lines }) => lines.length);
    state.listeners.push(() => this.show());
  }

  // The chosen table, or the first one of the rows that the menus leave.
  table() {
    const named = this.tables.find(({ name }) => name === state.get("plot"));
    const left = new Set(this.ranking.shown.lines.map((line) => line.groupOf));
    return named || this.tables.find(({ group }) => left.has(group)) || this.tables[0];
  }

  show() {
    const table = this.table();
    if (!table) return;
    const { group, lines } = table;
    const pick = (name, options) => (options.includes(state.get(name)) ? state.get(name) : options[0]);
    const probe = pick("probe", Object.keys(group.probes));
    const cost = pick("cost", Object.keys(COST_AXES).filter((name) => lines.some((line) => line.cost[name] !== undefined)));
    const against = pick("against", lines.filter((line) => this.pairs(group, line).length).map((line) => line.label));
    const drawn = JSON.stringify([table.name, probe, cost, against]);
    if (drawn === this.drawn) {
      relink(byId("plots")); // another choice was made, which links keep
      return;
    }
    this.drawn = drawn;
    const focused = document.activeElement?.id;
    const menus = [["plot", "Table", this.tables.map(({ name }) => name), table.name], ["probe", "Probe", Object.keys(group.probes), probe],
      ["cost", "Cost", Object.keys(COST_AXES), cost], ["against", "Compared with", lines.map((line) => line.label), against]];
    fill(byId("drawn"), menus.filter(([, , options]) => options.length > 1).map(([name, title, options, value]) =>
      menu(`plot-${name}`, title, options.map((each) => [each, COST_AXES[each]?.[0] ?? each]), value, (chosen) => state.set({ [name]: chosen }))));
    if (focused) byId(focused)?.focus();
    const looks = looksOf(lines);
    const mark = (line, x, y, words) => ({ x, y, label: line.label, to: { run: line.run }, look: looks.get(line.label), words: `${line.label}: ${words}` });
    fill(byId("plots"), [this.gains(group, lines, probe, mark), this.scores(group, lines, cost, mark), this.forest(group, lines, against),
      ...this.ways(group, lines, probe, looks), this.searches(group, lines, looks)].filter(Boolean));
  }

  gains(group, lines, probe, mark) {
    if (!probe) return null;
    const unit = group.probes[probe].unit;
    const gained = group.compared; // rows that were asked in different words are held against one base
    const gain = gained === "gain" ? "gain" : "gain over best base";
    const marks = lines.filter((line) => line[gained] && line.lost[probe]).map((line) =>
      mark(line, line[gained], line.lost[probe], `${gain} ${told(line[gained])} ${group.unit}, forgetting ${told(line.lost[probe])} ${unit} of ${probe}`));
    if (!marks.length) return null;
    const best = unbeaten([...marks, { x: [0], y: [0] }], [1, -1]);
    const drawing = frame({ values: marks.flatMap(({ x }) => x), title: `${gain}, ${group.unit} (right is better)`, zero: true },
      { values: marks.flatMap(({ y }) => y), title: `forgetting, ${unit} (down is better)`, zero: true }, `Gain against forgetting of ${probe}`);
    drawFrontier(drawing, best, d3.curveStepBefore);
    drawPoints(drawing, marks);
    return figure(drawing.svg.node(), `Gain against forgetting of ${probe}`, "The dashed line is the frontier: nothing gains as much as a row on it and forgets as little.");
  }

  scores(group, lines, cost, mark) {
    if (!cost) return null;
    const [name, title, times, format] = COST_AXES[cost];
    const marks = lines.filter((line) => line.cost[cost] !== undefined).map((line) => {
      const spent = line.cost[cost] * times;
      return mark(line, [spent], line.score, `${group.measure} ${told(line.score)}, ${number(spent)} ${title}`);
    });
    const sign = group.higher ? 1 : -1;
    const drawing = frame({ values: marks.map(({ x }) => x[0]), title: `${title} (left is better)`, format },
      { values: marks.flatMap(({ y }) => y), title: `${group.measure}${group.share ? ", %" : ""} (${group.higher ? "up" : "down"} is better)` }, `Score against ${name.toLowerCase()}`);
    // Seconds and memory of unlike machines are not held against each other.
    const alike = group.one_machine || !MEASURED.has(cost);
    if (alike) drawFrontier(drawing, unbeaten(marks, [-1, sign]), d3.curveStepAfter);
    drawPoints(drawing, marks);
    return figure(drawing.svg.node(), `Score against ${name.toLowerCase()}`, alike
      ? "The dashed line is the Pareto set: nothing scores as well as a row on it for as little."
      : "These rows were made on unlike machines: each one's seconds and memory are those of its own, and none is said to take less.");
  }

  // The differences that a row has from others: their value is the row's minus the other's.
  pairs(group, line) {
    return group.pairs.filter(([one, other]) => one === line.number || other === line.number).map(([one, other, value, low, high, p, paired]) =>
      (one === line.number ? { other, x: [value, low, high], p, paired } : { other: one, x: [value, high, low].map((end) => (end === null ? null : -end)), p, paired }));
  }

  forest(group, lines, against) {
    const line = lines.find((each) => each.label === against);
    if (!line) return null;
    const byNumber = new Map(lines.map((each) => [each.number, each]));
    const pairs = this.pairs(group, line).filter(({ other }) => byNumber.has(other)).map(({ other, x, p, paired }) => ({
      x, paired, label: byNumber.get(other).label, to: { run: byNumber.get(other).run, with: line.run }, significant: p <= 0.05,
      words: `${against} minus ${byNumber.get(other).label}: ${told(x)} ${group.unit}, p ${number(p)}` }));
    if (!pairs.length) return null;
    return figure(drawForest(pairs, `${against} minus the other, ${group.unit}`, `Differences of ${against} from other rows`), `${against} against the others`,
      `Intervals are ${pairs.every((pair) => pair.paired) ? "" : "of two independent means, but where both rows answered the same items: then they are "}paired over the items that both rows answered. What is filled differs by more than chance, all pairs of the table looked at together (Holm).`);
  }

  ways(group, lines, probe, looks) {
    const watched = lines.filter((line) => line.curve.length > 1);
    if (!watched.length) return [];
    const walked = (line, value, words) => ({ places: line.curve.filter((point) => value(point) !== undefined).map((point) => [point[0], value(point)]),
      to: { run: line.run }, look: looks.get(line.label), label: line.label, words: `${line.label}: ${words}` });
    const draw = (title, y, value, said) => {
      const drawn = watched.map((line) => walked(line, value, `${title} over ${line.curve[line.curve.length - 1][0]} examples`)).filter(({ places }) => places.length > 1);
      if (!drawn.length) return null;
      const drawing = frame({ values: drawn.flatMap(({ places }) => places.map((place) => place[0])), title: "examples trained on" },
        { values: drawn.flatMap(({ places }) => places.map((place) => place[1])), title: y }, title);
      drawLines(drawing, drawn);
      return figure(drawing.svg.node(), title, said);
    };
    return [draw("Learning curves", `${group.measure}${group.share ? ", %," : ""} on validation items`, (point) => point[1], "Measured on the way, on validation items: test data are read once."),
      probe ? draw(`Forgetting of ${probe} on the way`, `forgetting, ${group.probes[probe].unit}`, (point) => point[3][probe], "What the probe had lost at each point of the training; values on the way have no intervals.") : null];
  }

  searches(group, lines, looks) {
    const tuned = lines.filter((line) => line.best.length > 1).map((line) => ({ places: line.best.map(([trials, expected]) => [trials, expected]),
      to: { run: line.run }, look: looks.get(line.label), label: line.label, words: `${line.label}: expected best of ${line.best.length} trials ${number(line.best[line.best.length - 1][1])}` }));
    if (!tuned.length) return null;
    const drawing = frame({ values: tuned.flatMap(({ places }) => places.map((place) => place[0])), title: "trials" },
      { values: tuned.flatMap(({ places }) => places.map((place) => place[1])), title: `expected best ${group.measure}${group.share ? ", %," : ""} on validation items` }, "Expected best after so many trials");
    drawLines(drawing, tuned);
    return figure(drawing.svg.node(), "Expected best after so many trials", "A line that still rises is a hint that more trials might help, and a flat one proves nothing: the table of trials has the intervals.");
  }
}

const told = ([value, low, high]) => `${number(value)}${low === null || low === undefined ? "" : ` [${number(low)}, ${number(high)}]`}`;

function figure(drawing, title, words) {
  return element("figure", {}, element("figcaption", {}, element("strong", {}, title), element("span", { class: "note" }, ` ${words}`)), drawing);
}
