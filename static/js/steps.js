// The list of steps goes with the film: the step of the picture that is shown is marked and brought into sight,
// within its list alone, and without taking the focus.  An older step brings its page of the list.

const PATIENCE_MS = 400;
let shown = null, fetching = 0;

export function start() {
  document.addEventListener("film:shown", (event) => { shown = event.detail; mark(true); });
  document.addEventListener("film:closed", () => { shown = null; clearTimeout(fetching); mark(false); newest(); });
  document.addEventListener("panel:swapped", (event) => event.target.dataset.panel === "timeline" && mark(false));
  document.addEventListener("htmx:afterSettle", (event) => event.target.id === "panel-timeline" && mark(true));
}

const list = () => document.querySelector("#panel-timeline .events");

function mark(seek) {
  const all = [...document.querySelectorAll("#panel-timeline [data-step]")];
  const one = shown && all.find((each) => Number(each.dataset.step) <= shown.step);
  for (const each of all) each.toggleAttribute("data-shown", each === one);
  clearTimeout(fetching);
  if (!shown || !seek) return;
  // One that is newer than all of an older page, or older than all of this one, is on another page.
  const isHere = one && (one !== all[0] || Number(one.dataset.step) === shown.step || !isOlderPage());
  if (isHere) intoSight(one);
  else if (all.length) fetching = setTimeout(fetchPage, PATIENCE_MS, shown);
}

const isOlderPage = () => document.querySelector('#panel-timeline > [value="timeline:*"]') !== null;

function intoSight(line) {
  const box = list(), above = line.offsetTop - box.offsetTop - box.scrollTop;
  if (above < 0 || above + line.offsetHeight > box.clientHeight) box.scrollTop += above - box.clientHeight / 3;
}

let last = null;

function fetchPage({ at, step }) {
  if (last === step) return; // it is on no page: nothing was read of it
  last = step;
  load(`&before=${at + 1}`);
}

function newest() {
  last = null;
  if (isOlderPage()) load("");
}

function load(more) {
  const address = `${location.pathname}?panel=timeline${more}`;
  window.htmx.ajax("GET", address, { target: "#panel-timeline", swap: "outerHTML" });
}
