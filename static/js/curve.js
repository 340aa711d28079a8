// Scrubbing the curve, by pointer, touch or arrow keys: says what was so at that moment, and shows its picture.

import { refresh } from "./time.js";

const READS = ["at", "status", "steps", "total", "llm", "proxy", "browser"];
let usual = null;

export function start() {
  document.addEventListener("input", (event) => event.target.matches("[data-scrub]") && scrub(event.target, Number(event.target.value), true));
  document.addEventListener("pointermove", (event) => {
    const slider = event.target.closest?.("[data-scrub]");
    if (slider && event.pointerType === "mouse") scrub(slider, at(slider, event), false);
  });
  document.addEventListener("pointerout", (event) => event.target.matches?.("[data-scrub]") && rest(event.target));
  document.addEventListener("focusout", (event) => event.target.matches?.("[data-scrub]") && rest(event.target));
  document.addEventListener("panel:swapped", () => { usual = null; });
}

function at(slider, event) {
  const box = slider.getBoundingClientRect();
  return Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1) * 1000;
}

/** Shows the last point at or before `x`.  `chosen`: a person set it, so the film goes there too. */
function scrub(slider, x, chosen) {
  const figure = slider.closest("[data-curve]");
  const rows = [...figure.querySelectorAll("[data-points] tbody tr")];
  const row = rows.findLast((each) => Number(each.dataset.x) <= x) ?? rows[0];
  if (!row) return;
  usual ??= READS.map((name) => read(figure, name)?.innerHTML);
  const cells = [...row.cells];
  const values = { at: cells[0], steps: cells[2], total: cells[3], llm: cells[4], proxy: cells[5], browser: cells[6] };
  for (const [name, cell] of Object.entries(values)) {
    const place = read(figure, name);
    if (place && cell) place.innerHTML = cell.innerHTML;
  }
  refresh(figure);
  const cursor = figure.querySelector("[data-cursor]");
  cursor.setAttribute("d", `M${row.dataset.x} 0V100`);
  cursor.removeAttribute("hidden");
  slider.setAttribute("aria-valuetext", `${cells[0].textContent}, ${cells[1].textContent}, ${cells.slice(2).map((cell) => cell.textContent).join(", ")}`);
  if (chosen) document.dispatchEvent(new CustomEvent("session:scrub", { detail: { at: cells[0].querySelector("time")?.dateTime } }));
}

/** Back to how it is now. */
function rest(slider) {
  if (slider === document.activeElement && slider.matches(":focus-visible")) return;
  const figure = slider.closest("[data-curve]");
  READS.forEach((name, index) => {
    const place = read(figure, name);
    if (place && usual?.[index] !== undefined) place.innerHTML = usual[index];
  });
  usual = null;
  figure.querySelector("[data-cursor]").setAttribute("hidden", "");
}

function read(figure, name) {
  return figure.querySelector(`[data-read-${name}]`);
}
