// Brings a page up to date by reading it again and replacing what differs: one way for every kind of change, and the
// server alone decides what belongs on the page, in which order.

import { setServerTime } from "./clock.js";

// However fast calls come, the page is read at most this often.
const PAUSE_MS = 60;

const asServed = new WeakMap();

// Remember how rows came from the server: scripts add to them afterwards.
export function remember(root) {
  for (const row of root.querySelectorAll("[data-key]")) asServed.set(row, row.outerHTML);
}

// update(): read again soon. Calls that come while one read is under way lead to one more.
export function refresher(regions, afterwards) {
  const served = new Map(regions.map((id) => [id, document.getElementById(id)?.outerHTML]));
  let running = false;
  let again = false;

  async function update() {
    if (running || document.hidden) {
      again = true;
      return;
    }
    running = true;
    again = false;
    try {
      await new Promise((done) => setTimeout(done, PAUSE_MS));
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (answer.redirected) return location.reload();
      if (answer.ok) replace(new DOMParser().parseFromString(await answer.text(), "text/html"));
    } catch {
      // No network: the stream comes back with "again".
    } finally {
      running = false;
      if (again) update();
    }
  }

  function replace(fresh) {
    setServerTime(fresh.body.dataset.now);
    for (const id of regions) {
      const present = document.getElementById(id);
      const coming = fresh.getElementById(id);
      // A page that was empty and is no longer has another shape altogether.
      if (!present || !coming || present.tagName !== coming.tagName) return location.reload();
      if (coming.outerHTML === served.get(id)) continue;
      served.set(id, coming.outerHTML);
      put(present, coming);
    }
  }

  function put(present, coming) {
    const focused = document.activeElement;
    const place = focusedPlace(present, focused); // before rows move, which takes the focus from them
    const known = new Map([...present.querySelectorAll("[data-key]")].map((row) => [row.dataset.key, row]));
    remember(coming);
    const arrived = [];
    for (const row of coming.querySelectorAll("[data-key]")) {
      const old = known.get(row.dataset.key);
      if (old && asServed.get(old) === row.outerHTML) row.replaceWith(old);
      else arrived.push({ row, isNew: !old });
    }
    present.replaceChildren(...coming.childNodes);
    if (place) refocus(present, focused, place);
    for (const { row, isNew } of arrived) {
      if (isNew) row.classList.add("is-new");
      afterwards?.(row, isNew);
    }
  }

  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && again) update();
  });
  return update;
}

function focusedPlace(root, focused) {
  if (!focused || !root.contains(focused)) return null;
  const row = focused.closest("[data-key]");
  return { key: row?.dataset.key, name: focused.className };
}

function refocus(root, focused, place) {
  const again = root.contains(focused)
    ? focused
    : place.key && root.querySelector(`[data-key="${CSS.escape(place.key)}"] .${CSS.escape(place.name || "when")}`);
  again?.focus({ preventScroll: true });
}
