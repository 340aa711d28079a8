// Says every moment on the page in the reader's words and zone, once a second, and ages the data.
// A page whose push or poller has died must not look current, so age is reckoned here, from nothing but a clock.

const SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR;
const MOMENTS = "time[data-relative], time[data-elapsed], time[data-clock]";

const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long" });
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
const toMinutes = new Intl.DateTimeFormat(undefined, { timeStyle: "short" }); // of what is to come nobody knows the second
const dayAndClock = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
const otherYear = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });

const skew = skewOfThisComputer();

/** Milliseconds since 1970 by the server's clock: a reader's clock may be minutes off. */
export function now() {
  return Date.now() - skew;
}

/** Says all moments below `root` at once, for whoever has just put something on the page. */
export function refresh(root = document) {
  const at = now();
  for (const element of root.querySelectorAll(MOMENTS)) say(element, at);
}

export function start() {
  tick();
  setInterval(tick, SECOND);
  document.addEventListener("visibilitychange", () => document.hidden || tick());
  document.addEventListener("htmx:afterSwap", (event) => refresh(event.target));
  document.addEventListener("floor:pulse", tick); // before it is painted: what is old must not flash as fresh
}

/** 72 s → "1 m 12 s", as the server says it. */
export function duration(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / SECOND));
  const minutes = Math.floor(seconds / 60), hours = Math.floor(minutes / 60), days = Math.floor(hours / 24);
  const two = (number) => String(number).padStart(2, "0");
  if (days) return `${days} d ${hours % 24} h`;
  if (hours) return `${hours} h ${two(minutes % 60)} m`;
  return minutes ? `${minutes} m ${two(seconds % 60)} s` : `${seconds} s`;
}

function tick() {
  if (document.hidden) return;
  refresh();
  age(document.getElementById("pulse"));
}

function say(element, at) {
  const moment = Date.parse(element.dateTime);
  if (Number.isNaN(moment)) return;
  const thisHour = Math.floor(at / HOUR);
  const isNews = element.saidFor !== element.dateTime;
  if ("clock" in element.dataset && !isNews && element.saidAt === thisHour) return;
  const text = textOf(element, moment, at);
  if (element.textContent !== text) element.textContent = text;
  element.saidAt = thisHour;
  if (!isNews) return;
  element.saidFor = element.dateTime;
  element.title = exact.format(moment);
}

function textOf(element, moment, at) {
  if (element.dataset.relative && moment < at) return "now"; // it was due
  if ("elapsed" in element.dataset) return duration(at - moment);
  return "clock" in element.dataset ? clockText(moment, at) : relativeText(moment - at);
}

function relativeText(difference) {
  const distance = Math.abs(difference);
  const words = (amount) => (difference > 0 ? `in ${amount}` : `${amount} ago`);
  if (distance < MINUTE) return difference > 0 ? words("a moment") : words(`${Math.floor(distance / SECOND)} s`);
  if (distance < HOUR) return words(`${Math.floor(distance / MINUTE)} min`);
  if (distance < DAY) return words(`${Math.floor(distance / HOUR)} h`);
  return words(`${Math.floor(distance / DAY)} d`);
}

function clockText(moment, at) {
  const then = new Date(moment), today = new Date(at);
  if (then.toDateString() === today.toDateString()) return (moment > at ? toMinutes : clock).format(moment);
  return then.getFullYear() === today.getFullYear() ? dayAndClock.format(moment) : otherYear.format(moment);
}

/** Marks the pulse of the floor as stale once its reading is older than the server calls fresh. */
function age(pulse) {
  if (!pulse) return;
  const readings = [pulse, ...pulse.querySelectorAll("[data-read-at]")];
  const oldest = Number(pulse.dataset.staleAfter) * SECOND;
  for (const reading of readings) {
    const old = now() - Date.parse(reading.dataset.readAt) > oldest;
    if (old && reading.dataset.state === "ok") reading.dataset.state = "stale";
  }
}

/** How far this computer's clock is ahead of the server's.  The answer's first byte is when both were "now". */
function skewOfThisComputer() {
  const server = Number(document.querySelector('meta[name="server-time"]')?.content) * SECOND;
  const opened = Date.now() - performance.now(); // `timeOrigin` knows nothing of a clock that was set since
  const answered = opened + (performance.getEntriesByType("navigation")[0]?.responseStart ?? 0);
  return server ? Math.round(answered - server) : 0;
}
