// Parts that ask for news every few seconds ask for none while nobody sees them, and at once when somebody does again.

const POLLED = '[hx-trigger*="every"]';

export function start() {
  document.addEventListener("htmx:beforeRequest", onRequest);
  document.addEventListener("visibilitychange", onVisibility);
}

function onRequest(event) {
  const byItself = !event.detail.requestConfig.triggeringEvent;
  if (document.hidden && byItself && event.target.matches(POLLED)) event.preventDefault();
}

function onVisibility() {
  if (document.hidden) return;
  document.querySelectorAll(POLLED).forEach((part) => part.dispatchEvent(new Event("visible")));
}
