// Sorts a table of class `board` by the column whose title is clicked: numbers by size, words by alphabet,
// cells without a value last in either direction. Titles are buttons, so Enter and Space work too.
"use strict";

function key(row, index) {
  const cell = row.cells[index];
  // A failed run has one wide cell instead of its numbers.
  return cell && cell.colSpan === 1 ? cell.dataset.value : "";
}

function compare(a, b, numeric) {
  return numeric ? Number(a) - Number(b) : a.localeCompare(b, "en", { numeric: true });
}

function sortBy(header) {
  const body = header.closest("table").tBodies[0];
  const index = header.cellIndex;
  const opposite = { ascending: "descending", descending: "ascending" };
  const direction = opposite[header.getAttribute("aria-sort")] || header.dataset.first;
  const numeric = header.classList.contains("number");
  const rows = Array.from(body.rows, (row) => ({ row, key: key(row, index) }));
  rows.sort((a, b) => {
    if (a.key === "" || b.key === "") return (a.key === "") - (b.key === "");
    const order = compare(a.key, b.key, numeric);
    return direction === "ascending" ? order : -order;
  });
  rows.forEach(({ row }) => body.append(row));
  for (const other of header.parentElement.cells) {
    other.setAttribute("aria-sort", other === header ? direction : "none");
  }
}

for (const header of document.querySelectorAll("table.board th[data-first]")) {
  header.addEventListener("click", () => sortBy(header));
}

// Paper has no buttons: what is folded away is printed open.
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((part) => (part.open = true)));
