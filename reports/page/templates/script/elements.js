"use strict";
// Elements of the page. Text goes in as text, never as markup, so that no name can become an element.

const SVG_NAMES = new Set(["svg", "g", "rect", "path", "circle", "line", "text", "title"]);

function element(name, attributes = {}, ...children) {
  const made = SVG_NAMES.has(name) ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") made.addEventListener(key, value);
    else made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return made;
}

const byId = (id) => document.getElementById(id);

function fill(host, ...children) {
  host.replaceChildren(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
}

// `1 row`, `2,000 rows`
function counted(count, one, many = `${one}s`) {
  return `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
}

// A menu with its label; `options` are pairs of value and words.
function menu(id, label, options, value, changed) {
  const select = element("select", { id, change: () => changed(select.value) });
  fill(select, options.map(([name, words]) => element("option", { value: name, selected: name === value }, words)));
  return element("span", { class: "field" }, element("label", { for: id }, label), select);
}

// A file for the reader to keep, made here.
function download(name, type, text) {
  const address = URL.createObjectURL(new Blob([text], { type }));
  element("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}
