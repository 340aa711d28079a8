// A worker that all pages of this browser share: one event stream for those that have none of their own.
//
// The address names every page's ticket; before events for another page than the last one the server says `view` {n},
// that page's place in the address.  A page that comes has the stream opened anew, one that goes is only forgotten.

import { addressOf } from "./line.js";

const FOR_ALL = new Set(["ping", "pulse"]); // told once, for whoever shares the stream
const MOST_PAGES = 12; // as the server has it
const MOST_CHARS = 7_000; // of the address: proxies take eight thousand
const GATHER_MS = 50; // a browser that starts brings all of its pages at once
const SILENCE_MS = 40_000; // a page that crashed says no farewell

const pages = new Map(); // port → {ticket, since, names, seenAt}
let source = null;
let opening = 0; // timer

onconnect = ({ ports: [port] }) => {
  port.onmessage = ({ data }) => ACTS[data.act](port, data);
};

const ACTS = {
  join(port, { ticket, since, names }) {
    pages.set(port, { ticket, since, names, seenAt: Date.now() });
    clearTimeout(opening);
    opening = setTimeout(open, GATHER_MS);
  },
  here(port) {
    const page = pages.get(port);
    if (page) page.seenAt = Date.now();
  },
  leave(port) {
    pages.delete(port);
    if (!pages.size) hangUp();
  },
};

function hangUp() {
  source?.close();
  source = null;
}

function open() {
  hangUp();
  const seats = seated();
  if (!seats.length) return;
  const mine = (source = new EventSource(addressOf(seats.map((port) => pages.get(port)))));
  let current = seats[0];
  mine.onopen = () => { current = seats[0]; };
  mine.onerror = () => seats.forEach((port) => tell(port, {}));
  mine.addEventListener("view", ({ data }) => { current = seats[JSON.parse(data).n]; });
  for (const name of new Set(seats.flatMap((port) => pages.get(port).names))) {
    mine.addEventListener(name, ({ data, lastEventId }) => {
      for (const port of FOR_ALL.has(name) ? seats : [current]) tell(port, { name, data, id: Number(lastEventId) });
    });
  }
}

/** Those that have room in the address, by place.  The others are told that they have no line. */
function seated() {
  const seats = [];
  let room = MOST_CHARS;
  for (const [port, page] of pages) {
    if (Date.now() - page.seenAt > SILENCE_MS) {
      pages.delete(port);
      continue;
    }
    room -= addressOf([page]).length;
    if (room >= 0 && seats.length < MOST_PAGES) seats.push(port);
    else port.postMessage({ readyState: EventSource.CLOSED });
  }
  return seats;
}

function tell(port, message) {
  const page = pages.get(port);
  if (!page) return; // left
  if (message.id) page.since = message.id;
  port.postMessage({ ...message, readyState: source.readyState });
}
