// Seconds that run: elements with data-since show how long ago that was, by the server's clock.

let ahead = 0;

// The server said what time it is; ours may differ.
export function setServerTime(text) {
  const ours = Date.now() - Date.parse(text);
  if (Number.isFinite(ours)) ahead = ours;
}

export function spoken(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (value) => String(value).padStart(2, "0");
  const minutes = Math.floor(whole / 60);
  return minutes < 60
    ? `${minutes}:${two(whole % 60)}`
    : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(whole % 60)}`;
}

function tick() {
  const now = Date.now() - ahead;
  for (const element of document.querySelectorAll("[data-since]")) {
    const text = spoken((now - Date.parse(element.dataset.since)) / 1000);
    if (element.textContent !== text) element.textContent = text;
  }
}

export function start() {
  setServerTime(document.body.dataset.now);
  tick();
  setInterval(tick, 250);
}
