"""The page behind a `liveUrl`: the agent's browser, moving. Self-contained, and content with a sandboxed frame."""

from typing import Any

from . import pictures
from .canvas import HEIGHT, WIDTH
from .model import FINAL, Task


def state(task: Task | None, step: int, status: str) -> dict[str, Any]:
    """What the page asks for once a second."""
    shown = pictures.view(task, step, cursor=False)
    x, y = pictures.focus(shown)
    return {
        "status": status, "ended": status in FINAL, "step": step, "summary": shown.summary,
        "cursor": {"x": x / WIDTH, "y": y / HEIGHT},
    }  # fmt: skip


def refused() -> bytes:
    return _REFUSED.encode()


def page() -> bytes:
    return _PAGE.encode()


_REFUSED = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Live view</title>
<style>body{margin:0;height:100vh;display:grid;place-items:center;background:#14181d;color:#c9d1d9;font:16px system-ui,sans-serif}</style>
<p>This live view is not open to you.</p></html>"""

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Live view</title>
<link rel="icon" href="data:,">
<style>
  html, body { margin: 0; height: 100%; background: #14181d; color: #e6edf3; font: 14px system-ui, sans-serif; overflow: hidden }
  #fit { height: 100%; display: grid; place-items: center }
  #screen { position: relative; width: min(100vw, 160vh); aspect-ratio: 16 / 10; background: #fff; overflow: hidden; cursor: crosshair }
  #screen img { position: absolute; inset: 0; width: 100%; height: 100%; opacity: 0; transition: opacity .25s }
  #screen img.shown { opacity: 1 }
  #pointer { position: absolute; left: 50%; top: 50%; width: 22px; height: 30px; margin: -1px; pointer-events: none;
             transition: left .9s cubic-bezier(.3, .1, .2, 1), top .9s cubic-bezier(.3, .1, .2, 1);
             filter: drop-shadow(0 1px 2px rgb(0 0 0 / .45)) }
  .ripple { position: absolute; width: 44px; height: 44px; margin: -22px; border: 3px solid #ff8a1e; border-radius: 50%;
            pointer-events: none; animation: ripple .7s ease-out forwards }
  @keyframes ripple { from { transform: scale(.2); opacity: 1 } to { transform: scale(1.1); opacity: 0 } }
  #word { position: absolute; inset: auto 0 0; padding: 10px 14px; background: rgb(16 20 25 / .82); color: #fff }
  #word[hidden] { display: none }
  @media (prefers-reduced-motion: reduce) { #pointer, #screen img { transition: none } .ripple { display: none } }
</style>
<div id="fit"><div id="screen">
  <img alt=""><img alt="">
  <svg id="pointer" viewBox="0 0 18 28" aria-hidden="true">
    <path d="M1 1v22l5-5 4 9 4-2-4-8h7z" fill="#15151a" stroke="#fff" stroke-width="1.6"/>
  </svg>
  <div id="word" role="status" hidden></div>
</div></div>
<script>
  "use strict";
  const token = new URLSearchParams(location.search).get("token") || "";
  const room = location.pathname.replace(/[/]$/, "");
  const address = (rest) => room + "/" + rest + "?token=" + encodeURIComponent(token);
  const screen_ = document.getElementById("screen"), pointer = document.getElementById("pointer"), word = document.getElementById("word");
  const images = screen_.querySelectorAll("img");
  let front = 0, seen = -1, failures = 0;

  function say(text) { word.hidden = !text; word.textContent = text || ""; }

  function ripple(x, y) {
    const ring = document.createElement("div");
    ring.className = "ripple";
    ring.style.left = x * 100 + "%";
    ring.style.top = y * 100 + "%";
    ring.addEventListener("animationend", () => ring.remove());
    setTimeout(() => ring.remove(), 1500);
    screen_.append(ring);
  }

  async function show(now) {
    const back = images[1 - front];
    back.src = address("frame/" + now.step);
    await back.decode();
    images[front].classList.remove("shown");
    back.classList.add("shown");
    front = 1 - front;
    pointer.style.left = now.cursor.x * 100 + "%";
    pointer.style.top = now.cursor.y * 100 + "%";
    if (/^(Clicking|Opening|Submitting|Accepting)/.test(now.summary)) setTimeout(ripple, 950, now.cursor.x, now.cursor.y);
  }

  // A person's hand is never quite still; this makes it visible that the view is alive between two steps.
  function drift() {
    pointer.style.transform = "translate(" + (Math.random() * 6 - 3) + "px," + (Math.random() * 6 - 3) + "px)";
  }

  async function look() {
    try {
      const answer = await fetch(address("state"), { cache: "no-store" });
      if (!answer.ok) throw new Error(answer.status);
      const now = await answer.json();
      if (now.step !== seen) { await show(now); seen = now.step; }
      failures = 0;
      say(now.ended ? "This session has ended." : now.status === "idle" ? "Waiting for a task" : now.status === "created" ? "Starting the browser" : "");
      if (now.ended) { pointer.remove(); return; }
      if (now.status === "running") drift();
    } catch (error) {
      failures += 1;
      if (failures > 2) say("Connection lost. Trying again.");
    }
    setTimeout(look, Math.min(1000 * 2 ** Math.max(0, failures - 1), 15000));
  }

  screen_.addEventListener("click", (event) => {
    const box = screen_.getBoundingClientRect();
    ripple((event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
  });
  look();
</script>
</html>"""
