"""Profiles and workspaces: the names behind the UUIDs."""

from typing import Any

from .dice import Dice, key_of

_PROFILES = (
    ("Procurement", "ops-procurement"), ("Accounts payable", "ops-ap"), ("Returns desk", "cust-4471"), ("Fernwood partner", "cust-4502"),
    ("Marketing reports", "ops-marketing"), ("Alder & Co", "cust-4519"), ("Night shift", "ops-night"), ("Pinewell Ltd", "cust-4533"),
    ("Travel desk", "ops-travel"), ("Research", None), ("Saltmarsh Dairy", "cust-4560"), ("QA sandbox", None),
)  # fmt: skip
_WORKSPACES = ("Finance", "Supply chain", "Market watch", "Customer care", "Public records")
_DAY = 86_400_000


def profiles_of(seed: int, start: int) -> list[dict[str, Any]]:
    """Raw profiles: id, name, userId, created and last used in milliseconds."""
    return [
        {
            "id": Dice(key_of(seed, "profile", name)).uuid(), "name": name, "userId": user,
            "created_ms": start - (200 - 9 * number) * _DAY, "used_ms": start - (number * number + 1) * 3_600_000,
        }
        for number, (name, user) in enumerate(_PROFILES)
    ]  # fmt: skip


def workspaces_of(seed: int, start: int) -> list[dict[str, Any]]:
    return [
        {
            "id": Dice(key_of(seed, "workspace", name)).uuid(),
            "name": name,
            "created_ms": start - (150 - 20 * number) * _DAY,
        }
        for number, name in enumerate(_WORKSPACES)
    ]
