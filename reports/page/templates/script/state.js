// What the reader has chosen, kept in the page's address after the #, so that a link shows the same and works from disk.
// A choice that is the page's own stands in no address.

const state = {
  chosen: new URLSearchParams(),
  listeners: [],

  read() {
    const text = location.hash.slice(1);
    const place = text && !text.includes("="); // on the page, and no choice
    if (!place) this.chosen = new URLSearchParams(text);
    this.listeners.forEach((listen) => listen());
    if (place) jump(text);
  },

  get(name, otherwise = "") {
    return this.chosen.get(name) ?? otherwise;
  },

  // Choices by name; null or "" takes one back. `step` makes it a step that the browser's Back undoes.
  set(choices, step = false) {
    for (const [name, value] of Object.entries(choices)) {
      if (value === null || value === "") this.chosen.delete(name);
      else this.chosen.set(name, value);
    }
    const address = this.address();
    if (address !== location.hash) history[step ? "pushState" : "replaceState"](null, "", address || location.pathname + location.search);
    this.listeners.forEach((listen) => listen());
  },

  // The address with other choices: what a link leads to.
  address(choices = {}) {
    const params = new URLSearchParams(this.chosen);
    for (const [name, value] of Object.entries(choices)) params.set(name, value);
    const text = params.toString();
    return text && `#${text}`;
  },
};

// Goes to a place without touching what was chosen.
function jump(id) {
  const place = byId(id);
  if (!place) return;
  place.scrollIntoView();
  place.setAttribute("tabindex", "-1");
  place.focus({ preventScroll: true });
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href^='#']");
  const address = link?.getAttribute("href"); // a link in a drawing has no `hash`
  if (!link || address.includes("=")) return;
  event.preventDefault();
  jump(address.slice(1));
});

addEventListener("hashchange", () => state.read());
addEventListener("popstate", () => state.read());
