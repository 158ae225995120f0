// One form, chat or text: marked in place, and kept up to date.

import { isShortcut } from "./keys.js";
import { onMarked } from "./marks.js";
import { refresher, remember } from "./refresh.js";
import { follow } from "./stream.js";

remember(document);

const lead = document.querySelector("[data-lead]").dataset.lead;
const parts = ["call-head", "written", "marks", "why", "way", "caller"];
const update = refresher(parts.filter((id) => document.getElementById(id)));
follow(
  (changed) => {
    if (changed === null || changed === lead) update();
  },
  () => {},
);

onMarked(update);

// One key a status: 1 is the first button, and so on.
document.addEventListener("keydown", (event) => {
  if (!isShortcut(event)) return;
  const button = /^[1-6]$/.test(event.key) && document.querySelectorAll(".statuses button")[event.key - 1];
  button?.click?.();
});

// Back to the list as it was, filters and place included.
document.getElementById("back").addEventListener("click", (event) => {
  if (!document.referrer || history.length < 2 || event.ctrlKey || event.metaKey) return;
  const from = new URL(document.referrer);
  if (from.origin === location.origin && from.pathname === "/calls") {
    event.preventDefault();
    history.back();
  }
});
