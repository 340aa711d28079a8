// Another page of the floor, or other filters, fetched into this one: nothing that stands above the rows is touched.

import * as stream from "./stream.js";
import * as time from "./time.js";

const SWAPPED = [".floor-head h1", ".filters", '.floor-head [aria-label="View"]', "#floor-part"];

export async function goTo(address) {
  try {
    const answer = await fetch(address, { cache: "no-store" });
    if (!answer.ok || answer.redirected) throw new Error(answer.status);
    show(new DOMParser().parseFromString(await answer.text(), "text/html"), address);
  } catch {
    location.assign(address);
  }
}

function show(fresh, address) {
  const name = document.activeElement?.closest(".filters") ? document.activeElement.name : "";
  const view = document.querySelector(".rows")?.dataset.view;
  for (const part of SWAPPED) {
    const here = document.querySelector(part), there = fresh.querySelector(part);
    if (!here || !there) continue;
    here.replaceWith(there);
    window.htmx?.process(there);
    time.refresh(there);
  }
  const rows = document.querySelector(".rows");
  if (rows && view) rows.dataset.view = view;
  const match = 'button[name="match"]';
  const button = document.querySelector(`#selection ${match}`), other = fresh.querySelector(`#selection ${match}`);
  if (button && other) Object.assign(button, { value: other.value, textContent: other.textContent });
  document.getElementById("new").hidden = true;
  if (address !== location.href) history.pushState(null, "", address);
  if (name) document.querySelector(`.filters [name="${name}"]`)?.focus();
  document.dispatchEvent(new CustomEvent("floor:renewed"));
  stream.follow(fresh.body.dataset.streamTicket);
}
