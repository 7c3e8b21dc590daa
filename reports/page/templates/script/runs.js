// A section of one run: what it was, where it comes from, how its loss went, and what to beware of; and the table of all runs.

class Runs {
  constructor(suites, ranking) {
    this.byId = new Map();
    const lines = new Map(ranking.lines.map((line) => [`${line.suiteNumber}/${line.number}`, line]));
    suites.forEach((suite, number) => suite.runs.forEach((run) => this.byId.set(run.id, { run, suite, line: lines.get(`${number}/${run.line}`) })));
    this.disagreements = new Disagreements(this);
    state.listeners.push(() => this.show(), linkRunsAnew);
  }

  show() {
    const known = this.byId.get(state.get("run"));
    const place = byId("run");
    if (!known) {
      place.hidden = true;
      this.shown = null;
      return;
    }
    place.hidden = false;
    if (this.shown !== known) {
      fill(place, this.parts(known));
      jump("run");
    }
    this.shown = known;
    this.disagreements.show(known);
  }

  parts({ run, suite, line }) {
    const close = element("button", { type: "button", class: "plain", click: () => {
      state.set({ run: null, with: null }, true);
      jump("ranking");
    } }, "Close");
    return [
      element("h2", {}, `Run ${run.id}: ${line.label}, ${line.model} on ${line.task}, seed ${run.seed} `, close),
      run.warnings.map((words) => element("p", { class: "alarm" }, words)),
      element("div", { class: "sources" },
        element("section", {}, element("h3", {}, "Result"), facts(this.result(run)), element("h3", {}, "The row"), facts(this.row(run, suite, line)), this.seeds(run, suite)),
        element("section", {}, element("h3", {}, "Configuration"), facts({ strategy: line.strategy, budget: line.budget, ...spentOf(run), ...suite.settings[run.line] })),
        element("section", {}, element("h3", {}, "Provenance"), facts({ suite: suite.name, record: `records/${run.id}.json`, started: moment(run.started), ...suite.origins[run.origin] }))),
      run.losses ? this.course(run) : null,
      element("div", { id: "disagreements" }),
    ];
  }

  result(run) {
    return { status: run.status, ...(run.shown === undefined ? {} : { score: run.shown }) };
  }

  // The mean of the row's runs, as the table has it.
  row(run, suite, line) {
    if (line.status) return {};
    const shown = suite.table.columns.filter((column) => column.numeric && part(suite.table.lines[run.line].cells[suite.table.columns.indexOf(column)], TEXT) !== null);
    const cells = shown.map((column) => {
      const cell = suite.table.lines[run.line].cells[suite.table.columns.indexOf(column)];
      return [column.title, [part(cell, TEXT), part(cell, INTERVAL)].filter(Boolean).join(" ")];
    });
    return Object.fromEntries(cells);
  }

  seeds(run, suite) {
    const others = suite.runs.filter((each) => each.line === run.line);
    if (others.length < 2) return null;
    return element("p", {}, `The row is the mean of ${others.length} runs: `, others.map((each, place) => [place ? ", " : "",
      each === run ? `seed ${each.seed} (this one)` : element("a", { href: state.address({ run: each.id }), "data-run": each.id }, `seed ${each.seed}`)]).flat());
  }

  course(run) {
    const { steps, means } = run.losses;
    const places = means.map((mean, place) => [means.length === steps ? place + 1 : Math.round(((place + 0.5) * steps) / means.length), mean]).filter(([, mean]) => mean !== null);
    if (places.length < 2) return null;
    const words = `Training loss: ${number(places[0][1])} at first, ${number(places[places.length - 1][1])} at the end of ${steps} steps`;
    const drawing = frame({ values: places.map(([step]) => step), title: "step" }, { values: places.map(([, mean]) => mean), title: "training loss, nats per target" }, words);
    drawing.svg.append("path").attr("class", "way colour-0").attr("d", way(drawing.across, drawing.up)(places));
    return element("div", { class: "plots" }, figure(drawing.svg.node(), "Training loss", means.length < steps ? `Means of neighbouring steps. ${words}.` : `${words}.`));
  }

  // The table of a suite's runs.
  drawAll(host, suite, number) {
    const column = (key, title, numeric, names = false, term = key) => ({ key, term, title, group: "", note: "", first: "ascending", numeric, names });
    const columns = [column("run_id", "Run", false, true), column("strategy", "Strategy", false), column("model", "Model", false), column("task", "Task", false),
      column("seeds", "Seed", true), column("status", "Status", false), column("score", "Score", true), column("hyperparameters", "Hyper-parameters", false)];
    if (suite.runs.some((run) => run.validation)) columns.push(column("validation", "Validation", false));
    if (new Set(suite.origins.map((origin) => origin.environment)).size > 1) columns.push(column("environment", "Environment", false));
    columns.push(column("started", "Started", false));
    columns.forEach((each, index) => (each.index = index));
    const lines = suite.runs.map((run) => {
      const { line } = this.byId.get(run.id);
      const settings = Object.entries(suite.settings[run.line]).map(([name, value]) => `${name} = ${value}`).join("; ") || "none";
      const values = { run_id: run.id, strategy: line.label, model: line.model, task: line.task, seeds: [String(run.seed), run.seed], status: run.status,
        score: run.shown === undefined ? null : [run.shown, run.score], hyperparameters: settings, validation: run.validation ? [run.validation, run.validation, "", `kept ${run.kept}`] : null,
        environment: suite.origins[run.origin].environment ?? null, started: run.started ? moment(run.started) : null };
      return { cells: columns.map(({ key }) => values[key]), run: run.id, href: () => state.address({ run: run.id }) };
    });
    new Table(host, `Suite ${suite.name}: runs and their hyper-parameters`).draw(columns, lines);
  }
}

// A link to a run keeps what the reader has chosen since it was drawn.
function linkRunsAnew() {
  for (const link of document.querySelectorAll("a[data-run]")) link.setAttribute("href", state.address({ run: link.dataset.run }));
}

// The address does not change where the run is open already.
document.addEventListener("click", (event) => {
  if (event.target.closest("a[data-run]")?.dataset.run === state.get("run")) jump("run");
});

const moment = (started) => (started ? started.replace("T", " ").replace("+00:00", "") : "–");

function spentOf(run) {
  const spent = Object.entries(run.spent ?? {}).map(([name, [used, limit]]) => [`${name} spent`, `${number(used)} of ${number(limit)}`]);
  return { ...Object.fromEntries(spent), ...(run.ended ? { "ended by": run.ended } : {}), ...(run.trials ? { "tuning trials": run.trials } : {}) };
}

function facts(values) {
  return element("dl", { class: "facts" }, Object.entries(values).map(([name, value]) => element("div", {}, element("dt", {}, name), element("dd", {}, String(value)))));
}
