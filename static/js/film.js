// The film: a picture of it is shown large on the stage, over the live view, which runs on behind it.
// Press or draw along the strip, slide, swipe the large picture; arrows, Home, End, Page up and down; Escape: now.
// Curve and steps follow (`film:shown`), and lead (`session:scrub`, a press on a step).

import * as strip from "./strip.js";

const FAR = 10, A_DRAG = 5, A_SWIPE = 40, SETTLE_MS = 120;
const KEYS = { ArrowLeft: -1, ArrowRight: 1, PageUp: -FAR, PageDown: FAR, Home: -Infinity, End: Infinity };

let screen, range, chosen = null, come = 0, drag = null, swipe = null, asking = 0, settling = 0;
const part = (name) => document.querySelector(`[data-film-${name}]`);

export function start() {
  screen = part("screen");
  if (!screen || !strip.start()) return;
  range = document.querySelector("[data-strip-range]");
  document.addEventListener("click", onClick);
  document.addEventListener("keydown", onKey);
  range.addEventListener("input", () => show(Number(range.value)));
  part("close").addEventListener("click", close);
  document.addEventListener("session:scrub", (event) => settle({ at: event.detail.at }));
  document.addEventListener("panel:swapped", (event) => event.target.dataset.panel === "film" && adopt(event.target));
  dragging(strip.element().querySelector("[data-strip-scroll]"));
  swiping(screen);
  adopt(document.getElementById("panel-film"));
  const first = strip.element().dataset.chosen;
  if (first !== undefined) show(Number(first));
  else strip.toEnd();
}

/** New pictures go on at the end, which is followed unless somebody looks elsewhere. */
function adopt(panel) {
  const follow = chosen === null && strip.isAtEnd();
  // An address that asked for a place has pinned the panel; the strip has no need of that.
  const tag = panel.querySelector('[name="seen"][value="film:*"]');
  if (tag) tag.value = "film:0";
  const more = strip.adopt(panel);
  if (chosen !== null) come += more;
  if (follow) strip.toEnd();
  say();
}

function onClick(event) {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  const link = event.target.closest("[data-film] a, [data-to-step]");
  if (!link) return;
  if (link.dataset.toStep && !strip.count()) return;
  event.preventDefault();
  if (drag?.moved) return;
  if (link.dataset.toStep) go({ step: link.dataset.toStep });
  else show(Number(link.parentElement.dataset.place));
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || document.querySelector("dialog[open]")) return;
  if (event.key === "Escape" && chosen !== null) return close();
  const onStrip = event.target.closest?.("[data-film] a");
  const onPage = chosen !== null && [document.body, document.getElementById("main")].includes(event.target);
  const step = KEYS[event.key];
  if (step === undefined || !strip.count() || !(onStrip || onPage)) return;
  if (!onStrip && !event.key.startsWith("Arrow")) return; // the others scroll the page
  event.preventDefault();
  const from = onStrip ? Number(onStrip.parentElement.dataset.place) : chosen;
  show(from + step, Boolean(onStrip));
}

/** Many wishes in a row (a curve is drawn along): the last one counts. */
function settle(what) {
  clearTimeout(settling);
  settling = setTimeout(() => go(what), SETTLE_MS);
}

async function go(what) {
  const mine = ++asking;
  const place = await strip.find(what);
  if (mine === asking && place !== null) show(place, false, "at" in what);
}

/** Shows the picture of a place.  `focused`: the focus goes there; `led`: the curve has said where, and stays. */
async function show(wanted, focused = false, led = false) {
  const place = Math.min(Math.max(wanted, 0), strip.count() - 1);
  const mine = ++asking;
  chosen = place;
  strip.intoSight(place);
  const found = strip.at(place) ? place : await strip.find({ place });
  if (mine !== asking || found === null) return;
  strip.intoSight(place);
  strip.mark(place);
  const link = strip.at(place);
  if (focused) link.focus({ preventScroll: true });
  onStage(link);
  say();
  remember(link.dataset.step);
  document.dispatchEvent(new CustomEvent("film:shown", { detail: { at: Number(link.dataset.at), step: Number(link.dataset.step), led } }));
}

function onStage(link) {
  const picture = part("picture");
  if (picture.src !== link.href) picture.src = link.href;
  picture.alt = link.querySelector("img").alt;
  const lines = [...link.children].filter((child) => child.matches("span"));
  part("caption").replaceChildren(...lines.map((line) => line.cloneNode(true)));
  part("link").dataset.copy = address(link.dataset.step);
  screen.hidden = false;
}

function close() {
  asking++;
  clearTimeout(settling);
  chosen = null;
  come = 0;
  screen.hidden = true;
  strip.mark(null);
  strip.toEnd();
  say();
  remember(null);
  document.dispatchEvent(new CustomEvent("film:closed"));
}

function say() {
  const count = strip.count(), place = chosen ?? count - 1;
  range.max = Math.max(0, count - 1);
  range.value = place;
  const link = strip.at(place);
  const step = link ? ` · step ${link.dataset.step}` : "";
  const words = `Picture ${place + 1} of ${count}${step}`;
  document.querySelector("[data-strip-where]").textContent = count ? words : "";
  range.setAttribute("aria-valuetext", words);
  part("close").hidden = chosen === null;
  part("new").hidden = !come;
  part("new").textContent = `${come} new`;
}

/** The address bar leads back to the step that is shown. */
function remember(step) {
  history.replaceState(history.state, "", address(step));
}

function address(step) {
  const there = new URL(location.href);
  for (const name of ["first", "at", "step"]) there.searchParams.delete(name);
  if (step !== null) there.searchParams.set("step", step);
  return there.href;
}

// ---- pointers --------------------------------------------------------------------------------------

/** With a mouse one draws along the strip; a finger scrolls it, and taps. */
function dragging(scroll) {
  scroll.addEventListener("pointerdown", (event) => {
    drag = event.pointerType === "mouse" && !event.button ? { x: event.clientX, moved: false } : null;
  });
  document.addEventListener("pointermove", (event) => {
    if (!drag || !event.buttons) return;
    drag.moved ||= Math.abs(event.clientX - drag.x) > A_DRAG;
    if (!drag.moved) return;
    strip.nudge(event.clientX);
    const place = strip.under(event.clientX);
    if (place !== chosen) show(place);
  });
  document.addEventListener("pointerup", () => setTimeout(() => { drag = null; }));
}

function swiping(over) {
  over.addEventListener("touchstart", (event) => {
    swipe = event.touches.length === 1 ? [event.touches[0].clientX, event.touches[0].clientY] : null;
  }, { passive: true });
  over.addEventListener("touchend", (event) => {
    if (!swipe || chosen === null) return;
    const { clientX, clientY } = event.changedTouches[0];
    const far = clientX - swipe[0], down = clientY - swipe[1];
    swipe = null;
    if (Math.abs(far) > Math.max(A_SWIPE, 2 * Math.abs(down))) show(chosen + (far < 0 ? 1 : -1));
  }, { passive: true });
}
