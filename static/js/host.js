// What a frame does not tell its page: whether anything answers at its host, and what.  For frame.js and pin.js.

const PROBE_PATIENCE_MS = 5_000;
export const PROBE_MS = 20_000;

/** Whether anything answers at the frame's host.  Asked without its path, which is the credential. */
export async function answers(frame) {
  try {
    await fetch(new URL("/", frame.src), {
      mode: "no-cors", credentials: "omit", cache: "no-store", referrerPolicy: "no-referrer",
      signal: AbortSignal.timeout(PROBE_PATIENCE_MS),
    });
    return true;
  } catch {
    return false;
  }
}

/** What Watchfloor was answered there: `{state, why}`, where it knows that the frame shows the browser's own apology. */
export async function apology(liveAddress) {
  try {
    const answer = await fetch(`${liveAddress}look/?page=${encodeURIComponent(location.origin)}`, {
      cache: "no-store", signal: AbortSignal.timeout(PROBE_PATIENCE_MS),
    });
    const look = await answer.json();
    return ["blocked", "dead"].includes(look.state) ? look : null;
  } catch {
    return null;
  }
}

/** `promise`, or null if it takes longer. */
export const soon = (promise, ms) => Promise.race([promise, new Promise((done) => setTimeout(done, ms, null))]);

/** Tries of one view that did not come, each twice as long after the one before: one that loads in vain is not loaded for ever. */
export class Retries {
  #count = 0;
  #notBefore = 0;

  forget() {
    this.#count = this.#notBefore = 0;
  }

  /** Whether it should be loaded once more: its host is there (no frame, no host), and Watchfloor sees no apology in its place. */
  async isTime(frame, liveAddress) {
    if (Date.now() < this.#notBefore) return false;
    const [isThere, sorry] = await Promise.all([frame ? answers(frame) : true, apology(liveAddress)]);
    if (!isThere || sorry) return false;
    this.#count += 1;
    this.#notBefore = Date.now() + PROBE_MS * 2 ** this.#count;
    return true;
  }
}
