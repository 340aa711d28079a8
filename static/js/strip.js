// The strip of pictures: however long the film, only those in sight are on the page.  What is not known yet is
// fetched a stretch at a time; new ones come with the panel, and never move what somebody looks at.

import { refresh } from "./time.js";

const STRETCH = 60, BEYOND = 4, WIDTH_REM = 9.25;
const known = new Map(); // place → <li>
const asked = new Set(); // first places of stretches that are under way

let strip, scroll, list, total = 0, tab = -1, drawing = 0;

export function start() {
  strip = document.querySelector("[data-strip]");
  if (!strip) return false;
  scroll = strip.querySelector("[data-strip-scroll]");
  list = strip.querySelector("[data-film]");
  scroll.addEventListener("scroll", later, { passive: true });
  new ResizeObserver(later).observe(scroll);
  return true;
}

export const count = () => total;
export const element = () => strip;
export const at = (place) => known.get(place)?.querySelector("a") ?? null;
const width = () => WIDTH_REM * parseFloat(getComputedStyle(document.documentElement).fontSize);

/** Takes the pictures over that a panel holds.  Says how many have come at the end. */
export function adopt(root) {
  const stretch = root.querySelector("[data-stretch]");
  const before = total;
  if (!stretch) return 0;
  const items = [...stretch.children];
  // Old pictures are thrown away in time, and then every place is another one.
  if (items.some((item) => differs(item))) known.clear();
  total = Number(stretch.dataset.total);
  for (const item of items) if (!known.has(place(item))) known.set(place(item), item);
  refresh(stretch);
  stretch.replaceChildren();
  strip.hidden = total === 0;
  list.style.width = `${total * width()}px`;
  draw();
  return Math.max(0, total - before);
}

const place = (item) => Number(item.dataset.place);
const keyOf = (item) => item?.querySelector("a").dataset.key;

function differs(item) {
  const mine = known.get(place(item));
  return mine && keyOf(mine) !== keyOf(item);
}

function later() {
  drawing ||= requestAnimationFrame(() => { drawing = 0; draw(); });
}

/** Puts the pictures in sight on the page, and takes the others off; the one with the focus stays. */
function draw() {
  const wide = width();
  const from = Math.max(0, Math.floor(scroll.scrollLeft / wide) - BEYOND);
  const until = Math.min(total - 1, Math.ceil((scroll.scrollLeft + scroll.clientWidth) / wide) + BEYOND);
  for (const item of [...list.children]) {
    const outside = place(item) < from || place(item) > until || known.get(place(item)) !== item;
    if (outside && !item.contains(document.activeElement)) item.remove();
  }
  for (let number = from; number <= until; number++) put(number, wide);
  tabStop();
}

function put(number, wide) {
  const item = known.get(number);
  if (!item) return void load(number);
  if (!item.isConnected) {
    const after = [...list.children].find((each) => place(each) > number);
    list.insertBefore(item, after ?? null);
  }
  item.style.left = `${number * wide}px`;
  item.setAttribute("aria-setsize", total);
}

/** Fetches the stretch that holds a place. */
async function load(number) {
  const first = number - (number % STRETCH);
  if (asked.has(first)) return;
  asked.add(first);
  try {
    await fetched({ first });
    draw();
  } catch { /* the next look at it asks again */ } finally {
    setTimeout(() => asked.delete(first), 2_000);
  }
}

/** The place of the picture of that step or moment; null when it cannot be had. */
export async function find(what) {
  if ("place" in what) {
    if (!known.has(what.place)) await fetched({ first: what.place - (what.place % STRETCH) }).catch(() => null);
    return known.has(what.place) ? what.place : null;
  }
  return (await fetched(what).catch(() => null))?.chosen ?? null;
}

async function fetched(what) {
  const answer = await fetch(`${strip.dataset.address}?${new URLSearchParams({ panel: "film", ...what })}`, { cache: "no-store" });
  if (!answer.ok || answer.redirected) throw new Error(answer.status);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const items = [...page.querySelectorAll("[data-stretch] > li")];
  const chosen = items.find((item) => item.querySelector("[aria-current]"));
  chosen?.querySelector("a").removeAttribute("aria-current");
  for (const item of items) if (!known.has(place(item))) known.set(place(item), document.adoptNode(item));
  items.forEach((item) => refresh(item));
  return { chosen: chosen ? place(chosen) : null };
}

/** The place under a pointer, as far as there are pictures. */
export function under(x) {
  const box = scroll.getBoundingClientRect();
  return Math.min(Math.max(Math.floor((x - box.left + scroll.scrollLeft) / width()), 0), total - 1);
}

export function toEnd() {
  scroll.scrollLeft = scroll.scrollWidth;
  draw();
}

export function isAtEnd() {
  return scroll.scrollWidth - scroll.scrollLeft - scroll.clientWidth < width();
}

export function intoSight(number) {
  const wide = width(), left = number * wide;
  if (left < scroll.scrollLeft) scroll.scrollLeft = left;
  else if (left + wide > scroll.scrollLeft + scroll.clientWidth) scroll.scrollLeft = left + wide - scroll.clientWidth;
  draw();
}

export function nudge(x) {
  const box = scroll.getBoundingClientRect();
  if (x < box.left + 24) scroll.scrollLeft -= width() / 2;
  else if (x > box.right - 24) scroll.scrollLeft += width() / 2;
}

/** Marks one as the chosen one (null: none), and makes it the one that Tab reaches. */
export function mark(number) {
  tab = number ?? total - 1;
  for (const [each, item] of known) {
    const link = item.querySelector("a");
    if (each === number) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
  tabStop();
}

function tabStop() {
  const shown = [...list.children];
  const one = shown.find((item) => place(item) === tab) ?? shown.at(-1);
  for (const item of shown) item.firstElementChild.tabIndex = item === one ? 0 : -1;
}
