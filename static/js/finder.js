// What works in the palette: one field for everything that one can go to.  A combobox as ARIA has it: the focus stays in
// the field, and what the arrows are at is its active descendant.  Pages and actions are in the page; views and sessions
// are looked up while somebody types, and appear below, so that nothing moves that was there.

const WAIT_MS = 150, ANSWER_MS = 10_000;
const KEYS = {
  ArrowDown: () => move(1),
  ArrowUp: () => move(-1),
  Home: () => at(visible()[0]),
  End: () => at(visible().at(-1)),
  Enter: (event) => choose(active(), event.ctrlKey || event.metaKey),
};

let dialog = null, field = null, list = null, foot = null, timer = 0, asked = 0;

/** Whenever it opens. */
export function begin(element) {
  if (!dialog) listen(element);
  forget();
  filter();
  look();
}

function listen(element) {
  dialog = element;
  field = dialog.querySelector("input");
  list = dialog.querySelector('[role="listbox"]');
  foot = dialog.querySelector(".palette-foot");
  field.addEventListener("input", onInput);
  field.addEventListener("keydown", onKey);
  list.addEventListener("click", (event) => choose(event.target.closest('[role="option"]'), event.ctrlKey || event.metaKey));
  list.addEventListener("pointermove", (event) => at(event.target.closest('[role="option"]'), false));
}

const options = () => [...list.querySelectorAll('[role="option"]')];
const visible = () => options().filter((option) => !option.hidden);
const active = () => list.querySelector('[aria-selected="true"]');

function at(option, scrolls = true) {
  if (!option || option === active()) return;
  active()?.setAttribute("aria-selected", "false");
  option.setAttribute("aria-selected", "true");
  field.setAttribute("aria-activedescendant", option.id);
  if (scrolls) option.scrollIntoView({ block: "nearest" });
}

function move(by) {
  const all = visible();
  if (all.length) at(all[(all.indexOf(active()) + by + all.length) % all.length]);
}

function onKey(event) {
  const action = KEYS[event.key];
  if (!action || event.isComposing || (["Home", "End"].includes(event.key) && field.value)) return;
  event.preventDefault();
  action(event);
}

function choose(option, elsewhere) {
  if (!option) return;
  const { href, press } = option.dataset;
  dialog.close();
  if (press) document.querySelector(press)?.click();
  else if (elsewhere) window.open(href, "_blank", "noopener");
  else location.assign(href);
}

// ---- what is listed ------------------------------------------------------------------------------------

function onInput() {
  filter();
  clearTimeout(timer);
  timer = setTimeout(look, WAIT_MS);
}

/** What is in the page is filtered here; what was looked up was found by more than its words. */
function filter() {
  const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const option of options()) {
    if ("found" in option.dataset) continue;
    const text = option.textContent.toLowerCase();
    option.hidden = !words.every((word) => text.includes(word));
  }
  settle();
}

function settle() {
  const all = visible();
  if (!all.includes(active())) {
    active()?.setAttribute("aria-selected", "false");
    field.removeAttribute("aria-activedescendant");
    at(all[0]);
  }
  foot.textContent = all.length ? `${all.length} to go to` : "Nothing is called that";
}

function forget() {
  for (const option of options()) if ("found" in option.dataset) option.remove();
}

async function look() {
  const mine = (asked += 1);
  try {
    const address = `${foot.dataset.address}?${new URLSearchParams({ q: field.value })}`;
    const answer = await fetch(address, { cache: "no-store", signal: AbortSignal.timeout(ANSWER_MS) });
    if (!answer.ok || answer.redirected) throw new Error(answer.status);
    const html = await answer.text();
    if (mine !== asked) return; // somebody has typed on
    forget();
    show(html);
    settle();
  } catch {
    if (mine === asked) foot.textContent = "Sessions could not be looked up: Watchfloor does not answer";
  }
}

function show(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  for (const option of template.content.querySelectorAll('[role="option"]')) option.dataset.found = "";
  list.append(template.content);
}
