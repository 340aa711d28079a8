// The keyboard.  No key fires while somebody types or while a question is open, and none stops anything by itself:
// S and Shift+S only open the question that the buttons open.

const KEYS = {
  j: () => step(1),
  k: () => step(-1),
  s: () => ask("task"),
  S: () => ask("session"),
  a: acknowledge,
  l: () => document.querySelector('[data-set-view][aria-current="false"]')?.click(),
  "/": () => document.querySelector('main input[type="search"]')?.select(),
  "?": help,
};

export function start() {
  document.addEventListener("keydown", onKey);
  document.querySelector("[data-open-help]")?.addEventListener("click", help);
}

function onKey(event) {
  const action = KEYS[event.key];
  if (!action || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  if (document.querySelector("dialog[open]")) return;
  event.preventDefault();
  action();
}

export function isTyping(element) {
  return element.isContentEditable || (element.closest?.("input:not([type=checkbox]), textarea, select") ?? null) !== null;
}

/** Moves the focus to the next or previous session of the page. */
function step(by) {
  const rows = [...document.querySelectorAll(".row")];
  if (!rows.length) return;
  const here = rows.indexOf(document.activeElement.closest(".row"));
  const next = here < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.min(Math.max(here + by, 0), rows.length - 1);
  rows[next].querySelector(".row-title").focus({ preventScroll: true });
  rows[next].scrollIntoView({ block: "nearest" });
}

/** Opens the question of a stop: of the focused row, or of the session whose page this is. */
function ask(strategy) {
  const row = document.activeElement.closest(".row");
  const link = row?.querySelector(`[data-stop="${strategy}"]`);
  if (link) return link.click();
  if (document.querySelector(".row")) return undefined;
  const choice = document.querySelector(`main form[action$="/stop/"] [name="strategy"][value="${strategy}"]`);
  return choice?.form.requestSubmit();
}

/** What the focused row, or this page's session, needs attention for is known; the second time it is not. */
function acknowledge() {
  const place = document.activeElement.closest(".row") ?? (document.querySelector(".row") ? null : document);
  place?.querySelector("[data-acknowledge]")?.click();
}

function help() {
  const dialog = document.getElementById("help");
  if (dialog && !dialog.open) dialog.showModal();
}
