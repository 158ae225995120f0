// Calling back: one click, and how it goes on in a dialog over the page. Without script it is a page of its own.

import { start } from "./clock.js";
import { send, show } from "./notices.js";
import { openOver } from "./over.js";
import { follow } from "./stream.js";

// Where no stream tells what changed, it is asked so often while a call goes on.
const ASK_MS = 2000;

let running = false;

// Rings the telephone of whoever clicked; the page answers with another one, which shows what happens.
export async function callBack(address, opener) {
  if (running) return;
  running = true;
  try {
    const said = await send(address, new FormData());
    if (said.page && document.getElementById("over")) await openOver(said.page, opener);
    else if (said.page) location.href = said.page;
    else show(said);
  } finally {
    running = false;
  }
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (form.classList.contains("back-form")) {
    event.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    document.getElementById("over")?.close?.();
    await callBack(form.action, button);
    button.disabled = false;
  } else if (form.classList.contains("back-end")) {
    event.preventDefault();
    form.querySelector("button").disabled = true;
    await send(form.action, new FormData());
    refresh();
  }
});

let reading = false;

async function refresh() {
  const present = document.querySelector("[data-back]");
  if (!present || reading) return;
  reading = true;
  try {
    const answer = await fetch(`/calls/back/${present.dataset.back}`, { headers: { Accept: "text/html" } });
    if (!answer.ok || answer.redirected) return;
    const coming = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("over-me");
    if (!coming || !present.isConnected) return;
    present.dataset.state = coming.dataset.state;
    // What speaks stays where it is, so that a screen reader says what it says next.
    const [says, next] = [present.querySelector(".back-says"), coming.querySelector(".back-says")];
    if (says.textContent.replace(/\d+:\d+/g, "") !== next.textContent.replace(/\d+:\d+/g, "")) {
      says.className = next.className;
      says.replaceChildren(...next.childNodes);
    }
    for (const selector of [".back-end", ".facts"]) {
      const [old, fresh] = [present.querySelector(selector), coming.querySelector(selector)];
      if (old && !fresh) old.remove();
      else if (old && old.outerHTML !== fresh.outerHTML && selector === ".facts") old.replaceWith(fresh);
    }
    if (coming.dataset.state === "ended") {
      for (const each of present.querySelectorAll(":scope > audio, :scope > .back-form, :scope > .quiet")) each.remove();
      says.after(...coming.querySelectorAll(":scope > audio, :scope > .back-form, :scope > .quiet"));
    }
  } catch {
    // No network: it is asked again.
  } finally {
    reading = false;
  }
}

// Once it has ended, only its recording is waited for.
function isOpen() {
  const present = document.querySelector("[data-back]");
  return present && (present.dataset.state !== "ended" || present.querySelector(":scope > .quiet"));
}

setInterval(() => {
  if (isOpen()) refresh();
}, ASK_MS);

follow(
  (changed) => {
    const present = document.querySelector("[data-back]");
    if (present && (changed === null || changed === Number(present.dataset.call))) refresh();
  },
  () => {},
);

start();
