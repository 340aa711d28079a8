// The list and the wall: the switch between them, what is new, and filters that apply at once.

const YEAR_S = 365 * 24 * 3600;
const AUTO = "form[data-auto]";
const EMPTY = ":not(.sample-empty) > [data-empty]"; // the styleguide has samples of it

export function start() {
  document.addEventListener("click", onView);
  document.addEventListener("change", ({ target }) => target.type !== "search" && target.form?.matches(AUTO) && target.form.requestSubmit());
  document.addEventListener("submit", leaveOutWhatIsEmpty);
  const button = document.getElementById("new");
  if (button) offerWhatIsNew(button);
  if (document.querySelector(EMPTY)) reloadOnceReadable(document.getElementById("pulse"));
}

/** List and wall are the same rows: nothing is fetched. */
function onView(event) {
  const chosen = event.target.closest("[data-set-view]");
  if (!chosen || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const view = chosen.dataset.setView;
  document.querySelector(".rows").dataset.view = view;
  document.cookie = `view=${view}; path=/; max-age=${YEAR_S}; samesite=lax`;
  for (const link of document.querySelectorAll("[data-set-view]")) {
    link.setAttribute("aria-current", String(link.dataset.setView === view));
  }
  const address = new URL(location.href);
  address.searchParams.set("view", view);
  history.replaceState(history.state, "", address);
  for (const field of document.querySelectorAll('form[data-auto] [name="view"]')) field.value = view;
}

/** Addresses without `model=&account=&…`. */
function leaveOutWhatIsEmpty(event) {
  if (!event.target.matches(`${AUTO}, form[data-tidy]`)) return;
  for (const field of event.target.elements) {
    if (field.name && !field.value) field.disabled = true;
  }
  setTimeout(() => { for (const field of event.target.elements) field.disabled = false; });
}

/** New sessions wait behind a button, so that no row moves under the pointer. */
function offerWhatIsNew(button) {
  const seen = new Set();
  let unnamed = 0;
  button.addEventListener("click", () => location.reload());
  if (button.dataset.new === "attention") {
    document.addEventListener("floor:pulse", () => offer(button, inNeed() - inSight(button)));
    return;
  }
  document.addEventListener("floor:renewed", () => { unnamed = 0; });
  document.addEventListener("floor:new", (event) => {
    const { id, count } = event.detail ?? {};
    if (id && document.getElementById(`s-${id}`)) return;
    if (id) seen.add(id);
    else unnamed += count ?? 1;
    offer(button, [...seen].filter((one) => !document.getElementById(`s-${one}`)).length + unnamed);
  });
}

function offer(button, number) {
  if (number > 0 && isEmpty()) return location.reload(); // nothing to disturb
  button.querySelector("b").textContent = number;
  button.hidden = number <= 0;
  return undefined;
}

const isEmpty = () => document.querySelector(`${EMPTY}:not([data-empty="match"])`) !== null;
const inNeed = () => Number(document.getElementById("pulse").dataset.attention);

/** Those of the queue that still need attention, and those of its other pages. */
function inSight(button) {
  return Number(button.dataset.elsewhere) + document.querySelectorAll(".row[data-rank]:not([data-gone])").length;
}

/** An empty page says why it is empty: once that is another reason, so is the page. */
function reloadOnceReadable(pulse) {
  const canRead = () => !["failing", "never"].includes(pulse.dataset.state);
  const could = canRead();
  const observer = new MutationObserver(() => canRead() !== could && location.reload());
  if (pulse) observer.observe(pulse, { attributes: true, attributeFilter: ["data-state"] });
}
