// The call log: live, played in place, walked and marked by keyboard. Without this file it is a plain page that works.

import { callBack } from "./back.js";
import { isShortcut, letter } from "./keys.js";
import { follow } from "./stream.js";
import { send, show } from "./notices.js";
import { onMarked, openMarks } from "./marks.js";
import { openOver } from "./over.js";
import { refresher, remember } from "./refresh.js";
import { RowPlayer } from "./row-player.js";

remember(document);

const player = new RowPlayer();
const announce = document.getElementById("announce");
const update = refresher(["figures", "log"], (row, isNew) => {
  player.adopt(row);
  if (isNew && row.dataset.announce) announce.textContent = row.dataset.announce;
});

const state = document.getElementById("live-state");
follow(update, (live) => {
  state.hidden = false;
  state.classList.toggle("is-live", live);
  state.textContent = live ? state.dataset.live : state.dataset.lost;
});

document.addEventListener("click", (event) => {
  const button = event.target.closest(".call .play");
  if (!button || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  player.toggle(button.closest(".call"));
});

document.addEventListener("click", (event) => {
  const wave = event.target.closest(".call.is-playing .wave-box");
  if (wave) player.seek(wave, event.clientX);
});

onMarked(update);

document.addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  const status = event.target.closest("a.status");
  const filters = event.target.closest("#more-filters");
  if (!status && !filters) return;
  event.preventDefault();
  if (status) openMarks(status.href, status);
  else openOver(filters.href, filters);
});

function rows() {
  return [...document.querySelectorAll("#log li.call")];
}

const STATUSES = { l: "lead", q: "quoted", b: "booked", x: "lost", s: "spam", n: "new" };

async function mark(row, status) {
  if (!row.querySelector("a.status")) return;
  show(await send(`${row.dataset.path}/status`, new URLSearchParams({ status })), update);
  update();
}

document.addEventListener("keydown", (event) => {
  if (!isShortcut(event)) return;
  const all = rows();
  const at = all.indexOf(document.activeElement?.closest("li.call"));
  const inList = at >= 0;
  const key = letter(event);
  const step = { j: 1, k: -1, ...(inList && { ArrowDown: 1, ArrowUp: -1 }) }[key];
  if (step) {
    const next = all[Math.min(all.length - 1, Math.max(0, inList ? at + step : 0))];
    if (!next) return;
    next.querySelector(".when").focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  } else if (key === "p" && (inList || player.row)) {
    const row = inList ? all[at] : player.row;
    if (row.querySelector(".play")) player.toggle(row);
  } else if (key === "m" && inList) {
    const status = all[at].querySelector("a.status");
    if (status) openMarks(status.href, all[at].querySelector(".when"));
  } else if (key === "c" && inList) {
    if (all[at].dataset.callBack) callBack(all[at].dataset.callBack, all[at].querySelector(".when"));
  } else if (STATUSES[key] && inList) {
    mark(all[at], STATUSES[key]);
  } else if (key === "z") {
    document.querySelector("#notices .undo, #notices form button")?.click();
  } else if (key === "f") {
    const filters = document.getElementById("more-filters");
    if (filters) openOver(filters.href, filters);
  } else if (key === "/") {
    document.getElementById("search")?.focus();
  } else if (key === "?") {
    document.getElementById("keys").showModal();
  } else return;
  event.preventDefault();
});
