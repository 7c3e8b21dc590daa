// Which rows to pick: the rule of reports/choice/rule.py on the same data, name for name. A test holds the two together.

const LIMITS = {
  train_seconds: ["training", "trains for {} s", "trains in the least time"],
  peak_memory_bytes: ["memory", "needs {} GB", "needs the least memory"],
  saved_bytes: ["saved", "saves {}", "saves the fewest bytes"],
};

// The most that a p may be for a difference to be more than chance, as CONFIDENCE leaves it.
const CHANCE = 1 - 0.95;
// Costs that are comparable within one machine alone.
const ONE_MACHINE_S = ["training", "memory"];

// `wish` has `limits` (cost to most), `forgetting` (or null) and `tasks` (none: all); `only` is the one model to choose for, or none.
function choices(suite, wish, only = "") {
  const models = new Set(suite.table.lines.filter(takesPart).map((line) => suite.groups[line.group].model));
  return [...models].filter((model) => !only || model === only).map((model) => choice(suite, model, wish));
}

const takesPart = (line) => line.runs.length > 0 && line.score !== null;

function choice(suite, model, wish) {
  const ofTask = new Map();
  for (const line of suite.table.lines) {
    const group = suite.groups[line.group];
    if (group.model !== model || !takesPart(line)) continue;
    if (!ofTask.has(group.task)) ofTask.set(group.task, new Map());
    if (!ofTask.get(group.task).has(line.label)) ofTask.get(group.task).set(line.label, line);
  }
  const tasks = wish.tasks.length ? wish.tasks : [...ofTask.keys()];
  const known = tasks.map((task) => ofTask.get(task) ?? new Map());
  const labels = [...known[0].keys()].filter((label) => known.every((each) => each.has(label)));
  const options = labels.map((label) => ({ label, lines: new Map(tasks.map((task, place) => [task, known[place].get(label)])) }));
  const lacking = new Map();
  for (let place = tasks.length - 1; options.length && place >= 0; place--) {
    for (const label of known.flatMap((each) => [...each.keys()])) if (!known[place].has(label)) lacking.set(label, `has no score on ${tasks[place]}`);
  }
  const dear = firsts(options, (option) => tooMuch(suite, option, wish));
  const fitting = options.filter((option) => !dear.has(option.label));
  const ahead = new Map(fitting.map((option) => [option.label, new Map(worseThan(option, fitting))]));
  const above = new Map(fitting.map(({ label }) => [label, aboveOf(label, ahead)]));
  const picks = fitting.filter(({ label }) => [...above.get(label)].every((other) => above.get(other).has(label)));
  const worse = new Map(fitting.filter((option) => !picks.includes(option)).map(({ label }) => [label, ahead.get(label).values().next().value]));
  const told = picks.map((option) => [option.label, [...reasons(suite, option, picks, wish)]]);
  return { suite: suite.name, model, tasks, picks: told, out: [...worse, ...dear, ...lacking], said: saidOf(suite, picks, tasks) + unlike(suite, options, wish) };
}

// The first reason of each option that has one.
function firsts(options, why) {
  const found = new Map();
  for (const option of options) {
    const { value, done } = why(option).next();
    if (!done) found.set(option.label, value);
  }
  return found;
}

function* tooMuch(suite, option, wish) {
  for (const [cost, limit] of Object.entries(wish.limits)) {
    const [column, words] = LIMITS[cost];
    for (const [task, line] of option.lines) {
      const spent = line.cost[cost];
      if (spent === undefined) yield `its ${column} on ${task} is not known`;
      else if (spent > limit) yield `${words.replace("{}", () => textOf(suite, line, column))} on ${task}`;
    }
  }
  if (wish.forgetting === null) return;
  for (const [task, line] of option.lines) {
    if (!Object.keys(line.lost).length) yield `what it forgets was not measured on ${task}`;
    for (const probe of Object.keys(suite.groups[line.group].probes)) {
      const lost = line.lost[probe];
      if (lost === undefined) yield `what it forgets of ${probe} was not measured on ${task}`;
      else if (probeOf(suite, line, probe).share === null) {
        yield `loses ${textOf(suite, line, `forgetting.${probe}`)} of ${probe} on ${task}, which other rows measured otherwise`;
      } else if (lost === null || lost[0] > limitOf(suite, line, probe, wish.forgetting)) yield `loses ${lostOf(suite, line, probe)} on ${task}`;
    }
  }
}

function* worseThan(option, others) {
  for (const other of others) {
    const tasks = [...option.lines.keys()];
    const task = tasks.find((each) => beats(other, option, each));
    if (task !== undefined && !tasks.some((each) => beats(option, other, each))) yield [other.label, `worse than ${other.label} on ${task}`];
  }
}

// All that a row is worse than, and that these are worse than, and so on.
function aboveOf(label, ahead) {
  const found = new Set(), waiting = [label];
  while (waiting.length) {
    for (const other of ahead.get(waiting.pop()).keys()) {
      if (found.has(other)) continue;
      found.add(other);
      waiting.push(other);
    }
  }
  return found;
}

// By more than chance, all pairs of the table looked at together, and all tasks that count.
function beats(one, other, task) {
  const known = other.lines.get(task).better.find(([number]) => number === one.lines.get(task).number);
  return known !== undefined && known[1] * one.lines.size <= CHANCE;
}

function* reasons(suite, option, picks, wish) {
  for (const [task, line] of option.lines) {
    const interval = partOf(suite, line, "score", INTERVAL);
    yield `${task}: ${textOf(suite, line, "score")}${interval ? ` ${interval}` : ""}${line.fallen ? `, ${line.fallen}` : ""}`;
  }
  if (picks.length > 1) {
    for (const [cost, [, , words]] of Object.entries(LIMITS)) {
      const known = picks.map((each) => mostOf(each, cost));
      const told = !known.includes(null) && new Set(known).size > 1 && comparable(suite, picks, cost);
      if (told && mostOf(option, cost) === Math.min(...known)) yield words;
    }
  }
  if (wish.forgetting === null) return;
  for (const [task, line] of option.lines) {
    for (const [probe, lost] of Object.entries(line.lost)) {
      if (lost[2] !== null && lost[2] > limitOf(suite, line, probe, wish.forgetting)) {
        yield `may lose more than allowed of ${probe} on ${task}: ${partOf(suite, line, `forgetting.${probe}`, INTERVAL)}`;
      }
    }
  }
}

function mostOf(option, cost) {
  const known = [...option.lines.values()].map((line) => line.cost[cost]);
  return known.includes(undefined) ? null : Math.max(...known);
}

// Whether the options' costs of that kind may be held against each other.
function comparable(suite, options, cost) {
  const groups = options.flatMap((option) => [...option.lines.values()].map((line) => suite.groups[line.group]));
  return !ONE_MACHINE_S.includes(LIMITS[cost][0]) || groups.every((group) => group.one_machine);
}

// What is to be known of limits on costs that were measured on unlike machines.
function unlike(suite, options, wish) {
  if (Object.keys(wish.limits).every((cost) => comparable(suite, options, cost))) return "";
  return " These rows were made on unlike machines: each one's seconds and memory are those of its own.";
}

function saidOf(suite, picks, tasks) {
  if (!picks.length) return "No row is within what was asked.";
  if (picks.length === 1) return "One row is left.";
  if (picks.some((one) => picks.some((other) => tasks.some((task) => beats(one, other, task))))) {
    return `${picks.length} rows are left; some are better than others on one task, so it depends on which task counts more.`;
  }
  const bare = picks.filter((each) => [...each.lines.values()].some((line) => line.score[1] === null)).map(({ label }) => label);
  if (bare.length) return `${picks.length} rows are left; ${bare.join(" and ")} without intervals, so that nothing is known of differences.`;
  const tie = `${picks.length} rows are left, a tie: none is better than another by more than chance on ${tasks.join(", ")}${tasks.length > 1 ? ", looked at together" : ""}.`;
  const groupOf = (task) => suite.groups[picks[0].lines.get(task).group];
  const between = (task) => groupOf(task).smallest_between || "rows";
  const missed = (task) => ` On ${task}, differences between ${between(task)} are mostly not found below ${groupOf(task).smallest}.`;
  return tie + tasks.filter((task) => groupOf(task).smallest).map(missed).join("");
}

const probeOf = (suite, line, probe) => suite.groups[line.group].probes[probe];
const limitOf = (suite, line, probe, limit) => (probeOf(suite, line, probe).share ? Math.round(1e11 * limit) / 1e9 : limit);
const lostOf = (suite, line, probe) => `${textOf(suite, line, `forgetting.${probe}`)} ${probeOf(suite, line, probe).unit} of ${probe}`;
const textOf = (suite, line, key) => partOf(suite, line, key, TEXT);

function partOf(suite, line, key, wanted) {
  const place = suite.table.columns.findIndex((column) => column.key === key);
  return part(line.cells[place], wanted) ?? "";
}
