// A browser opens six HTTP/1.1 connections to a server, for all its tabs together: a seventh open stream would hang,
// and with it every other page of ours.  So the visible tabs share four; the others fetch the page now and then.

const STREAMS = 4;

/** A function that gives the slot back; null when all are taken. */
export async function openSlot() {
  if (!navigator.locks) return () => {}; // over plain HTTP, anywhere but on this machine
  for (let number = 0; number < STREAMS; number++) {
    const release = await take(`watchfloor-stream-${number}`);
    if (release) return release;
  }
  return null;
}

function take(name) {
  return new Promise((resolve) => {
    navigator.locks.request(name, { ifAvailable: true }, (lock) => {
      if (!lock) return resolve(null);
      return new Promise((release) => resolve(release));
    });
  });
}
