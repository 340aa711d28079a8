// A pinned session: its live view, in a frame that is loaded once and touched by nothing but its end, "Reload" or, where
// nothing came at all, its host's recovery.
// The states are those of the session page (frame.js); here there are several, and nobody drives.

import { answers, apology, PROBE_MS, Retries, soon } from "./host.js";

const PATIENCE_MS = 10_000, APOLOGY_MS = 2_000;

const WORDS = {
  loading: "Opening the live view…",
  live: "Live",
  dead: "Does not answer: last picture",
  blocked: "Blocked: not on LIVE_VIEW_ORIGINS",
  none: "No live view: last picture",
  ended: "Ended: last picture",
};

export class Pin {
  constructor(uuid, title) {
    this.uuid = uuid;
    this.title = title;
    this.element = document.getElementById("pin-template").content.firstElementChild.cloneNode(true);
    this.element.dataset.pinned = uuid;
    const link = this.part("title");
    Object.assign(link, { href: `/sessions/${uuid}/`, textContent: title });
    this.element.setAttribute("aria-label", `Watching ${title}`);
    this.part("unpin").setAttribute("aria-label", `Stop watching ${title}`);
    this.part("reload").setAttribute("aria-label", `Reload the view of ${title}`);
    this.retries = new Retries();
    this.part("reload").addEventListener("click", () => this.reload());
    this.onViolation = (event) => this.blockedBy(event);
    document.addEventListener("securitypolicyviolation", this.onViolation);
    this.timer = setInterval(() => this.look(), PROBE_MS);
  }

  part(name) {
    return this.element.querySelector(`[data-pin-${name}]`);
  }

  get state() {
    return this.element.dataset.state;
  }

  get address() {
    return `/sessions/${this.uuid}/live/`;
  }

  become(state, words = WORDS[state]) {
    if (this.state === "loading") this.came = state === "live";
    this.element.dataset.state = state;
    Object.assign(this.part("state"), { textContent: words, title: words }); // a small tile cuts long words
    this.part("reload").hidden = ["loading", "ended"].includes(state);
  }

  reload() {
    this.retries.forget();
    return this.load();
  }

  /** Asks for the frame anew. */
  async load() {
    this.become("loading");
    this.frame = null;
    try {
      const answer = await fetch(this.address, { headers: { "HX-Request": "true" }, cache: "no-store" });
      if (!answer.ok || answer.redirected) throw new Error(answer.status);
      const slot = this.part("slot");
      slot.innerHTML = await answer.text();
      this.adopt(slot.querySelector("iframe"), slot);
    } catch {
      this.become("dead");
    }
  }

  adopt(frame, slot) {
    this.frame = frame;
    if (!frame) {
      this.become("none", slot.textContent.trim() || WORDS.none);
      return slot.replaceChildren();
    }
    setTimeout(() => this.frame === frame && this.state === "loading" && this.become("dead"), PATIENCE_MS);
    frame.addEventListener("load", () => this.loaded(frame));
    return undefined;
  }

  /** A load event comes for the browser's own error page, too, and for the host's: so both are asked. */
  async loaded(frame) {
    const told = apology(this.address);
    told.then((look) => look && frame === this.frame && this.apologise(look));
    const [isThere] = await Promise.all([answers(frame), soon(told, APOLOGY_MS)]);
    if (frame === this.frame && this.state === "loading") this.become(isThere ? "live" : "dead");
  }

  apologise({ state, why }) {
    if (!["loading", "live"].includes(this.state)) return;
    this.came = false;
    this.become(state, state === "dead" ? `Answers ${why}: last picture` : `Blocked by its host: ${why}`);
  }

  async look() {
    const frame = this.frame;
    if (document.hidden || !["live", "dead", "none"].includes(this.state)) return;
    if (!this.came) return this.tryAgain(frame);
    const isThere = await answers(frame);
    const next = isThere ? "live" : "dead";
    if (frame === this.frame && ["live", "dead"].includes(this.state) && next !== this.state) this.become(next);
  }

  async tryAgain(missed) {
    const isTime = await this.retries.isTime(missed, this.address);
    if (isTime && missed === this.frame && ["dead", "none"].includes(this.state)) this.load();
  }

  /** What was refused is told by its origin: after a redirect that is none of our frames', and meant is one that loads. */
  blockedBy(event) {
    if (event.effectiveDirective !== "frame-src" || !this.frame || this.state !== "loading") return;
    const refused = originOf(event.blockedURI);
    const origins = [...document.querySelectorAll("iframe")].map((frame) => originOf(frame.src));
    if (refused === originOf(this.frame.src) || !origins.includes(refused)) this.become("blocked");
  }

  /** The last picture stands behind the frame, as the session's tile has it. */
  picture(address) {
    const image = this.part("picture");
    if (address && image.getAttribute("src") !== address) image.src = address;
    image.hidden = !image.getAttribute("src");
  }

  end() {
    this.frame?.remove();
    this.frame = null;
    this.become("ended");
  }

  remove() {
    clearInterval(this.timer);
    document.removeEventListener("securitypolicyviolation", this.onViolation);
    this.frame = null;
    this.element.remove();
  }
}

function originOf(address) {
  try { return new URL(address).origin; } catch { return ""; }
}
