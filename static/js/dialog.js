// The one dialog: htmx puts a question (or an answer) into #dialog, and it opens.  Esc, the backdrop, and
// whatever carries data-close-dialog close it; the focus then goes back to where it was.

import * as time from "./time.js";

const REFUSALS = [400, 403, 404, 409];
let cameFrom = null, cameFromRow = null;

export function start() {
  const dialog = document.getElementById("dialog");
  if (!dialog) return;
  document.addEventListener("htmx:beforeRequest", (event) => remember(event, dialog));
  document.addEventListener("htmx:beforeSwap", (event) => event.detail.target === dialog && judge(event));
  document.addEventListener("htmx:afterSwap", (event) => event.target === dialog && open(dialog));
  document.addEventListener("htmx:sendError", (event) => event.detail.target === dialog && say(dialog, UNREACHABLE));
  dialog.addEventListener("click", (event) => closes(event, dialog) && close(event, dialog));
  dialog.addEventListener("close", () => leave(dialog));
}

const UNREACHABLE =
  "Watchfloor does not answer, so nothing was asked for. Check your connection, then try again; " +
  "in a hurry, stop the session in the vendor's console.";
const BROKEN = "Watchfloor failed to answer. Whether the stop was written down is on the page “Stops”.";

/** The row, too: by the time the dialog closes a push may have replaced the button. */
function remember(event, dialog) {
  if (event.detail.target !== dialog || dialog.open) return;
  cameFrom = document.activeElement;
  cameFromRow = cameFrom?.closest("[data-session-id]")?.id ?? null;
}

/** Refusals are answers in words, and shown; a whole page means that somebody was signed out, or a broken server. */
function judge(event) {
  const { xhr } = event.detail;
  if (/^\s*<!doctype/i.test(xhr.responseText)) {
    event.detail.shouldSwap = false;
    if (xhr.status === 200) return window.location.reload();
    return say(event.detail.target, BROKEN);
  }
  if (REFUSALS.includes(xhr.status)) Object.assign(event.detail, { shouldSwap: true, isError: false });
  else if (xhr.status >= 400) say(event.detail.target, BROKEN);
  return undefined;
}

function open(dialog) {
  if (!dialog.firstElementChild) return;
  const heading = dialog.querySelector("h2[id]");
  dialog.removeAttribute("aria-label");
  if (heading) dialog.setAttribute("aria-labelledby", heading.id);
  time.refresh(dialog);
  if (!dialog.open) dialog.showModal();
  heading?.focus();
}

function say(dialog, words) {
  const body = document.createElement("div");
  const heading = document.createElement("h2");
  const text = document.createElement("p");
  const button = document.createElement("button");
  body.className = "dialog-body";
  Object.assign(heading, { id: "ask-title", tabIndex: -1, textContent: "No answer" });
  Object.assign(text, { className: "lead", textContent: words });
  Object.assign(button, { type: "button", className: "btn", textContent: "Close" });
  button.dataset.closeDialog = "";
  body.append(heading, text, button);
  dialog.replaceChildren(body);
  open(dialog);
}

/** A press on the backdrop arrives as one on the dialog itself; a press on a closing element within it. */
function closes(event, dialog) {
  return event.target === dialog || event.target.closest("[data-close-dialog]") !== null;
}

function close(event, dialog) {
  event.preventDefault();
  dialog.close();
}

/** Emptied, so that a receipt in it asks no more. */
function leave(dialog) {
  dialog.replaceChildren();
  const row = cameFromRow && document.getElementById(cameFromRow);
  const back = cameFrom?.isConnected && cameFrom !== document.body ? cameFrom : row?.querySelector("a");
  cameFrom = cameFromRow = null;
  (back ?? document.getElementById("main"))?.focus({ preventScroll: true });
}
