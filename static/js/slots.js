// A browser opens six HTTP/1.1 connections to a server, for all its tabs together: a seventh open stream would hang,
// and with it every other page of ours.  So three visible tabs have a stream of their own, and the others share one.
// HTTP/2 and later carry everything in one connection: there each of a wall of windows has its own.

const STREAMS = isMultiplexed() ? 32 : 3;
const RENEW_MS = 4_000, STALE_MS = 12_000; // of a tab that died nobody hears again
const CLASH_MS = 150;

/** A function that gives the slot back; null when all are taken. */
export async function openSlot() {
  for (let number = 0; number < STREAMS; number++) {
    const release = await (navigator.locks ? take : lease)(`watchfloor-stream-${number}`);
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

// ---- over plain HTTP, anywhere but on this machine, a browser has no locks -------------------------------

/** The tab's name and the time in the storage that tabs share; who finds another name there a moment later lost. */
async function lease(name) {
  const mine = crypto.getRandomValues(new Uint32Array(2)).join("-");
  try {
    if (holder(name)) return null;
    renew(name, mine);
    await new Promise((resolve) => setTimeout(resolve, CLASH_MS * (0.5 + Math.random())));
    if (holder(name) !== mine) return null;
  } catch {
    return () => {}; // storage is forbidden here
  }
  const timer = setInterval(() => renew(name, mine), RENEW_MS);
  return () => {
    clearInterval(timer);
    if (holder(name) === mine) localStorage.removeItem(name);
  };
}

function holder(name) {
  const [who, at] = (localStorage.getItem(name) ?? "").split(" ");
  return who && Date.now() - Number(at) < STALE_MS ? who : "";
}

function renew(name, mine) {
  localStorage.setItem(name, `${mine} ${Date.now()}`);
}
