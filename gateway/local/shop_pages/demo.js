// The bar at the bottom: it rings the number that this page shows, as a customer would.

const number = document.querySelector(".demo-number");
const why = document.getElementById("demo-why");
const button = document.getElementById("demo-call");
const said = document.getElementById("demo-said");

const WHY = {
  lent: "Lent to you, so that a call leads back to your visit.",
  static: "It stands for what brought you.",
  fallback: "All numbers to be lent are in use.",
};

window.numberpool ??= {};
const swapped = (shown) => {
  if (shown.number.e164 !== shown.target.e164) why.textContent = WHY[shown.why];
};
if (window.numberpool.on) window.numberpool.on("swap", swapped);
else (window.numberpool.q ??= []).push(["on", "swap", swapped]);

button.addEventListener("click", async () => {
  const shown = number.textContent.trim();
  button.disabled = true;
  said.textContent = `${said.dataset.as}, is calling ${shown}. The log shows it now.`;
  try {
    const answer = await fetch("/call", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ number: shown }),
    });
    const result = await answer.json();
    if (!answer.ok) said.textContent = result.error;
    else if (result.answered) said.textContent = `Answered, and they talked for ${result.seconds} seconds.`;
    else said.textContent = "Nobody answered.";
  } catch {
    said.textContent = "The demonstration does not answer; is it still running?";
  }
  button.disabled = false;
});
