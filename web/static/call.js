// One call: its player, and the page kept up to date while the call goes on.

import { start } from "./clock.js";
import { isShortcut } from "./keys.js";
import { onMarked } from "./marks.js";
import { Player } from "./player.js";
import { refresher, remember } from "./refresh.js";
import { follow } from "./stream.js";

start();
remember(document);

function mount() {
  const root = document.getElementById("player");
  if (root && !root.dataset.mounted) {
    root.dataset.mounted = "yes";
    new Player(root);
  }
}

const call = Number(document.querySelector("[data-call]").dataset.call);
const parts = ["call-head", "backs", "player-place", "marks", "why", "way", "happened", "caller", "heard", "technical"];
const update = refresher(
  parts.filter((id) => document.getElementById(id)),
  mount,
);
mount(); // after the page was remembered as it came: what is played must not be replaced by the same again
follow(
  (changed) => {
    if (changed === null || changed === call) update();
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

// Who listens stands on the page.
document.addEventListener("heard", update);

// Back to the list as it was, filters and place included.
document.getElementById("back").addEventListener("click", (event) => {
  if (!document.referrer || history.length < 2 || event.ctrlKey || event.metaKey) return;
  const from = new URL(document.referrer);
  if (from.origin === location.origin && from.pathname === "/calls") {
    event.preventDefault();
    history.back();
  }
});
