// Missed calls, live: a call that comes, or a colleague who called back, shows at once. Without this file it is a plain page.

import { refresher, remember } from "./refresh.js";
import { follow } from "./stream.js";

remember(document);

const state = document.getElementById("live-state");
const update = refresher(["missed"]);
// Whoever writes a note keeps what is written: the page is read again once it is saved.
const isWriting = () => document.querySelector(".wait-note[open]") !== null;

follow(
  () => {
    if (!isWriting()) update();
  },
  (live) => {
    state.hidden = false;
    state.classList.toggle("is-live", live);
    state.textContent = live ? state.dataset.live : state.dataset.lost;
  },
);
