// The overview: live, its hours walked by the arrow keys. Without this file it is a plain page that works.

import { drawCharts } from "./charts.js";
import { start } from "./clock.js";
import { refresher, remember } from "./refresh.js";
import { follow } from "./stream.js";

// Figures need no haste; a call that begins is shown at once.
const PAUSE_MS = 2000;
const PARTS = ["now", "needs", "figures", "charts", "sources"];

start();
remember(document);

const announce = document.getElementById("announce");
const read = refresher(
  PARTS.filter((id) => document.getElementById(id)),
  (row, isNew) => {
    if (row.matches(".chart")) drawCharts(row.parentElement);
    if (isNew && row.dataset.announce) announce.textContent = row.dataset.announce;
  },
);

let last = -PAUSE_MS;
let waiting = null;
function update() {
  if (waiting) return;
  const left = Math.max(0, last + PAUSE_MS - performance.now());
  waiting = setTimeout(() => {
    waiting = null;
    last = performance.now();
    read().then(walk);
  }, left);
}

const state = document.getElementById("live-state");
follow(update, (live) => {
  // What happened between the page and the stream was told to nobody.
  if (live) update();
  if (!state) return;
  state.hidden = false;
  state.classList.toggle("is-live", live);
  state.textContent = live ? state.dataset.live : state.dataset.lost;
});

// One stop for the Tab key, arrows within: a hundred and more hours stand there.
function walk() {
  const links = [...document.querySelectorAll("#heat td a")];
  if (!links.length || links.some((link) => link.tabIndex === 0 && link.dataset.stop)) return;
  for (const link of links) link.tabIndex = -1;
  links[0].tabIndex = 0;
  links[0].dataset.stop = "yes";
}

const STEPS = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] };
document.addEventListener("keydown", (event) => {
  const link = event.target.closest?.("#heat td a");
  const step = link && STEPS[event.key];
  if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  const rows = [...document.querySelectorAll("#heat tbody tr")];
  let cell = link.parentElement;
  let [row, column] = [rows.indexOf(cell.parentElement), cell.cellIndex];
  // Hours without calls lead nowhere: on to the next one that does.
  do {
    row += step[0];
    column += step[1];
    cell = rows[row]?.cells[column];
  } while (cell && !cell.querySelector("a"));
  const next = cell?.querySelector("a");
  if (!next) return;
  for (const each of [link, next]) each.tabIndex = each === next ? 0 : -1;
  delete link.dataset.stop;
  next.dataset.stop = "yes";
  next.focus();
});
walk();
