// Light, dark, or as the system has it.  Kept in a cookie, so that the server sends the page in the right colours.

const YEAR_S = 365 * 24 * 3600;

export function start() {
  for (const button of document.querySelectorAll("[data-set-theme]")) {
    button.addEventListener("click", () => choose(button.dataset.setTheme));
  }
}

function choose(theme) {
  document.cookie = `theme=${theme}; path=/; max-age=${theme ? YEAR_S : 0}; samesite=lax`;
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  for (const button of document.querySelectorAll("[data-set-theme]")) {
    button.setAttribute("aria-pressed", String(button.dataset.setTheme === theme));
  }
}
