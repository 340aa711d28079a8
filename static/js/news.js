// Tells those who listen to the page of new messages: how many, and errors, not each of them as it comes.

const PAUSE_MS = 15_000;
let count = 0, errors = 0, due = 0;

const number = (line) => Number(line.id.slice("said-".length));

/** The number of the last message of a panel; 0 when it shows none. */
export function lastOf(panel) {
  return Math.max(0, ...[...panel.querySelectorAll(".said")].map(number));
}

/** Counts what came after `last`, and says it in due time. */
export function tell(last, panel) {
  if (!last) return;
  const fresh = [...panel.querySelectorAll(".said")].filter((line) => number(line) > last);
  count += fresh.length;
  errors += fresh.filter((line) => line.matches(".said-error")).length;
  if (count && !due) due = setTimeout(say, PAUSE_MS);
}

function say() {
  const bad = errors ? `, ${errors} of them error${errors === 1 ? "" : "s"}` : "";
  const words = `${count} new message${count === 1 ? "" : "s"}${bad}.`;
  document.querySelector("[data-said-news]").textContent = words;
  count = errors = due = 0;
}
