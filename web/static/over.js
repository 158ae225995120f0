// A page of its own opened over the present one: what stands in its #over-me, in a dialog. Without script the link leads there.

const dialog = document.getElementById("over");
const inside = document.getElementById("over-inside");

export async function openOver(address, opener) {
  let page;
  try {
    const answer = await fetch(address, { headers: { Accept: "text/html" } });
    if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
    page = await answer.text();
  } catch {
    location.href = address; // the page itself says what is wrong
    return null;
  }
  fill(page);
  dialog.showModal();
  // What it was opened from may have been drawn anew meanwhile: then the link that leads to the same place.
  const again = () => opener && document.querySelector(`main a[href="${CSS.escape(opener.getAttribute("href"))}"]`);
  dialog.addEventListener("close", () => (opener?.isConnected ? opener : again())?.focus(), { once: true });
  return dialog;
}

export function fill(page) {
  const section = new DOMParser().parseFromString(page, "text/html").getElementById("over-me");
  const focused = dialog.open && document.activeElement?.id;
  inside.replaceChildren(section);
  const again = focused && inside.querySelector(`#${CSS.escape(focused)}`);
  (inside.querySelector("[aria-invalid]") || again || inside.querySelector("[aria-pressed='true'], select, input:not([type=hidden])"))?.focus();
}

export function close() {
  dialog?.close();
}

// A click beside it puts it away.
dialog?.addEventListener("click", (event) => {
  if (event.target === dialog) dialog.close();
});
