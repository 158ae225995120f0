// What was just done, said once and shown until it is put away; with a button that takes it back.

const place = document.getElementById("notices");

// Screen readers say what comes into a live region, not what stood in it when the page came.
export function sayAgain() {
  const shown = place?.querySelector(".notice");
  if (!shown) return;
  addClose(shown);
  place.replaceChildren();
  setTimeout(() => place.replaceChildren(shown), 150);
}

// { text, undo, is_problem } as the server answers a change with; afterwards runs when it was taken back.
export function show({ text, undo, is_problem: isProblem }, afterwards) {
  const notice = document.createElement("div");
  notice.className = isProblem ? "notice is-problem" : "notice";
  const words = document.createElement("p");
  words.textContent = text;
  notice.append(words);
  if (undo) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "undo";
    button.textContent = place.dataset.undo;
    button.addEventListener("click", async () => {
      show(await send(`/undo/${undo}`, new FormData()));
      afterwards?.();
    });
    notice.append(button);
  }
  addClose(notice);
  place.replaceChildren(notice);
}

// Posts a change; what the server says of it, in its words.
export async function send(address, data) {
  try {
    const answer = await fetch(address, {
      method: "POST",
      body: new URLSearchParams(data),
      headers: { Accept: "application/json" },
    });
    const said = await answer.json();
    return answer.ok || said.text ? said : { text: place.dataset.fault, is_problem: true };
  } catch {
    return { text: place.dataset.fault, is_problem: true };
  }
}

function addClose(notice) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "close";
  button.textContent = place.dataset.close;
  button.addEventListener("click", () => place.replaceChildren());
  notice.append(button);
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !event.target.closest("details, dialog")) place?.replaceChildren();
});
