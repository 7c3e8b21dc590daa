// The form "Which should I pick?": what it may cost and forget, and which tasks count; and what is left of the rows, with reasons.

const ASKED = {
  seconds: { title: "Training, at most", unit: "s", cost: "train_seconds", times: 1 },
  memory: { title: "Memory, at most", unit: "GB", cost: "peak_memory_bytes", times: 1e9 },
  saved: { title: "Saved, at most", unit: "MB", cost: "saved_bytes", times: 1e6 },
};

class Chooser {
  constructor(suites, ranking) {
    this.suites = suites;
    this.ranking = ranking;
    this.tasks = [...new Set(suites.flatMap((suite) => suite.table.lines.filter(takesPart).map((line) => suite.groups[line.group].task)))];
    fill(byId("wish"), Object.entries(ASKED).map(([name, { title, unit }]) => this.field(name, `${title} (${unit})`)),
      this.field("forgetting", "Each probe may lose (share, or its unit)"), this.tasks.length > 1 ? this.taskBoxes() : null);
    byId("wish").addEventListener("submit", (event) => event.preventDefault());
    state.listeners.push(() => this.show());
  }

  field(name, title) {
    const id = `wish-${name}`;
    const input = element("input", { id, type: "number", min: 0, step: "any", inputmode: "decimal", placeholder: "any", input: () => state.set({ [`max-${name}`]: input.value }) });
    return element("span", { class: "field" }, element("label", { for: id }, title), input);
  }

  taskBoxes() {
    const boxes = this.tasks.map((task, place) => {
      const box = element("input", { type: "checkbox", id: `wish-task-${place}`, change: () => {
        const now = this.tasks.filter((each, at) => byId(`wish-task-${at}`).checked);
        state.set({ tasks: now.length && now.length < this.tasks.length ? now.join("~") : null });
      } });
      return element("label", { for: box.id }, box, task);
    });
    return element("fieldset", {}, element("legend", {}, "Tasks that count"), element("div", { class: "boxes" }, boxes));
  }

  wish() {
    const limits = {};
    for (const [name, { cost, times }] of Object.entries(ASKED)) {
      const asked = state.get(`max-${name}`);
      if (asked !== "" && Number.isFinite(Number(asked))) limits[cost] = times * Number(asked);
    }
    const forgetting = state.get("max-forgetting");
    const tasks = state.get("tasks") ? state.get("tasks").split("~").filter((task) => this.tasks.includes(task)) : [];
    return { limits, forgetting: forgetting !== "" && Number.isFinite(Number(forgetting)) ? Number(forgetting) : null, tasks };
  }

  // What a menu of the table says. A link may name what is no longer here, which the menu passes over too.
  only(name) {
    return this.ranking.values[name].includes(state.get(name)) ? state.get(name) : "";
  }

  show() {
    for (const name of [...Object.keys(ASKED), "forgetting"]) {
      const input = byId(`wish-${name}`);
      if (input !== document.activeElement) input.value = state.get(`max-${name}`);
    }
    const wish = this.wish();
    this.tasks.forEach((task, place) => byId(`wish-task-${place}`) && (byId(`wish-task-${place}`).checked = !wish.tasks.length || wish.tasks.includes(task)));
    const [onlySuite, onlyModel] = [this.only("suite"), this.only("model")];
    const asked = JSON.stringify([wish, onlySuite, onlyModel]);
    if (asked === this.asked) return; // another choice was made: of columns, an order, a run
    this.asked = asked;
    const found = this.suites.filter((suite) => !onlySuite || suite.name === onlySuite)
      .flatMap((suite) => choices(suite, wish, onlyModel).map((each) => this.told(suite, each)));
    if (!found.length) found.push(element("p", {}, "No row of that suite and model has a score."));
    fill(byId("choice"), found.length > SHOWN_CHOICES
      ? [...found.slice(0, SHOWN_CHOICES), element("p", { class: "note" }, `These are the first ${SHOWN_CHOICES} of ${found.length} models. Choose a suite or a model above to see another.`)] : found);
  }

  told(suite, { model, tasks, picks, out, said }) {
    const place = this.suites.length > 1 ? `${suite.name}: ${model}` : model;
    if (!picks.length && !out.length) return element("div", { class: "card" }, element("h3", {}, place), element("p", {}, `No row has a score on all of ${tasks.join(", ")}.`));
    return element("div", { class: "card" }, element("h3", {}, place), element("p", { class: "ahead" }, said),
      element("ul", {}, picks.map(([label, words]) => element("li", {}, element("strong", {}, label), `: ${words.join("; ")}`))),
      out.length ? element("details", {}, element("summary", {}, `${counted(out.length, "row")} left out`),
        element("ul", {}, out.map(([label, why]) => element("li", {}, element("strong", {}, label), `: ${why}`)))) : null);
  }
}
const SHOWN_CHOICES = 4;
