"""Values that conform to a JSON Schema, with a guess at meaning from the property's name."""

from typing import Any

from .dice import Dice

_WORDS = {
    "carrier": ("Northsea Lines", "Atlas Ocean", "Corvid Shipping", "Meridian Box"),
    "airline": ("Skylark", "Nordwind", "Air Cobalt"),
    "supplier": ("Osprey Tools", "Alder Chemicals", "Quarry Foods"),
    "company": ("Pinewell Ltd", "Cobalt Works", "Heron Print", "Saltmarsh Dairy"),
    "distributor": ("Partwell", "Delta Supply", "Orbit Parts"),
    "hotel": ("Station House", "Park Row", "Hotel Linden"),
    "product": ("Standing desk, oak", "Desk frame, black", "Cable tray"),
    "campaign": ("Spring-Brand", "Retarget-EU", "Search-Generic"),
    "currency": ("USD", "EUR", "GBP"),
    "status": ("open", "accepted", "waiting"),
    "label": ("order", "complaint", "invoice", "other"),
    "theme": ("delivery", "instructions", "noise"),
    "reason": ("freight billed twice", "tax rate", "quantity"),
    "town": ("Guelph", "Passau", "Lorient"),
    "name": ("Ada Holm", "Ben Ortiz", "Chloe Marsh"),
    "url": ("https://www.marlowfinch.example/p/4411", "https://www.marlowfinch.example/p/4527"),
    "website": ("https://pinewell.example/", "https://heronprint.example/"),
    "email": ("ana@pinewell.example", "desk@heronprint.example"),
    "date": ("2026-10-01", "2026-11-15"),
}
_MAX_DEPTH = 8


def conform(schema: Any, dice: Dice, name: str = "", root: Any = None, depth: int = 0) -> Any:
    """A value for `schema`; what the schema does not say is chosen by the property's `name`."""
    if not isinstance(schema, dict) or depth > _MAX_DEPTH:
        return None
    root = schema if root is None else root
    if "$ref" in schema:
        return conform(_referred(schema["$ref"], root), dice, name, root, depth + 1)
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return dice.pick(schema["enum"])
    for choice in ("anyOf", "oneOf", "allOf"):
        if schema.get(choice):
            return conform(schema[choice][0], dice, name, root, depth + 1)
    return _typed(schema, dice, name, root, depth)


def _typed(schema: dict[str, Any], dice: Dice, name: str, root: Any, depth: int) -> Any:
    kind = schema.get("type", "object" if "properties" in schema else "string")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        properties = schema.get("properties", {})
        return {key: conform(inner, dice, key, root, depth + 1) for key, inner in properties.items()}
    if kind == "array":
        low = schema.get("minItems", 3)
        count = min(max(low, dice.between(3, 6)), schema.get("maxItems", 50))
        return [conform(schema.get("items", {}), dice, name, root, depth + 1) for _ in range(count)]
    if kind in ("number", "integer"):
        return _number(schema, dice, whole=kind == "integer")
    return (
        {"boolean": dice.chance(0.7), "null": None}.get(kind, _text(schema, dice, name))
        if kind != "string"
        else _text(schema, dice, name)
    )


def _number(schema: dict[str, Any], dice: Dice, *, whole: bool) -> int | float:
    low = schema.get("minimum", 1)
    high = max(low, schema.get("maximum", low + 899))
    return dice.between(int(low), int(high)) if whole else round(low + (high - low) * dice.fraction(), 2)


def _text(schema: dict[str, Any], dice: Dice, name: str) -> str:
    lowered = (schema.get("format") or name).lower()
    lowered = {"uri": "url", "date-time": "date"}.get(lowered, lowered)
    for word, values in _WORDS.items():
        if word in lowered:
            return dice.pick(values)
    text = f"{name or 'item'} {dice.between(100, 999)}"
    return text.ljust(schema.get("minLength", 0), ".")[: schema.get("maxLength", 10_000)]


def _referred(reference: str, root: Any) -> Any:
    """`#/$defs/Offer` → that part of the root schema; anything else → nothing."""
    for part in reference.removeprefix("#/").split("/"):
        root = root.get(part, {}) if isinstance(root, dict) else {}
    return root
