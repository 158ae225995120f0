// Follows a check that is under way, and shows its report when it has ended.

const place = document.getElementById("under-way");
const PAUSE_MS = 700;

async function look() {
  try {
    const answer = await fetch(place.dataset.progress, { headers: { Accept: "application/json" } });
    if (answer.ok) {
      const { step, place: reached, ended } = await answer.json();
      if (ended) return location.reload();
      const says = place.querySelector("[role=status]");
      if (says.textContent != step) says.textContent = step;
      place.querySelector("progress").value = reached;
    }
  } catch {
    // No network for a moment.
  }
  setTimeout(look, PAUSE_MS);
}

look();
