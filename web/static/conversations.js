// The list of conversations and one of them: live; the box counts what is written. Without this file both work.

import { follow } from "./stream.js";
import { refresher, remember } from "./refresh.js";

remember(document);

// Of texts alone: other pages hear of calls.
const ofTexts = (update) => (id) => (id === null || String(id).startsWith("text:")) && update();

const thread = document.getElementById("texts");
const box = document.getElementById("text");

if (thread) {
  const last = () => thread.querySelector("ol:last-of-type > li:last-child");
  const toTheEnd = () => last()?.scrollIntoView({ block: "center" });
  if (!location.hash && !new URLSearchParams(location.search).has("before")) toTheEnd();
  follow(ofTexts(refresher(["texts"], (_, isNew) => isNew && toTheEnd())), () => {});
} else if (document.getElementById("talks")) {
  follow(ofTexts(refresher(["talks"])), () => {});
}

if (box) {
  const output = document.getElementById("length");
  const { gsm, gsmDouble } = box.dataset;

  // As gateway/texts/text.py counts (3GPP TS 23.038 and 23.040).
  const segments = (text) => {
    const letters = [...text];
    const isGsm = letters.every((letter) => gsm.includes(letter) || gsmDouble.includes(letter));
    const units = isGsm ? letters.length + letters.filter((letter) => gsmDouble.includes(letter)).length : text.length;
    const [alone, each] = isGsm ? [160, 153] : [70, 67];
    return units <= alone ? 1 : Math.ceil(units / each);
  };

  const count = () => {
    const length = [...box.value].length;
    const parts = segments(box.value);
    const said = parts > 1 ? output.dataset.many : output.dataset.one;
    output.textContent = length ? said.replace("{n}", length).replace("{p}", parts) : "";
  };
  box.addEventListener("input", count);
  count();

  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      box.form.requestSubmit();
    }
  });
}
