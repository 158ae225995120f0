// Marks without leaving the page: the forms of a call's marks are sent in the background, and what came of it is said.

import { show } from "./notices.js";
import { fill, openOver } from "./over.js";

let marked = () => {};
let address = null; // of the marks that stand in the dialog

// afterwards() runs when a mark was changed.
export function onMarked(afterwards) {
  marked = afterwards;
}

export function openMarks(from, opener) {
  address = from;
  return openOver(from, opener);
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.closest(".board") || form.method !== "post") return;
  event.preventDefault();
  const data = new URLSearchParams(new FormData(form, event.submitter));
  let answer;
  try {
    answer = await fetch(form.action, { method: "POST", body: data, headers: { Accept: "application/json" } });
  } catch {
    form.submit();
    return;
  }
  if (!answer.headers.get("Content-Type").startsWith("application/json")) {
    const page = await answer.text(); // a field has a problem, which stands beside it
    if (form.closest("dialog")) fill(page);
    else swap(page);
    return;
  }
  show(await answer.json(), changed);
  changed();
  if (form.closest("dialog")) {
    // One status is what one comes for; tags, notes and jobs often come together.
    if (form.classList.contains("statuses")) form.closest("dialog").close();
    else await again();
  }
});

function changed() {
  marked();
}

async function again() {
  const answer = await fetch(address, { headers: { Accept: "text/html" } });
  if (answer.ok) fill(await answer.text());
}

function swap(page) {
  const board = new DOMParser().parseFromString(page, "text/html").querySelector(".board");
  if (!board) return;
  document.querySelector(".board").replaceWith(board);
  board.querySelector("[aria-invalid]")?.focus();
}
