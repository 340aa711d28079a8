// A slot (slots.js) over plain HTTP, anywhere but on this machine: there browsers have no locks.

const RENEW_MS = 4_000, STALE_MS = 12_000; // of a tab that died nobody hears again
const CLASH_MS = 150;

/** The tab's name and the time in the storage that tabs share; who finds another name there a moment later lost. */
export async function lease(name) {
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
