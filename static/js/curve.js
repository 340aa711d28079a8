// Scrubbing the curve, by pointer, touch or arrow keys: says what was so at that moment, and shows its picture.
// The other way round, the curve's cursor stands where the picture was taken that is shown.

import { refresh } from "./time.js";

const READS = ["at", "steps", "total", "llm", "proxy", "browser"];
const CELLS = { at: 0, steps: 2, total: 3, llm: 4, proxy: 5, browser: 6 };
const WIDTH = 1000;
let usual = null, shownAt = null;

export function start() {
  document.addEventListener("input", (event) => event.target.matches("[data-scrub]") && chose(event.target));
  document.addEventListener("pointermove", (event) => {
    const slider = event.target.closest?.("[data-scrub]");
    if (slider && event.pointerType === "mouse" && !event.buttons) read(slider, under(slider, event));
  });
  document.addEventListener("pointerout", (event) => event.target.matches?.("[data-scrub]") && rest(event.target));
  document.addEventListener("focusout", (event) => event.target.matches?.("[data-scrub]") && rest(event.target));
  document.addEventListener("panel:swapped", () => { usual = null; stand(); });
  document.addEventListener("film:shown", (event) => { shownAt = event.detail.at; if (!event.detail.led) stand(); });
  document.addEventListener("film:closed", () => { shownAt = null; stand(); });
}

const figureOf = (slider) => slider.closest("[data-curve]");

function under(slider, event) {
  const box = slider.getBoundingClientRect();
  return Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1) * WIDTH;
}

/** A person set the slider, so the film goes there too. */
function chose(slider) {
  const { begins, ends } = reach(figureOf(slider)), x = Number(slider.value);
  read(slider, x);
  document.dispatchEvent(new CustomEvent("session:scrub", { detail: { at: Math.round(begins + (x / WIDTH) * (ends - begins)) } }));
}

const reach = (figure) => ({ begins: Date.parse(figure.dataset.begins), ends: Date.parse(figure.dataset.ends) });

/** Says the last point at or before `x`, and puts the cursor there. */
function read(slider, x) {
  const figure = figureOf(slider);
  const rows = [...figure.querySelectorAll("[data-points] tbody tr")];
  const row = rows.findLast((each) => Number(each.dataset.x) <= x) ?? rows[0];
  if (!row) return;
  const cells = [...row.cells];
  usual ??= READS.map((name) => place(figure, name)?.innerHTML);
  for (const [name, index] of Object.entries(CELLS)) {
    const there = place(figure, name);
    if (there && cells[index]) there.innerHTML = cells[index].innerHTML;
  }
  refresh(figure);
  const cursor = figure.querySelector("[data-cursor]");
  cursor.setAttribute("d", `M${Math.round(Math.max(x, Number(row.dataset.x)) * 10) / 10} 0V100`);
  cursor.removeAttribute("hidden");
  slider.setAttribute("aria-valuetext", `${cells[0].textContent}, ${cells[1].textContent}, ${cells.slice(2).map((cell) => cell.textContent).join(", ")}`);
}

/** The pointer or the focus has left: back to the picture that is shown, else to how it is now. */
function rest(slider) {
  if (slider === document.activeElement && slider.matches(":focus-visible")) return;
  stand();
}

function stand() {
  const slider = document.querySelector("[data-scrub]");
  if (!slider) return;
  const figure = figureOf(slider), { begins, ends } = reach(figure);
  if (shownAt !== null) {
    const x = Math.min(Math.max((shownAt - begins) / Math.max(1, ends - begins), 0), 1) * WIDTH;
    slider.value = x;
    return read(slider, x);
  }
  slider.value = WIDTH;
  READS.forEach((name, index) => {
    const there = place(figure, name);
    if (there && usual?.[index] !== undefined) there.innerHTML = usual[index];
  });
  usual = null;
  figure.querySelector("[data-cursor]").setAttribute("hidden", "");
  return undefined;
}

function place(figure, name) {
  return figure.querySelector(`[data-read-${name}]`);
}
