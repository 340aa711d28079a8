"""A session's history as a drawing: cost and steps over time, in numbers that a template can print as SVG."""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple

from django.db.models import BigIntegerField, F, Max, Min, Value

from sessions_app.models import AgentSession, Snapshot
from sessions_app.rules.history import STATUS_OF_CODE, from_ms, to_ms

POINTS = 300
WIDTH, HEIGHT = 1000, 100
"""The drawing's own units; the page stretches it."""

PARTS = (
    ("browser", "browser_cost_microusd"),
    ("proxy", "proxy_cost_microusd"),
    ("llm", "llm_cost_microusd"),
)


class Point(NamedTuple):
    """One row of the table beside the drawing, with its place in the drawing."""

    at: datetime
    x: float
    status: str
    step_count: int
    llm_cost_microusd: int | None
    proxy_cost_microusd: int | None
    browser_cost_microusd: int | None
    total_cost_microusd: int | None


class Band(NamedTuple):
    """A stretch of time with one status."""

    x: float
    width: float
    status: str
    since: datetime


class Area(NamedTuple):
    """One part of the cost, stacked on the parts before it."""

    part: str
    path: str


class Curve(NamedTuple):
    """What the page draws.  Without costs `areas` is empty and every cost of a point is None."""

    points: tuple[Point, ...]
    bands: tuple[Band, ...]
    steps_line: str
    steps_top: int
    areas: tuple[Area, ...]
    total_line: str
    cost_top_microusd: int
    cap_y: float | None
    begins: datetime
    ends: datetime
    snapshots: int


def curve_of(session: AgentSession, now: datetime, *, with_costs: bool) -> Curve | None:
    """The curve from the session's snapshots, thinned to POINTS; None when there are none."""
    rows, count = _rows(session.pk)
    if not rows:
        return None
    begins, until = rows[0].at_ms, _until_ms(session, rows[-1].at_ms, now)
    points = tuple(_point(row, _x(row.at_ms, begins, until), with_costs) for row in rows)
    steps_top = max(1, *(point.step_count for point in points))
    cost_top = _cost_top(points, session.max_cost_microusd) if with_costs else 0
    return Curve(
        points=points,
        bands=tuple(_bands(points)),
        steps_line=_line([(point.x, _y(point.step_count, steps_top)) for point in points]),
        steps_top=steps_top,
        areas=tuple(_areas(points, cost_top)) if with_costs else (),
        total_line=_line([(p.x, _y(p.total_cost_microusd or 0, cost_top)) for p in points])
        if with_costs
        else "",
        cost_top_microusd=cost_top,
        cap_y=_cap_y(session.max_cost_microusd, cost_top) if with_costs else None,
        begins=points[0].at,
        ends=from_ms(until),
        snapshots=count,
    )


def _rows(session_id: int) -> tuple[list[Snapshot], int]:
    """The last snapshot of each of POINTS equal stretches of time, oldest first, and how many there are in all."""
    mine = Snapshot.objects.filter(session_id=session_id)
    reach = mine.aggregate(first=Min("at_ms"), last=Max("at_ms"))
    if reach["first"] is None:
        return [], 0
    stretch = (reach["last"] - reach["first"]) // (POINTS - 1) + 1
    place = (F("at_ms") - Value(reach["first"])) / Value(stretch)
    kept = mine.annotate(place=_integer(place)).values("place").annotate(at=Max("at_ms")).values_list("at")
    rows = list(mine.filter(at_ms__in=[at for (at,) in kept]).order_by("at_ms"))
    return rows, mine.count() if len(rows) > POINTS // 2 else len(rows)


def _integer(expression):
    expression.output_field = BigIntegerField()
    return expression


def _until_ms(session: AgentSession, last_ms: int, now: datetime) -> int:
    """Where the drawing ends: now while the session lives, else when it ended; never before the last snapshot."""
    end = now if session.is_live else session.ended_at or session.gone_at
    return max(last_ms, to_ms(end) if end else last_ms)


def _point(row: Snapshot, x: float, with_costs: bool) -> Point:
    costs = (
        (row.llm_cost_microusd, row.proxy_cost_microusd, row.browser_cost_microusd, row.total_cost_microusd)
        if with_costs
        else (None,) * 4
    )
    return Point(
        from_ms(row.at_ms), x, STATUS_OF_CODE.get(row.status_code, "unknown"), row.step_count, *costs
    )


def _x(at_ms: int, begins: int, until: int) -> float:
    return round((at_ms - begins) / max(1, until - begins) * WIDTH, 1)


def _y(value: int, top: int) -> float:
    """SVG counts downwards.  What is below zero (the vendor may correct a cost) lies on the ground."""
    return round(HEIGHT - max(0, value) / max(1, top) * HEIGHT, 1)


def _cost_top(points: Sequence[Point], cap: int | None) -> int:
    """The top of the scale: the cap too, once the spend has come near enough for it to mean something."""
    dearest = max(
        [_stacked(point) for point in points] + [point.total_cost_microusd or 0 for point in points]
    )
    top = max(1, dearest)
    return max(top, cap) if cap and cap < 3 * top else top


def _stacked(point: Point) -> int:
    return sum(max(0, getattr(point, field) or 0) for _, field in PARTS)


def _cap_y(cap: int | None, top: int) -> float | None:
    return _y(cap, top) if cap and 0 < cap <= top else None


def _areas(points: Sequence[Point], top: int) -> list[Area]:
    areas, ground = [], [0] * len(points)
    for part, field in PARTS:
        ceiling = [low + max(0, getattr(p, field) or 0) for low, p in zip(ground, points, strict=True)]
        if any(high > low for low, high in zip(ground, ceiling, strict=True)):
            upper = _corners([(p.x, _y(high, top)) for p, high in zip(points, ceiling, strict=True)])
            lower = _corners([(p.x, _y(low, top)) for p, low in zip(points, ground, strict=True)])
            areas.append(Area(part, "M" + " L".join(f"{x} {y}" for x, y in upper + lower[::-1]) + "Z"))
        ground = ceiling
    return areas


def _line(corners: Sequence[tuple[float, float]]) -> str:
    return "M" + " L".join(f"{x} {y}" for x, y in _corners(corners))


def _corners(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """A staircase: a value holds until the next one is seen, and the last one to the edge."""
    corners = [points[0]]
    for (_, before), (x, y) in pairwise(points):
        corners += [(x, before), (x, y)] if y != before else [(x, y)]
    return [*corners, (WIDTH, points[-1][1])]


def _bands(points: Sequence[Point]) -> list[Band]:
    edges = [
        point for index, point in enumerate(points) if index == 0 or point.status != points[index - 1].status
    ]
    rights = [point.x for point in edges[1:]] + [WIDTH]
    return [
        Band(edge.x, round(right - edge.x, 1), edge.status, edge.at)
        for edge, right in zip(edges, rights, strict=True)
    ]
