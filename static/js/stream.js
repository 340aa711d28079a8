// The live push.  A stream of events (`line.js`) puts what changed on the page; while that does not work, the page is fetched
// every few seconds instead.  Either way `<html data-push="live | polling | paused | off">` says how current it is,
// and so does the event `push:state` {state, why} on the document.
//
// Tells the rest of the page: `session:changed` {uuid} (null: any), `floor:new` {id, status, attention} or {count},
// `floor:gone` {uuid}, `floor:pulse`.

import { parse, update } from "./cells.js";
import { openLine } from "./line.js";

const SILENCE_MS = 20_000; // the server says something every 15 s
const PATIENCE_MS = 3_000; // a web process that is replaced is back by then
const POLL_MS = 5_000;
const REOPEN_MS = 15_000;
const HIDDEN_MS = 5_000; // a glance at another tab is no reason to hang up
const ANSWER_MS = 10_000;
const ROWS = '[id^="s-"][data-session-id]';

const page = {
  ticket: "",
  line: null,
  opening: null, // the attempt under way
  lastId: 0, // of the last event: when we come back, the server tells what happened since
  heardAt: 0,
  brokenSince: 0,
  openedAt: 0,
  hurriedAt: 0,
  polledAt: 0,
  polling: false,
  paused: false,
  hiding: 0, // timer
};

export function start() {
  page.ticket = document.body.dataset.streamTicket ?? "";
  if (!page.ticket) return;
  document.addEventListener("visibilitychange", onVisibility);
  addEventListener("pagehide", pause);
  addEventListener("pageshow", (event) => event.persisted && resume());
  addEventListener("online", () => page.paused || open());
  addEventListener("offline", lost);
  setInterval(mind, 1_000);
  if (document.hidden) pause();
  else open();
}

/** For who has put other rows on the page: from now on these are heard of. */
export function follow(ticket) {
  page.ticket = ticket;
  if (!page.paused) open();
}

// ---- the stream ----------------------------------------------------------------------------------------

async function open() {
  close();
  const mine = (page.opening = {});
  page.openedAt = page.heardAt = Date.now();
  const isMine = () => mine === page.opening;
  const line = await openLine({
    ticket: page.ticket,
    since: page.lastId || "",
    names: Object.keys(HANDLERS),
    heard: (name, data, id) => isMine() && (heard(id), HANDLERS[name](data)),
    broken: () => isMine() && trouble(),
  });
  if (!isMine()) return line?.close(); // closed meanwhile, or opened again
  page.line = line;
  if (!line) trouble();
}

function close() {
  page.opening = null;
  page.line?.close();
  page.line = null;
}

function heard(id) {
  page.heardAt = Date.now();
  page.brokenSince = 0;
  page.lastId = Math.max(page.lastId, id || 0);
  say("live");
}

function trouble() {
  page.brokenSince ||= Date.now();
  // Refused, not broken off: the browser does not try again by itself.
  if (page.line?.readyState === EventSource.CLOSED) fetchAndReopen();
}

/** The machine says that its network is gone: sooner than silence would. */
function lost() {
  if (page.paused) return;
  page.brokenSince ||= Date.now();
  say("off", "offline");
}

const HANDLERS = {
  ping: () => {},
  row: (html) => showRow(parse(html)),
  gone: (data) => showGone(JSON.parse(data).id),
  new: (data) => emit("floor:new", JSON.parse(data)),
  pulse: (html) => showPulse(parse(html)),
  presence: () => emit("session:changed", { uuid: null }), // somebody came or left: the page's head says who is here
  resync: (data) => (JSON.parse(data).why === "slow" ? fetchAndReopen() : location.reload()),
  forbidden: () => fetchAndReopen(), // whoever is signed out is shown the sign-in page
};

/** A fresh page has what was missed, and a fresh ticket. */
async function fetchAndReopen() {
  close();
  page.brokenSince ||= Date.now();
  await poll();
  if (page.paused || page.opening || Date.now() - page.hurriedAt < REOPEN_MS) return; // once at once, then in due time
  page.hurriedAt = Date.now();
  open();
}

// ---- what to do while it does not work -----------------------------------------------------------------

/** Once a second: is what we see still current, and if not, what then? */
function mind() {
  if (page.paused) return;
  const now = Date.now();
  if (now - page.heardAt > SILENCE_MS) page.brokenSince ||= page.heardAt;
  if (!page.brokenSince || now - page.brokenSince < PATIENCE_MS) return;
  if (now - page.polledAt > POLL_MS) poll();
  reopen();
}

function reopen() {
  const isDead = page.line?.readyState !== EventSource.CONNECTING || Date.now() - page.heardAt > SILENCE_MS;
  if (!page.paused && isDead && Date.now() - page.openedAt > REOPEN_MS * (0.8 + 0.4 * Math.random())) open();
}

/** Fetches this very page, and shows what differs. */
async function poll() {
  if (page.polling) return;
  page.polling = true;
  page.polledAt = Date.now();
  try {
    const answer = await fetch(location.href, {
      cache: "no-store",
      headers: { "X-Shown": page.ticket }, // what became of our rows, also of those that are not on that page any more
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    if (answer.redirected && new URL(answer.url).pathname !== location.pathname) return location.reload();
    if (!answer.ok) throw new Error(answer.statusText);
    const html = await answer.text();
    if (page.paused) return;
    if (page.brokenSince) say("polling");
    showPage(new DOMParser().parseFromString(html, "text/html"));
  } catch {
    if (!page.paused) say("off", "unreachable");
  } finally {
    page.polling = false;
  }
}

// ---- hidden pages --------------------------------------------------------------------------------------

function onVisibility() {
  clearTimeout(page.hiding);
  if (document.hidden) page.hiding = setTimeout(pause, HIDDEN_MS);
  else resume();
}

function pause() {
  page.paused = true;
  close();
  say("paused");
}

function resume() {
  if (!page.paused) return;
  page.paused = false;
  page.brokenSince = 0;
  open();
}

// ---- what is shown -------------------------------------------------------------------------------------

function showRow(fresh) {
  const row = document.getElementById(fresh.id);
  const before = row?.dataset.version;
  if (row && !buildsOn(row, fresh)) return poll();
  if (row) update(row, fresh);
  if (!row || before !== fresh.dataset.version) emit("session:changed", { uuid: fresh.dataset.sessionId });
}

/** What holds only the parts that differ from one version is no use to who has another. */
function buildsOn(row, fresh) {
  const { base, version } = fresh.dataset;
  return !base || base === row.dataset.version || Number(version) <= Number(row.dataset.version);
}

/** It stays where it is until the person reloads: nothing moves under the pointer. */
function showGone(uuid) {
  const row = document.getElementById(`s-${uuid}`);
  if (!row || "gone" in row.dataset) return;
  row.dataset.gone = "";
  emit("floor:gone", { uuid });
}

function showPulse(fresh) {
  const pulse = document.getElementById("pulse");
  if (!pulse || !fresh) return;
  update(pulse, fresh);
  for (const count of document.querySelectorAll('[data-count="attention"]')) {
    const text = fresh.dataset.attention === "0" ? count.dataset.none ?? "" : Number(fresh.dataset.attention).toLocaleString("en");
    if (count.textContent !== text) count.textContent = text;
  }
  emit("floor:pulse", {});
}

function showPage(fresh) {
  const rows = [...fresh.querySelectorAll(ROWS)];
  const left = fresh.getElementById("left");
  const others = left ? [...left.content.querySelectorAll(ROWS)] : [];
  for (const row of [...rows, ...others]) if (document.getElementById(row.id)) showRow(row);
  for (const row of rows) if (!document.getElementById(row.id)) introduce(row.dataset);
  const still = new Set([...rows, ...others].map((row) => row.dataset.sessionId));
  for (const uuid of left?.dataset.gone.split(" ") ?? []) still.delete(uuid);
  const mine = document.querySelectorAll(ROWS);
  for (const row of mine) if (!still.has(row.dataset.sessionId)) showGone(row.dataset.sessionId);
  if (!mine.length) emit("session:changed", { uuid: null });
  showPulse(fresh.getElementById("pulse"));
  page.ticket = fresh.body.dataset.streamTicket ?? page.ticket;
}

function introduce({ sessionId, status, rank }) {
  emit("floor:new", { id: sessionId, status, attention: Number(rank ?? 0) });
}

function say(state, why = "") {
  const root = document.documentElement.dataset;
  if (root.push === state && root.pushWhy === why) return;
  root.push = state;
  root.pushWhy = why;
  emit("push:state", { state, why });
}

function emit(name, detail) {
  document.dispatchEvent(new CustomEvent(name, { detail }));
}
