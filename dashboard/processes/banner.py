"""What the newcomer's eye lands on, once the floor is up."""

from collections.abc import Sequence

from dashboard.processes.choices import Choices
from dashboard.processes.console import Console


def banner(console: Console, choices: Choices, sign_in: Sequence[str], took_s: float) -> str:
    """Address, sign-in, data, source, how to stop; framed."""
    bold = 1
    title = f"Watchfloor is up in {took_s:.1f} s"
    rows = [("", console.paint(bold, title)), ("Open", console.paint(bold, choices.address + "/"))]
    rows += _labelled("Sign in", sign_in)
    rows += _labelled("Sessions", _source(choices))
    rows += [("Data", str(choices.data_dir)), ("Stop", "Ctrl-C")]
    rule = "─" * 78
    body = [f"  {console.paint(2, label.ljust(10))}{text}" for label, text in rows]
    return "\n".join(["", console.paint(32, rule), *body, console.paint(32, rule), ""])


def _source(choices: Choices) -> list[str]:
    if not choices.simulator:
        return ["from Browser Use Cloud"]
    return [
        "from the built-in simulator: nothing is real, nothing costs money",
        "for your own: BROWSER_USE_API_KEY=bu_… make run",
    ]


def _labelled(label: str, lines: Sequence[str]) -> list[tuple[str, str]]:
    return [(label if number == 0 else "", line) for number, line in enumerate(lines)]
