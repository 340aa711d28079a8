// The list and the wall: the switch between them, what is new, and filters that apply at once.

const YEAR_S = 365 * 24 * 3600;

export function start() {
  for (const link of document.querySelectorAll("[data-set-view]")) link.addEventListener("click", onView);
  for (const form of document.querySelectorAll("form[data-auto]")) {
    form.addEventListener("change", (event) => event.target.type !== "search" && form.requestSubmit());
    form.addEventListener("submit", leaveOutWhatIsEmpty);
  }
  const button = document.getElementById("new");
  if (button) offerWhatIsNew(button);
  if (document.querySelector("[data-empty]")) reloadOnceReadable(document.getElementById("pulse"));
}

/** List and wall are the same rows: nothing is fetched. */
function onView(event) {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const view = event.currentTarget.dataset.setView;
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
  for (const field of event.target.elements) {
    if (field.name && !field.value) field.disabled = true;
  }
  setTimeout(() => { for (const field of event.target.elements) field.disabled = false; });
}

/** New sessions wait behind a button, so that no row moves under the pointer. */
function offerWhatIsNew(button) {
  const seen = new Set();
  let unnamed = 0;
  document.addEventListener("floor:new", (event) => {
    if (document.querySelector('[data-empty]:not([data-empty="match"])')) return location.reload(); // nothing to disturb
    const { id, count } = event.detail ?? {};
    if (id && document.getElementById(`s-${id}`)) return undefined;
    if (id) seen.add(id);
    else unnamed += count ?? 1;
    button.querySelector("b").textContent = seen.size + unnamed;
    button.hidden = false;
    return undefined;
  });
  button.addEventListener("click", () => location.reload());
}

/** An empty page says why it is empty: once that is another reason, so is the page. */
function reloadOnceReadable(pulse) {
  const canRead = () => !["failing", "never"].includes(pulse.dataset.state);
  const could = canRead();
  const observer = new MutationObserver(() => canRead() !== could && location.reload());
  if (pulse) observer.observe(pulse, { attributes: true, attributeFilter: ["data-state"] });
}
