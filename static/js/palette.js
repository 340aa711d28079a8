// The palette's door: it opens at once, and takes what is typed; what works in it (finder.js) is fetched when it is
// first wanted, for most pages are left without it.

let dialog = null, field = null;

export function start() {
  dialog = document.getElementById("palette");
  if (!dialog) return;
  field = dialog.querySelector("input");
  document.addEventListener("keydown", onShortcut);
  for (const button of document.querySelectorAll("[data-open-palette]")) button.addEventListener("click", open);
  if (/mac/i.test(navigator.platform)) for (const key of document.querySelectorAll("[data-open-palette] kbd")) key.textContent = "⌘ K";
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
}

function onShortcut(event) {
  if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey) return;
  event.preventDefault();
  if (dialog.open) dialog.close();
  else open();
}

async function open() {
  if (document.querySelector("dialog[open]")) return;
  field.value = "";
  dialog.showModal();
  field.focus();
  try {
    const finder = await import("./finder.js");
    finder.begin(dialog);
  } catch {
    dialog.querySelector(".palette-foot").textContent = "Watchfloor does not answer";
  }
}
