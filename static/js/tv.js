// The wall screen.  It turns its pages by itself and stays awake; whatever fails, what is shown stays.
//
// Nothing grows in eight hours: the next page's #screen takes the place of this one, history is replaced, and every
// listener but those of the tiles' own elements is set once.

import * as stream from "./stream.js";
import * as push from "./push.js";
import * as time from "./time.js";
import * as zone from "./zone.js";

const ANSWER_MS = 10_000;
const NEEDLESS = ".row-stop, .row-pick"; // nobody acts from across a room
const STILL = matchMedia("(prefers-reduced-motion: reduce)");

const KEYS = {
  p: pause,
  f: fullScreen,
  ArrowRight: () => turn("next"),
  ArrowLeft: () => turn("previous"),
  Escape: () => document.fullscreenElement || document.getElementById("leave").click(),
};

const screen = () => document.getElementById("screen");
const isPaused = () => document.getElementById("pause").getAttribute("aria-pressed") === "true";
let turnedAt = 0, turning = false, lock = null;

for (const module of [zone, time, push, stream]) module.start();
start();

function start() {
  trim();
  turnedAt = Date.now();
  setInterval(mind, 1_000);
  document.addEventListener("keydown", onKey);
  document.addEventListener("visibilitychange", stayAwake);
  document.getElementById("pause").addEventListener("click", pause);
  document.getElementById("full").addEventListener("click", fullScreen);
  document.querySelector(".screen-bar").addEventListener("click", onTurn);
  document.addEventListener("floor:new", () => screen().querySelector("[data-empty]") && turn("same"));
  stayAwake();
}

function onKey(event) {
  const action = KEYS[event.key];
  if (!action || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  action();
}

function onTurn(event) {
  const link = event.target.closest("[data-turn]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  turn(link.dataset.turn);
}

/** Where motion is not wanted, the same page is made current instead: pages are turned by hand. */
function mind() {
  if (document.hidden || isPaused() || Date.now() - turnedAt < document.body.dataset.turnS * 1_000) return;
  turn(STILL.matches ? "same" : "next");
}

async function turn(to) {
  if (turning) return;
  turning = true;
  turnedAt = Date.now();
  const address = to === "same" ? location.href : new URL(screen().dataset[to], location.href).href;
  try {
    const answer = await fetch(address, { cache: "no-store", signal: AbortSignal.timeout(ANSWER_MS) });
    if (!answer.ok || answer.redirected) throw new Error(answer.status);
    show(new DOMParser().parseFromString(await answer.text(), "text/html"), address);
  } catch {
    // What is shown stays; beside the age of the data stands whether Watchfloor answers (push.js).
  } finally {
    turning = false;
  }
}

function show(fresh, address) {
  const next = fresh.getElementById("screen");
  if (!next) return;
  screen().replaceWith(next);
  trim();
  time.refresh(next);
  history.replaceState(null, "", address);
  for (const link of document.querySelectorAll("[data-turn]")) link.href = next.dataset[link.dataset.turn];
  stream.follow(fresh.body.dataset.streamTicket);
}

function trim() {
  for (const element of screen().querySelectorAll(NEEDLESS)) element.remove();
}

function pause() {
  const button = document.getElementById("pause"), next = !isPaused();
  button.setAttribute("aria-pressed", String(next));
  button.lastChild.textContent = next ? " Paused" : " Pause";
  turnedAt = Date.now();
}

function fullScreen() {
  if (document.fullscreenElement) document.exitFullscreen();
  else document.documentElement.requestFullscreen?.().catch(() => {});
}

/** The browser takes the lock away from hidden pages, so it is asked for whenever this one is seen. */
async function stayAwake() {
  if (document.hidden || (lock && !lock.released)) return;
  try {
    lock = await navigator.wakeLock.request("screen");
    say("");
  } catch {
    say(navigator.wakeLock ? "This screen may fall asleep" : "This screen may fall asleep: only a page over HTTPS may keep it awake");
  }
}

function say(words) {
  document.body.dataset.wake = words ? "off" : "on";
  document.getElementById("wake").textContent = words;
}
