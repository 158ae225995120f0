// Buttons that copy the lines beside them.

if (navigator.clipboard) {
  for (const button of document.querySelectorAll("[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
      const label = button.firstChild;
      const before = label.data;
      label.data = button.dataset.done;
      setTimeout(() => { label.data = before; }, 2000);
    });
  }
}
