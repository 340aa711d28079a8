// Says, beside the age of the data, how this page is kept current (stream.js does the keeping).

const WORDS = {
  live: ["live", "Changes appear by themselves, within a second or so."],
  polling: ["every 5 s", "The live connection does not open, so the page is fetched every five seconds."],
  paused: ["paused", "Nobody looks at this tab, so it does not ask for changes."],
  off: ["no connection", "Watchfloor does not answer. What you see may be old."],
};

export function start() {
  const place = document.getElementById("push");
  if (!place) return;
  document.addEventListener("push:state", (event) => say(place, event.detail.state));
}

function say(place, state) {
  const [words, title] = WORDS[state] ?? ["", ""];
  place.querySelector("span:last-child").textContent = words;
  place.title = title;
  place.hidden = !words;
}
