"use strict";

// A click on a column's head sorts by it; a second click turns the order round. Empty numbers stay last.
function sortBy(head) {
  const table = head.closest("table");
  const column = [...head.parentNode.children].indexOf(head);
  const direction = head.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending";
  const sign = direction === "ascending" ? 1 : -1;
  const rows = [...table.tBodies[0].rows];
  const numeric = rows.some((row) => row.cells[column].dataset.sort !== undefined);

  const value = (row) => {
    const cell = row.cells[column];
    if (!numeric) return cell.textContent.trim();
    return cell.dataset.sort === undefined ? sign * Infinity : Number(cell.dataset.sort);
  };
  const compare = (a, b) => (numeric ? a - b || 0 : a.localeCompare(b, "en", { numeric: true }));

  rows.sort((a, b) => sign * compare(value(a), value(b)));
  table.tBodies[0].append(...rows);

  for (const other of head.parentNode.children) other.setAttribute("aria-sort", "none");
  head.setAttribute("aria-sort", direction);
}

// Only the rows that hold every word stay.
function filterBy(field) {
  const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
  const rows = field.closest("details").querySelector("tbody").rows;

  for (const row of rows) {
    const text = row.textContent.toLowerCase();
    row.hidden = !words.every((word) => text.includes(word));
  }
}

// A link into a folded table opens it.
function unfold() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;

  for (let node = target; node; node = node.parentElement) {
    if (node.tagName === "DETAILS") node.open = true;
    node.hidden = false;
  }
  target.scrollIntoView({ block: "center", inline: "nearest" });
}

document.addEventListener("click", (event) => {
  const head = event.target.closest("th");
  if (head) sortBy(head);
});
document.addEventListener("input", (event) => {
  if (event.target.matches("details input[type=search]")) filterBy(event.target);
});
window.addEventListener("hashchange", unfold);
unfold();
