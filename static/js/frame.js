// The live view.  Its frame is loaded once and touched by nothing but its end, a person's "Reload", or, where nothing
// came at all, its host's recovery.
//
// loading ─ load, and its host answers ─→ live ─ its host falls silent ─→ dead ─ it answers again ─→ live
//    ├─ no load within 10 s, or no host ─→ dead       any ─ the session ends ─→ ended
//    ├─ its host answers 404 or 5xx ─────→ dead       dead, none ─ a view comes to be ─→ loading
//    ├─ its host forbids to frame it ────→ blocked
//    └─ refused by our own policy ───────→ blocked
//       (it, or an address that it leads to)
//
// On a phone there is the picture, and the view only once somebody asks for it: until then its frame is not displayed,
// and being lazy it is not loaded either.

import { answers, apology, PROBE_MS, Retries, soon } from "./host.js";

const PATIENCE_MS = 10_000, SECOND_LOOK_MS = 1_500, APOLOGY_MS = 2_000;
const DRIVEN = 423;
const OWN_WORD_MS = 5_000; // until the page around has heard of our own act

const PHONE = "(width < 48rem)";

const WORDS = {
  loading: ["created", "Opening the live view…", ""],
  live: ["live", "Live", ""],
  dead: ["plug", "No live view now", "The live view does not answer. This is the last picture."],
  blocked: ["stops", "Live view blocked", "The browser did not let the live view in: its address is not on LIVE_VIEW_ORIGINS."],
  ended: ["stopped", "Ended", "The session has ended. This is its last picture."],
  picture: ["picture", "Last picture", ""],
  none: ["picture", "Last picture", "No live view is offered yet. This is the last picture."],
};

const retries = new Retries();
let stage, slot, frame, timer, hasLoaded = false, driving = false, asking = false, actedAt = 0;
const part = (name) => stage.querySelector(`[data-${name}]`);

export function start() {
  stage = document.getElementById("stage");
  if (!stage) return;
  slot = part("slot");
  driving = "drives" in stage.dataset;
  hearOfRefusals();
  document.addEventListener("panel:swapped", follow);
  part("reload").addEventListener("click", reload);
  part("watch").addEventListener("click", watch);
  part("control")?.addEventListener("submit", onControl);
  addEventListener("pagehide", () => driving && sayControl("release", true));
  frame = slot.querySelector("iframe");
  if (frame && matchMedia(PHONE).matches && !driving) become("picture");
  else watch();
  setInterval(look, PROBE_MS);
}

/** The browser did not let the view in, or where it led to.  That may have been before this script ran. */
function hearOfRefusals() {
  const onRefused = ({ effectiveDirective }) => frame && effectiveDirective === "frame-src" && become("blocked");
  document.addEventListener("securitypolicyviolation", onRefused);
  const earlier = window.ReportingObserver && new ReportingObserver(
    (reports) => reports.forEach((report) => onRefused(report.body)), { types: ["csp-violation"], buffered: true });
  earlier?.observe();
}

/** The frame is wanted. */
function watch() {
  stage.dataset.watched = "";
  adopt();
}

const state = () => stage.dataset.state;

/** Takes charge of the frame in the slot, if there is one. */
function adopt() {
  frame = slot.querySelector("iframe");
  hasLoaded = false;
  clearTimeout(timer);
  if (!frame) return;
  become("loading");
  timer = setTimeout(() => state() === "loading" && become("dead"), PATIENCE_MS);
  frame.addEventListener("load", () => onLoad(frame));
  // It may have loaded before this script ran: then its document is somebody else's, and out of reach.
  if (!reachable(frame)) onLoad(frame);
}

function reachable(element) {
  try { return element.contentDocument !== null; } catch { return false; }
}

/** A load event comes for the browser's own error page, too, and for the host's: so both are asked. */
async function onLoad(loaded) {
  if (loaded !== frame || reachable(loaded)) return;
  hasLoaded = true;
  const told = apology(stage.dataset.liveAddress);
  told.then((look) => look && loaded === frame && ["loading", "live"].includes(state()) && apologise(look));
  const [isThere] = await Promise.all([answers(loaded), soon(told, APOLOGY_MS)]);
  if (loaded === frame && state() === "loading") become(isThere ? "live" : "dead");
}

function apologise({ state: next, why }) {
  const said = next === "dead"
    ? `The live view's host answers ${why}; it is tried again now and then.`
    : `Its host lets no other page show the live view (${why}).`;
  if (next === "dead") stage.dataset.neverCame = "1";
  become(next, `${said} This is the last picture.`);
}

async function look() {
  if (document.hidden || !frame || asking || !["live", "dead"].includes(state())) return;
  if (stage.dataset.neverCame) return tryAgain(frame);
  let isThere = await answers(frame);
  if (!isThere && state() === "live") {
    await new Promise((done) => setTimeout(done, SECOND_LOOK_MS));
    isThere = frame && await answers(frame);
  }
  if (!frame || !["live", "dead"].includes(state())) return;
  if (!isThere) return state() === "live" && become("dead");
  if (hasLoaded && state() === "dead" && !stage.dataset.neverCame) become("live");
}

async function tryAgain(missed) {
  const isTime = await retries.isTime(missed, stage.dataset.liveAddress);
  if (isTime && missed === frame && state() === "dead" && !asking) reveal();
}

/** After an update of the page around: has the session ended, or has a live view come to be? */
function follow() {
  const now = document.querySelector("[data-session-state]")?.dataset;
  if (!now) return;
  followDriver(now);
  if (!now.isLive) {
    if (state() !== "ended") end();
  } else if (now.hasView && !frame && !matchMedia(PHONE).matches && stage.dataset.mayWatch && !asking) {
    reveal();
  }
}

function end() {
  frame?.remove();
  frame = null;
  clearTimeout(timer);
  setDriving(false);
  become("ended");
}

function reload() {
  retries.forget();
  return reveal();
}

/** Asks for the frame anew: a person pressed "Reload", or there was none until now. */
async function reveal() {
  asking = true;
  stage.dataset.watched = "";
  try {
    const answer = await fetch(stage.dataset.liveAddress, { headers: { "HX-Request": "true" }, cache: "no-store" });
    if (!answer.ok || answer.redirected) throw new Error(answer.status);
    slot.innerHTML = await answer.text();
    adopt();
    if (!frame) become("none", slot.textContent.trim());
    if (!frame) slot.replaceChildren();
  } catch {
    become("dead", "The live view could not be asked for. This is the last picture.");
  } finally {
    asking = false;
  }
}

function become(next, words) {
  const [icon, word, note] = WORDS[next];
  if (next === "dead" && state() === "loading") stage.dataset.neverCame = "1";
  if (next === "loading" || next === "live") delete stage.dataset.neverCame;
  stage.dataset.state = next;
  part("state-word").innerHTML = `<svg class="i" aria-hidden="true"><use href="#i-${icon}"/></svg> <span>${word}</span>`;
  part("note").textContent = words || note;
  part("watch").hidden = next !== "picture";
  part("reload").hidden = !["dead", "blocked", "live"].includes(next);
  const form = part("control");
  if (form) form.hidden = !driving && !["live", "loading"].includes(next);
}

// ---- control -----------------------------------------------------------------------------------

async function onControl(event) {
  event.preventDefault();
  const act = driving ? "release" : "take";
  const answer = await sayControl(act, false).catch(() => null);
  if (answer?.ok) return setDriving(act === "take");
  if (answer?.status === DRIVEN) return ask(await answer.text());
  part("note").textContent = answer ? "Control was refused: the session may have ended." : "Watchfloor does not answer: control was not changed.";
  return undefined;
}

/** Somebody has taken over, or our time at the wheel has run out. */
function followDriver({ driver, driverId }) {
  const isMine = driverId === stage.dataset.me;
  if (driving && !isMine && Date.now() - actedAt > OWN_WORD_MS) {
    setDriving(false);
    part("note").textContent = driver ? `${driver} has taken over.` : "Control has ended: it was not used for long.";
  }
  if (!driving && part("control")) part("control-word").textContent = driverId && !isMine ? "Take over" : "Take control";
}

/** Somebody else drives: the question is put in the page's dialog (dialog.js), and its answer comes back here. */
function ask(html) {
  const dialog = document.getElementById("dialog");
  dialog.innerHTML = html;
  dialog.querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    dialog.close();
    sayControl("take", false, "1").then((answer) => answer.ok && setDriving(true), () => {});
  });
  dialog.dispatchEvent(new CustomEvent("htmx:afterSwap", { bubbles: true })); // as if htmx had put it there
}

/** `leaving`: the page goes away, so the browser is asked to deliver it afterwards. */
function sayControl(act, leaving, over = "") {
  const form = part("control"), address = form.getAttribute("action"), body = new FormData(form);
  body.set("action", act);
  body.set("over", over);
  if (leaving) return navigator.sendBeacon(address, body);
  return fetch(address, { method: "POST", body, headers: { Accept: "application/json" } });
}

function setDriving(next) {
  driving = next;
  actedAt = Date.now();
  stage.toggleAttribute("data-drives", next);
  slot.inert = !next;
  part("guard").hidden = next;
  const form = part("control");
  if (!form) return;
  form.elements.action.value = next ? "release" : "take";
  part("control-word").textContent = next ? "Give control back" : "Take control";
  form.querySelector("button").classList.toggle("btn-primary", next);
  part("note").textContent = "";
  if (next) frame?.focus();
}
