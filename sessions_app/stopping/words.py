"""What people read about how a stop ended."""

from sessions_app.models import StopRequest
from sessions_app.rules.stopping import Reading, State, Stop
from sessions_app.types import FINAL_STATUSES, Status, Strategy

BY_HAND = "Stop it by hand in the vendor's console, or ask again."


def words_for(stop: StopRequest, known: Stop, state: State, reading: Reading | None) -> str:
    """One or two sentences; empty while the stop is open."""
    match state:
        case State.CONFIRMED:
            return f"Read twice, at least five seconds apart: {_how_it_is(reading)}."
        case State.MOOT:
            return f"Nothing was sent: {_how_it_is(reading)} already."
        case State.CANCELLED:
            return "Not sent: before Browser Use could be reached, another task had begun. Ask again to stop that one."
        case State.FAILED:
            return f"{_why_it_failed(stop, known, reading)} {BY_HAND}"
        case _:
            return ""


def _how_it_is(reading: Reading | None) -> str:
    if reading is None or reading.gone:
        return "the session is gone"
    if reading.status in FINAL_STATUSES:
        return f"the session is {reading.status.replace('_', ' ')}"
    return "the session is idle" if reading.status == Status.IDLE else "that task is over, another one runs"


def _why_it_failed(stop: StopRequest, known: Stop, reading: Reading | None) -> str:
    last = stop.attempts.order_by("-number").values_list("detail", flat=True).first() or ""
    if not known.sends:
        return f"Could not be sent for ten minutes. {last}".strip()
    if reading is None:
        return "Sent, but for ten minutes nobody could read what came of it."
    what = "the task" if stop.strategy == Strategy.TASK else "the session"
    return f"Ten minutes after the click {what} still goes on ({reading.status[:40]})."
