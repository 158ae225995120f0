// The grid of what is spent: a cell is saved as soon as it is left, and moved in like in a spreadsheet. Without this file
// it is a form with a button.

import { send, show } from "./notices.js";

const form = document.querySelector(".spend-form");
const before = new WeakMap(); // what stood in a cell when it was last saved
let saving = Promise.resolve();

if (form) {
  document.getElementById("save-grid").hidden = true;
  const scroll = form.querySelector(".grid-scroll");
  scroll.scrollLeft = scroll.scrollWidth; // on a phone: this month first
  for (const cell of cells()) before.set(cell, cell.value);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("focusin", ({ target }) => target.select?.());
  form.addEventListener("change", ({ target }) => save([target]));
  form.addEventListener("keydown", move);
  form.addEventListener("paste", paste);
}

function cells() {
  return [...form.querySelectorAll("tbody input")];
}

// One after the other, so that the last word is the last.
function save(changed) {
  const differing = changed.filter((cell) => before.has(cell) && cell.value.trim() !== before.get(cell));
  if (!differing.length) return;
  const data = new FormData();
  for (const cell of differing) data.set(cell.name, cell.value);
  saving = saving.then(async () => {
    const said = await send(form.action, data);
    for (const cell of differing) {
      if (said.is_problem) cell.setAttribute("aria-invalid", "true");
      else {
        cell.removeAttribute("aria-invalid");
        before.set(cell, cell.value.trim());
      }
    }
    show(said, () => refresh(true));
    if (!said.is_problem) await refresh(false);
  });
}

// Totals and what came back, as the server counts them; whoever types goes on typing.
async function refresh(everything) {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok || answer.redirected) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const id of ["came-back", "warnings"]) {
    const present = document.getElementById(id);
    const coming = fresh.getElementById(id);
    if (coming && present.innerHTML !== coming.innerHTML) present.replaceWith(coming);
  }
  for (const total of form.querySelectorAll("[data-total]")) {
    total.textContent = fresh.querySelector(`[data-total="${total.dataset.total}"]`)?.textContent ?? total.textContent;
  }
  for (const cell of cells()) {
    const coming = fresh.querySelector(`input[name="${cell.name}"]`);
    const isUntouched = cell !== document.activeElement && cell.value.trim() === before.get(cell);
    if (!coming) location.reload(); // it is made of something else now
    else if (everything || isUntouched) {
      cell.value = coming.value;
      before.set(cell, coming.value);
    }
  }
}

function move(event) {
  const cell = event.target;
  if (!cell.matches?.("tbody input") || event.altKey || event.ctrlKey || event.metaKey) return;
  const whole = cell.selectionStart === 0 && cell.selectionEnd === cell.value.length;
  const steps = {
    Enter: [event.shiftKey ? -1 : 1, 0],
    ArrowDown: [1, 0],
    ArrowUp: [-1, 0],
    ArrowRight: whole || cell.selectionStart === cell.value.length ? [0, 1] : null,
    ArrowLeft: whole || cell.selectionEnd === 0 ? [0, -1] : null,
  };
  if (event.key === "Escape") {
    cell.value = before.get(cell);
    cell.removeAttribute("aria-invalid");
    cell.select();
  }
  const step = steps[event.key];
  if (!step) return;
  event.preventDefault();
  const next = beside(cell, ...step);
  if (next) next.focus();
  else if (event.key === "Enter") cell.blur();
}

// The next cell that can be typed into, that way.
function beside(cell, down, right) {
  let row = cell.closest("tr").rowIndex;
  let column = cell.closest("td").cellIndex;
  const table = cell.closest("table");
  for (;;) {
    row += down;
    column += right;
    const place = table.rows[row]?.cells[column];
    if (!place || place.closest("tbody") === null) return null;
    const found = place.querySelector("input");
    if (found) return found;
  }
}

// Rows and columns of a spreadsheet, from this cell on.
function paste(event) {
  const text = event.clipboardData.getData("text").replace(/\r/g, "").replace(/\n$/, "");
  if (!event.target.matches?.("tbody input") || !/[\t\n]/.test(text)) return;
  event.preventDefault();
  const table = event.target.closest("table");
  const top = event.target.closest("tr").rowIndex;
  const left = event.target.closest("td").cellIndex;
  const filled = [];
  text.split("\n").forEach((line, down) =>
    line.split("\t").forEach((value, right) => {
      const cell = table.rows[top + down]?.cells[left + right]?.querySelector("input");
      if (!cell) return;
      cell.value = value.trim();
      filled.push(cell);
    }),
  );
  save(filled);
}
