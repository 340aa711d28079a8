"""What trying a key says to people."""

from sessions_app.access.key_check import Opened
from sessions_app.templatetags.floor import count, money
from sessions_app.upstream.errors import NotSent, PaymentRequired, TimedOut, Unauthorized, UpstreamError


def failed(error: UpstreamError) -> str:
    """What went wrong, and what to do: in whole sentences, though the vendor's own words may not end in a stop."""
    return f"{error.words.rstrip().removesuffix('.')}. {_advice(error)}"


def _advice(error: UpstreamError) -> str:
    match error:
        case Unauthorized():
            return "Make a key in the project’s settings at Browser Use Cloud, and copy it in full."
        case PaymentRequired():
            return "Add credits, or raise the key’s spend limit, at Browser Use Cloud."
        case TimedOut() | NotSent():
            return "Is the address right, and can this machine reach it? Then try again; nothing was changed."
    return "Check the address, then try again; nothing was changed."


def opened(found: Opened) -> str:
    """This key sees project “X”, balance $12.30, 42 sessions."""
    project = f"project “{found.project_name or found.project_id}”" if found.project_id else "its project"
    parts = [f"This key sees {project}"]
    if found.balance_microusd is not None:
        parts.append(f"balance {money(found.balance_microusd)}")
    if found.sessions is not None:
        parts.append(f"{count(found.sessions)} session{'' if found.sessions == 1 else 's'}")
    return ", ".join(parts) + "."
