// A browser opens six HTTP/1.1 connections to a server, for all its tabs together: a seventh open stream would hang,
// and with it every other page of ours.  So three visible tabs have a stream of their own, and the others share one.
// HTTP/2 and later carry everything in one connection: there each of a wall of windows has its own.

const STREAMS = isMultiplexed() ? 32 : 3;

/** A function that gives the slot back; null when all are taken. */
export async function openSlot() {
  const hold = navigator.locks ? take : (await import("./lease.js").catch(() => null))?.lease;
  if (!hold) return null;
  for (let number = 0; number < STREAMS; number++) {
    const release = await hold(`watchfloor-stream-${number}`);
    if (release) return release;
  }
  return null;
}

/** By what this page came over; a browser that does not tell is taken for one of the old kind. */
function isMultiplexed() {
  const [arrival] = performance.getEntriesByType("navigation");
  return /^h[23]/.test(arrival?.nextHopProtocol ?? "");
}

function take(name) {
  return new Promise((resolve) => {
    navigator.locks.request(name, { ifAvailable: true }, (lock) => {
      if (!lock) return resolve(null);
      return new Promise((release) => resolve(release));
    });
  });
}
