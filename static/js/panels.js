// Panels come anew when their content changes.  What a person has opened, scrolled or focused in them stays so,
// and nothing is swapped under a pressed pointer, nor under one that reads a curve (data-hold).

import * as news from "./news.js";

let pressed = null;
const kept = new Map();
const placed = new WeakSet(); // logs that were swapped under a reader

export function start() {
  document.addEventListener("pointerdown", (event) => { pressed = event.target.closest("[data-panel]"); });
  for (const name of ["pointerup", "pointercancel"]) document.addEventListener(name, () => setTimeout(() => { pressed = null; }));
  document.addEventListener("htmx:oobBeforeSwap", beforeSwap);
  document.addEventListener("htmx:oobAfterSwap", afterSwap);
  document.addEventListener("htmx:beforeSwap", typesOn);
  document.addEventListener("click", onCopy);
  document.addEventListener("htmx:afterSettle", (event) => event.detail.elt?.querySelectorAll?.(".log").forEach(unlessPlaced));
  document.querySelectorAll(".log").forEach(toEnd);
}

function beforeSwap(event) {
  const panel = event.detail.target;
  if (!panel.dataset.panel) return;
  const held = panel === pressed || panel.querySelector("[data-hold]:is(:hover, :focus-visible)") || isBeingTyped(panel);
  if (held) event.detail.shouldSwap = false; // it keeps its tag, so the next change brings it
  else kept.set(panel.dataset.panel, stateOf(panel));
}

/** Whether somebody types in it what was not asked for yet. */
function isBeingTyped(panel) {
  const field = document.activeElement;
  return panel.contains(field) && field.type === "search" && field.value.trim() !== field.defaultValue;
}

/** An answer to what has been typed so far must not take away what was typed since. */
function typesOn(event) {
  const field = document.activeElement;
  if (!event.detail.target.contains(field) || field.type !== "search") return;
  const sent = event.detail.requestConfig.parameters[field.name];
  if (sent !== undefined && sent !== field.value) event.detail.shouldSwap = false;
}

function afterSwap(event) {
  const panel = document.getElementById(event.detail.target.id) ?? event.detail.target;
  const state = kept.get(panel.dataset.panel);
  if (!state) return;
  kept.delete(panel.dataset.panel);
  for (const id of state.open) document.getElementById(id)?.setAttribute("open", "");
  if (state.focus) focused(panel, state.focus)?.focus({ preventScroll: true });
  if (panel.dataset.panel === "messages") news.tell(state.last, panel);
  backTo(panel.querySelector(".log"), state.reading);
  scrollers(panel).forEach((element, index) => element.scrollTo(...(state.scrolled[index] ?? [0, 0])));
  panel.dispatchEvent(new CustomEvent("panel:swapped", { bubbles: true }));
}

/** What had the focus, or the first that is left: keys must not go to the page when a strip has moved on. */
function focused(panel, key) {
  const all = [...panel.querySelectorAll("[data-key]")];
  return all.find((element) => element.dataset.key === key) ?? all[0];
}

function stateOf(panel) {
  return {
    open: [...panel.querySelectorAll("details[open][id]")].map((details) => details.id),
    last: news.lastOf(panel),
    focus: panel.contains(document.activeElement) ? document.activeElement.dataset.key : undefined,
    scrolled: scrollers(panel).map((element) => [element.scrollLeft, element.scrollTop]),
    reading: placeIn(panel.querySelector(".log")),
  };
}

/** Where somebody reads in a log: the first line in sight, and how far from the top.  Undefined at the end, which is followed. */
function placeIn(log) {
  if (!log || log.scrollHeight - log.scrollTop - log.clientHeight < 24) return undefined;
  const line = [...log.querySelectorAll(".said")].find((each) => each.offsetTop + each.offsetHeight > log.scrollTop);
  return line && { id: line.id, above: line.offsetTop - log.scrollTop };
}

function backTo(log, reading) {
  if (!log) return;
  placed.add(log);
  const line = reading && document.getElementById(reading.id);
  if (line) log.scrollTop = line.offsetTop - reading.above;
  else if (!reading) toEnd(log);
}

/** A page of a log that somebody asked for begins at its end, next to what they had before. */
function unlessPlaced(log) {
  if (!placed.has(log)) toEnd(log);
}

function toEnd(log) {
  log.scrollTop = log.scrollHeight;
}

function scrollers(panel) {
  return [...panel.querySelectorAll(".film, .long, .table-tall, .events")];
}

async function onCopy(event) {
  const button = event.target.closest("[data-copy], [data-copy-from]");
  if (!button) return;
  const text = button.dataset.copy ?? document.getElementById(button.dataset.copyFrom).textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.dataset.copied = "";
    setTimeout(() => delete button.dataset.copied, 1500);
  } catch {
    const code = button.parentElement.querySelector("code");
    if (code) getSelection().selectAllChildren(code); // then Ctrl+C does it
    else window.prompt("Copy it from here:", text);
  }
}
