// Selecting rows: a press on a box, Shift+press for a range, X and Shift+X for the row that has the focus.
// The boxes belong to the form #selection, which says what can be done with them (templates/_selection.html).

import { isTyping } from "./keys.js";

const BOX = '.row-pick input[type="checkbox"]';
let form = null;
let last = null; // the box that was changed last: where a range begins

export function start() {
  form = document.getElementById("selection");
  if (!form) return;
  document.addEventListener("click", onClick);
  document.addEventListener("keydown", onKey);
  document.addEventListener("change", (event) => event.target.matches?.(BOX) && show());
  form.addEventListener("reset", () => setTimeout(() => { leave(); show(); }));
  form.querySelector("[data-select-page]").addEventListener("click", () => { tick(boxes(), true); show(); });
  form.querySelector("[data-copy-selected]").addEventListener("click", copy);
  show(); // a page that was come back to has its boxes as they were
}

const boxes = () => [...document.querySelectorAll(BOX)];
const ticked = () => boxes().filter((box) => box.checked);
const boxOf = (row) => row?.querySelector(BOX);

function tick(some, checked) {
  for (const box of some) box.checked = checked;
}

function onClick(event) {
  const box = event.target.closest?.(BOX);
  if (!box) return;
  if (event.shiftKey) range(box);
  last = box;
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  if (document.querySelector("dialog[open]")) return;
  if (event.key === "Escape" && ticked().length) form.reset();
  if (event.key !== "x" && event.key !== "X") return;
  const box = boxOf(document.activeElement.closest(".row"));
  if (!box) return;
  event.preventDefault();
  if (event.shiftKey) range(box, true);
  else box.checked = !box.checked;
  last = box;
  show();
}

/** All between the last one and this, as the last one is. */
function range(box, ticks = box.checked) {
  const all = boxes();
  const ends = [all.indexOf(last?.isConnected ? last : box), all.indexOf(box)].sort((a, b) => a - b);
  tick(all.slice(ends[0], ends[1] + 1), ticks);
}

function leave() {
  const picking = document.getElementById("picking");
  if (picking) picking.checked = false;
  last = null;
}

function show() {
  const number = ticked().length;
  const words = `${number} selected`;
  form.querySelector("[data-count-of]").textContent = words;
  const say = form.querySelector("[data-say]");
  if (say.textContent !== words) say.textContent = words;
  for (const button of form.querySelectorAll("[data-needs-selection]")) button.disabled = number === 0;
}

async function copy(event) {
  const button = event.currentTarget;
  const words = button.lastChild;
  try {
    await navigator.clipboard.writeText(ticked().map((box) => box.value).join("\n"));
    words.textContent = " Copied";
  } catch {
    words.textContent = " Not allowed here";
  }
  setTimeout(() => { words.textContent = " Copy ids"; }, 1500);
}
