// How events reach this page: by a stream of its own while the browser has a connection to spare, else by the one that
// all pages without one share (`share.js`).  One's own is better: nobody else's coming and going interrupts it.

import { openSlot } from "./slots.js";

/**
 * Opens a line for `ask`: {ticket, since (the id of the last event heard, or ""), names (of events), heard(name, data,
 * id), broken()}.  Gives {readyState (as an EventSource has it), close()}; null when there is no way.
 */
export async function openLine(ask) {
  const release = await openSlot();
  if (release) return own(ask, release);
  const sharing = await import("./share.js").catch(() => null);
  return sharing?.join(ask) ?? null;
}

/** `asks` are {ticket, since}: one for each page that hears by this stream. */
export function addressOf(asks) {
  return `/live/stream?${asks.map(({ ticket, since }) => `ticket=${encodeURIComponent(ticket)}&since=${since}`).join("&")}`;
}

function own(ask, release) {
  const source = new EventSource(addressOf([ask]));
  for (const name of ask.names) {
    source.addEventListener(name, (event) => ask.heard(name, event.data, Number(event.lastEventId)));
  }
  source.onerror = () => ask.broken();
  return {
    get readyState() { return source.readyState; },
    close() { source.close(); release(); },
  };
}
