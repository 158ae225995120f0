// The editor of a routing: every button posts the form and shows what comes back; what is typed brings picture, problems
// and the summary up to date. Without this file the same buttons load the page anew.

const form = document.getElementById("flow");
const PAUSE_MS = 350;
let typed = 0; // grows with each change, so that an answer to an earlier question is passed over
let timer = 0;

if (form) {
  document.documentElement.classList.add("has-script");
  form.addEventListener("submit", submitted);
  form.addEventListener("input", soon);
  form.addEventListener("change", soon);
  addEventListener("beforeunload", (event) => {
    if (form.dataset.touched && !form.dataset.left) event.preventDefault();
  });
  for (const link of document.querySelectorAll(".flow-save a")) link.addEventListener("click", left);
}

function left() {
  form.dataset.left = "yes";
}

function soon() {
  typed += 1;
  form.dataset.touched = "yes";
  clearTimeout(timer);
  timer = setTimeout(look, PAUSE_MS);
}

async function look() {
  const fresh = await ask("look");
  if (fresh) side(fresh);
}

async function submitted(event) {
  const wish = event.submitter?.value ?? "look";
  if (wish === "save") return left();
  event.preventDefault();
  clearTimeout(timer);
  typed += 1;
  form.dataset.touched = "yes";
  const fresh = await ask(wish);
  if (!fresh) return;
  if (wish === "look") return side(fresh);
  put(fresh, "flow-cards");
  side(fresh);
  refocus(wish, event.submitter);
}

// The page as it would be; nothing where something was typed meanwhile, or the network is away.
async function ask(wish) {
  const asked = typed;
  const body = new URLSearchParams(new FormData(form));
  body.set("do", wish);
  try {
    const answer = await fetch(form.action, { method: "POST", body, headers: { Accept: "text/html" } });
    if (answer.redirected) return location.reload();
    if (!answer.ok || asked !== typed) return null;
    return new DOMParser().parseFromString(await answer.text(), "text/html");
  } catch {
    return null;
  }
}

function put(fresh, id) {
  document.getElementById(id).replaceChildren(...fresh.getElementById(id).childNodes);
}

function side(fresh) {
  const open = [...document.querySelectorAll("#flow-look details, #flow-changes details")].map((each) => each.open);
  const scroll = document.querySelector(".flow-picture")?.scrollLeft ?? 0;
  for (const id of ["flow-look", "flow-changes", "flow-problem"]) put(fresh, id);
  const details = document.querySelectorAll("#flow-look details, #flow-changes details");
  if (details.length === open.length) details.forEach((each, at) => (each.open = open[at]));
  const picture = document.querySelector(".flow-picture");
  if (picture) picture.scrollLeft = scroll;
  for (const place of document.querySelectorAll("[data-problem]")) {
    place.textContent = fresh.getElementById(place.id)?.textContent ?? "";
    const field = document.getElementById(place.id.slice(0, -"-problem".length));
    if (!field?.matches("input, select")) continue;
    if (place.textContent) field.setAttribute("aria-invalid", "true");
    else field.removeAttribute("aria-invalid");
  }
}

// The focus stays with what was moved, goes to what was added, and never falls out of the form.
function refocus(wish, button) {
  const verb = wish.split(":")[0];
  const shown = form.querySelector("[data-shown]");
  const again = [...form.querySelectorAll("[data-key]")].find((each) => each.dataset.key === wish);
  let target = again;
  if (verb === "add" || verb === "up" || verb === "down") {
    const own = shown?.querySelector(`[data-key^="${verb}:"]`);
    target = verb === "add" ? shown?.querySelector("select, input:not([type=hidden])") : own ?? shown?.querySelector("button");
  } else if (verb === "line" || verb === "holiday" || verb === "key") {
    const fields = [...(again?.parentElement?.querySelectorAll("select, input:not([type=hidden])") ?? [])];
    const added = { line: /:line\d+$/, holiday: /:h\d+-on$/, key: /:key\d+$/ }[verb];
    target = fields.filter((each) => added.test(each.name)).pop() ?? again;
  }
  target ??= shown?.querySelector("button") ?? document.getElementById("name");
  target?.focus();
  shown?.scrollIntoView({ block: "nearest" });
  if (!document.activeElement || document.activeElement === document.body) button?.focus();
}
