// Puts newer HTML of an element on the page, part by part: nothing moves, nothing that a person is using is taken
// away, and no frame is ever touched.  A part is an element with data-cell.

import { refresh } from "./time.js";

const IN_USE = "details[open], dialog[open], iframe, .htmx-request";
const LATER_MS = 500;

const waiting = new Map(); // part on the page → what will take its place
let lastFocused = null; // outside of dialogs: there the focus goes back to when one closes
let selects = false; // asking for the selection lays out the whole page: once a change of it, not once a part

document.addEventListener("focusin", ({ target }) => { if (!target.closest("dialog")) lastFocused = target; });
document.addEventListener("selectionchange", () => { selects = !getSelection().isCollapsed; });

/** The element that some HTML stands for. */
export function parse(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content.firstElementChild;
}

/** Makes `current` (on the page) say what `fresh` says, unless that is older. */
export function update(current, fresh) {
  if (Number(current.dataset.version) > Number(fresh.dataset.version)) return;
  takeAttributes(current, fresh);
  for (const part of current.querySelectorAll("[data-cell]")) {
    const next = fresh.querySelector(`[data-cell="${CSS.escape(part.dataset.cell)}"]`);
    if (next) replace(part, next);
  }
}

/** All that the server says of the element itself; what scripts added besides data-… stays. */
function takeAttributes(current, fresh) {
  for (const { name, value } of fresh.attributes) {
    if (current.getAttribute(name) !== value) current.setAttribute(name, value);
  }
  for (const { name } of [...current.attributes]) {
    if (name.startsWith("data-") && !fresh.hasAttribute(name)) current.removeAttribute(name);
  }
}

function replace(part, next) {
  waiting.delete(part);
  if (essence(part) === essence(next)) return;
  if (isInUse(part)) return later(part, next);
  if (essence(part, withoutPictures) === essence(next, withoutPictures)) return changePictures(part, next);
  part.replaceWith(next);
  window.htmx?.process(next);
  refresh(next.parentElement);
}

/** What of a part is the server's: the browser's own words for a moment are not. */
function essence(part, also = (html) => html) {
  return also(part.outerHTML.replace(/<time\b([^>]*)>[^<]*/g, (_, attributes) => attributes.replace(/ title="[^"]*"/, "")));
}

function withoutPictures(html) {
  return html.replace(/<img\b[^>]*>/g, "<img>");
}

/** In place: an <img> shows its old picture until the new one is there, a new element would flash. */
function changePictures(part, next) {
  const pictures = next.querySelectorAll("img");
  for (const [number, picture] of part.querySelectorAll("img").entries()) takeAttributes(picture, pictures[number]);
}

/** Somebody reads in it, selects in it, or has it under their keyboard. */
function isInUse(part) {
  if (part.matches(IN_USE) || part.querySelector(IN_USE)) return true;
  if (part.contains(lastFocused) && document.querySelector("dialog[open]")) return true;
  const focused = document.activeElement;
  if (part.contains(focused) && focused.matches(":focus-visible")) return true; // after a mere click it may go
  return selects && getSelection().containsNode(part, true);
}

function later(part, next) {
  if (!waiting.size) setTimeout(again, LATER_MS);
  waiting.set(part, next);
}

function again() {
  const due = [...waiting];
  waiting.clear();
  for (const [part, next] of due) if (part.isConnected) replace(part, next);
}
