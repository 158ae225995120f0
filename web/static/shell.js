// What every page can do: menus that close when one looks elsewhere, notices that are said and put away.

import { sayAgain } from "./notices.js";

document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && document.querySelector("details.menu[open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

// On a phone places and tabs scroll sideways: the one that is shown must be in sight.
for (const row of document.querySelectorAll(".places, .tabs")) {
  const here = row.querySelector("[aria-current]");
  if (here) row.scrollLeft = Math.max(0, here.offsetLeft - row.offsetLeft + here.offsetWidth - row.clientWidth + 24);
}

sayAgain();
