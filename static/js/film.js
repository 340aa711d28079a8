// The film strip: a picture of it is shown large on the stage, over the live view, which runs on behind it.
// Click or touch a picture, walk with the arrow keys, Home and End; Escape goes back to now.

let screen, chosen = null;
const strip = () => document.querySelector("[data-film]");
const links = () => [...document.querySelectorAll("[data-film] a")];

export function start() {
  screen = document.querySelector("[data-film-screen]");
  if (!screen) return;
  document.addEventListener("click", onClick);
  document.addEventListener("keydown", onKey);
  document.addEventListener("session:scrub", (event) => showAt(event.detail.at));
  document.addEventListener("panel:swapped", (event) => event.target.dataset.panel === "film" && mark(!chosen));
  document.querySelector("[data-film-close]").addEventListener("click", close);
  mark(true);
}

function onClick(event) {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  const link = event.target.closest("[data-film] a");
  const mention = event.target.closest("[data-picture-at]");
  if (!link && !mention) return;
  if (mention && !showAt(mention.dataset.pictureAt)) return;
  event.preventDefault();
  if (link) show(link);
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (event.key === "Escape" && chosen) return close();
  const here = event.target.closest?.("[data-film] a");
  if (!here) return;
  const all = links(), index = all.indexOf(here);
  const next = { ArrowLeft: index - 1, ArrowRight: index + 1, Home: 0, End: all.length - 1 }[event.key];
  if (next === undefined || !all[next]) return;
  event.preventDefault();
  all[next].focus({ preventScroll: true });
  show(all[next]);
}

/** The last picture taken at or before a moment, if the strip reaches back so far. */
function showAt(moment) {
  const link = links().findLast((each) => Date.parse(each.dataset.at) <= Date.parse(moment)) ?? links()[0];
  if (link) show(link);
  return Boolean(link);
}

function show(link) {
  chosen = link.dataset.key;
  screen.querySelector("[data-film-picture]").src = link.href;
  const caption = screen.querySelector("[data-film-caption]");
  caption.replaceChildren(...[...link.querySelectorAll("span")].filter((span) => span.parentElement === link).map((span) => span.cloneNode(true)));
  screen.hidden = false;
  document.querySelector("[data-film-close]").hidden = false;
  mark(false);
}

function close() {
  chosen = null;
  screen.hidden = true;
  document.querySelector("[data-film-close]").hidden = true;
  mark(true);
  return undefined;
}

/** One picture of the strip is the tab stop: the chosen one, else the last.  `follow`: keep the newest in sight. */
function mark(follow) {
  const all = links();
  const current = all.find((link) => link.dataset.key === chosen) ?? (chosen ? null : all.at(-1));
  for (const link of all) {
    link.tabIndex = link === (current ?? all.at(-1)) ? 0 : -1;
    if (link.dataset.key === chosen) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
  if (follow && strip()) strip().scrollLeft = strip().scrollWidth;
  else if (current && strip()) scrollIntoStrip(current);
}

function scrollIntoStrip(link) {
  const box = link.parentElement, film = strip();
  const left = box.offsetLeft - film.offsetLeft;
  if (left < film.scrollLeft) film.scrollLeft = left;
  else if (left + box.offsetWidth > film.scrollLeft + film.clientWidth) film.scrollLeft = left + box.offsetWidth - film.clientWidth;
}
