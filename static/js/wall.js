// The wall: how large its tiles are, and which of them are watched live.
//
// Pinned sessions stand above the rows, in a place of their own: what is pushed, sorted, filtered or paged never
// touches them.  While there are any, filters and pages are fetched into this page instead of leaving it, for a
// frame would be loaded anew.

const MOST = 4, YEAR_S = 365 * 24 * 3600, KEPT = "pinned";
const PASSED = '.filters a, .pager a, [data-empty="match"] a[href="/"]';

const pins = new Map();
const coming = new Set();
let shelf = null;

export function start() {
  document.addEventListener("click", onSize);
  shelf = document.getElementById("pinned");
  if (!shelf) return;
  offerPins();
  document.addEventListener("click", onClick, true);
  document.addEventListener("submit", onSubmit);
  document.addEventListener("session:changed", follow);
  document.addEventListener("floor:renewed", offerPins);
  document.addEventListener("floor:gone", ({ detail }) => pins.get(detail.uuid)?.end());
  addEventListener("popstate", () => location.reload());
  for (const [uuid, title] of kept().slice(0, MOST)) pin(uuid, title);
}

// ---- the size of tiles ---------------------------------------------------------------------------------

function onSize(event) {
  const button = event.target.closest("[data-set-size]");
  if (!button) return;
  const size = button.dataset.setSize;
  document.cookie = `tile=${size}; path=/; max-age=${YEAR_S}; samesite=lax`;
  for (const rows of document.querySelectorAll(".rows")) rows.dataset.size = size;
  for (const other of document.querySelectorAll("[data-set-size]")) {
    other.setAttribute("aria-pressed", String(other.dataset.setSize === size));
  }
}

// ---- pins ----------------------------------------------------------------------------------------------

/** Not a part that pushes replace, so it stays where it is. */
function offerPins() {
  for (const row of document.querySelectorAll(".rows > .row")) {
    const button = document.getElementById("pin-button").content.firstElementChild.cloneNode(true);
    button.setAttribute("aria-label", `Watch ${titleOf(row)} live`);
    button.setAttribute("aria-pressed", String(pins.has(row.dataset.sessionId)));
    row.querySelector(".row-pin")?.remove();
    row.append(button);
  }
}

const titleOf = (row) => row.querySelector(".row-title").textContent.trim();

function onClick(event) {
  const button = event.target.closest(".row-pin");
  if (button) return toggle(button.closest(".row"));
  const leaving = event.target.closest("[data-pin-unpin]");
  if (leaving) return unpin(leaving.closest("[data-pinned]").dataset.pinned);
  if (!pins.size || event.ctrlKey || event.metaKey || event.shiftKey) return undefined;
  const link = event.target.closest(PASSED);
  const isNew = event.target.closest("#new");
  if (!link && !isNew) return undefined;
  event.preventDefault();
  event.stopPropagation();
  return goTo(link ? link.href : location.href);
}

function toggle(row) {
  const uuid = row.dataset.sessionId;
  if (pins.has(uuid)) return unpin(uuid);
  if (pins.size + coming.size >= MOST) return say(`${MOST} at once are watched at most: take one away first.`);
  pin(uuid, titleOf(row));
  return say("");
}

/** What a pin is made of is fetched with the first of them. */
async function pin(uuid, title) {
  if (coming.has(uuid)) return;
  coming.add(uuid);
  const module = await import("./pin.js").catch(() => null);
  coming.delete(uuid);
  if (!module) return say("Watchfloor does not answer.");
  const one = new module.Pin(uuid, title);
  pins.set(uuid, one);
  shelf.querySelector("ul").append(one.element);
  follow({ detail: { uuid } });
  one.load();
  changed();
  return undefined;
}

function unpin(uuid) {
  const hadFocus = pins.get(uuid).element.contains(document.activeElement);
  pins.get(uuid).remove();
  pins.delete(uuid);
  changed();
  say("");
  if (hadFocus) (document.querySelector(`#s-${CSS.escape(uuid)} .row-title`) ?? document.getElementById("main")).focus();
}

function changed() {
  shelf.hidden = pins.size === 0;
  for (const row of document.querySelectorAll(".rows > .row")) {
    row.querySelector(".row-pin")?.setAttribute("aria-pressed", String(pins.has(row.dataset.sessionId)));
  }
  keep([...pins].map(([uuid, one]) => [uuid, one.title]));
}

function say(words) {
  const place = document.getElementById("pin-note");
  place.textContent = words;
  if (words) shelf.hidden = false;
}

function follow({ detail: { uuid } }) {
  for (const one of uuid ? [pins.get(uuid)].filter(Boolean) : pins.values()) {
    const row = document.getElementById(`s-${one.uuid}`);
    if (!row) continue;
    one.picture(row.querySelector(".row-picture img")?.getAttribute("src"));
    if ("ended" in row.dataset && one.state !== "ended") one.end();
  }
}

/** Of this tab: another tab watches others. */
function kept() {
  try { return JSON.parse(sessionStorage.getItem(KEPT)) ?? []; } catch { return []; }
}

function keep(list) {
  try { sessionStorage.setItem(KEPT, JSON.stringify(list)); } catch { /* then they are gone with the page */ }
}

// ---- other rows, the same page -------------------------------------------------------------------------

function onSubmit(event) {
  if (!pins.size || !event.target.matches(".filters")) return;
  event.preventDefault();
  const asked = new URLSearchParams([...new FormData(event.target)].filter(([, value]) => value));
  goTo(new URL(`?${asked}`, location.href).href);
}

async function goTo(address) {
  const module = await import("./renew.js").catch(() => null);
  if (module) module.goTo(address);
  else location.assign(address);
}
