// The reports without reading the whole page anew: a part of the sentence that is chosen, a heading, a value to narrow
// down to, a filter that goes. Without this file each of them is a link or a form that works.

import { drawCharts } from "./charts.js";

const REGIONS = ["report"];
const parser = new DOMParser();
let latest = 0;

function here(address) {
  return new URL(address, location.href);
}

// A form's address: what was chosen, each thing once, and nothing that was not.
function asked(form) {
  const address = here(form.action);
  const said = new Map();
  for (const [name, value] of new FormData(form)) {
    if (value) said.set(name, said.has(name) ? `${said.get(name)},${value}` : value);
  }
  for (const [name, value] of said) address.searchParams.set(name, value);
  return address;
}

async function show(address, { keep = true } = {}) {
  const turn = ++latest;
  const report = document.getElementById("report");
  report.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(address, { headers: { Accept: "text/html" } });
    const text = await answer.text();
    if (turn !== latest) return;
    const page = parser.parseFromString(text, "text/html");
    if (!answer.ok || !page.getElementById("report")) return location.assign(address);
    if (keep) history.pushState(null, "", answer.url);
    replace(page);
  } catch {
    location.assign(address); // the browser says what is wrong with the network
  } finally {
    if (turn === latest) document.getElementById("report")?.removeAttribute("aria-busy");
  }
}

function replace(page) {
  const focused = place(document.activeElement);
  document.title = page.title;
  for (const id of REGIONS) document.getElementById(id).replaceWith(document.adoptNode(page.getElementById(id)));
  const menu = page.querySelector(".period-menu");
  if (menu) document.querySelector(".period-menu")?.replaceWith(document.adoptNode(menu));
  drawCharts();
  ready();
  if (focused) document.querySelector(focused)?.focus({ preventScroll: true });
}

// How to find what had the focus on the page that comes.
function place(element) {
  if (!element?.closest("#report")) return null;
  if (element.id) return `#${CSS.escape(element.id)}`;
  const heading = element.closest("thead th");
  return heading ? `.report-table thead th:nth-child(${heading.cellIndex + 1}) a` : "#ask-by";
}

function ready() {
  const print = document.getElementById("print");
  if (print) print.hidden = false;
  const button = document.getElementById("ask-show");
  if (button) button.hidden = true;
  // Of a year that is wider than the window, the newest months are looked at first.
  for (const months of document.querySelectorAll(".table-wide:has(.month-table)")) months.scrollLeft = months.scrollWidth;
}

document.addEventListener("change", (event) => {
  const select = event.target.closest("#ask select");
  if (select) show(asked(select.form));
});

document.addEventListener("submit", (event) => {
  if (event.target.id !== "ask") return;
  event.preventDefault();
  show(asked(event.target));
});

document.addEventListener("click", (event) => {
  if (event.target.closest("#print")) return window.print();
  if (event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  const link = event.target.closest("#report a");
  if (!link || link.hasAttribute("download") || link.closest(".tabs")) return;
  if (link.origin !== location.origin || link.pathname !== location.pathname) return;
  event.preventDefault();
  show(link.href);
});

addEventListener("popstate", () => show(location.href, { keep: false }));
ready();
