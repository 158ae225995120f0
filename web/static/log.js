// The call log: live, played in place, walked by keyboard. Without this file it is a plain page that works.

import { start } from "./clock.js";
import { refresher, remember } from "./refresh.js";
import { RowPlayer } from "./row-player.js";
import { follow } from "./stream.js";

start();
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

function rows() {
  return [...document.querySelectorAll("#log li.call")];
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea, details.menu")) return;
  const all = rows();
  const at = all.indexOf(document.activeElement?.closest("li.call"));
  const inList = at >= 0;
  const step = { j: 1, k: -1, ...(inList && { ArrowDown: 1, ArrowUp: -1 }) }[event.key];
  if (step) {
    const next = all[Math.min(all.length - 1, Math.max(0, inList ? at + step : 0))];
    if (!next) return;
    event.preventDefault();
    next.querySelector(".when").focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  } else if (event.key === "p" && (inList || player.row)) {
    const row = inList ? all[at] : player.row;
    if (row.querySelector(".play")) player.toggle(row);
  }
});
