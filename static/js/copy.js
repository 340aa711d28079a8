// Buttons with data-copy put that text on the clipboard, and say so for a moment.

const SAID_MS = 1500;

document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("button[data-copy]");
  if (!button) return;
  const words = button.querySelector("[data-copy-words]");
  const before = words.textContent;
  if (button.dataset.copied !== undefined) return;
  button.dataset.copied = "";
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    words.textContent = "Copied";
  } catch {
    words.textContent = "Not allowed here";
  }
  setTimeout(() => {
    words.textContent = before;
    delete button.dataset.copied;
  }, SAID_MS);
});
