"""Goal 4: fifty rows, everything warm.

Against the naive floor as limits.md has it: the list without the ORM, every row from its template again.  Against a
hello: whole requests over HTTP and the CPU of the server's process; the hello is a signed-in view behind the product's own
middlewares on the product's own server.
"""

import http.client
from collections.abc import Iterator
from contextlib import ExitStack
from statistics import median

from django.template import engines

from bench.harness import ROUNDS, Row, below, medians, within
from bench.push_house import Furniture, Side, furnish, server
from sessions_app.models import AgentSession
from sessions_app.queries import rows as rendering
from sessions_app.types import Sight

SHOWN, LISTS, REQUESTS = 50, 20, 100
SIGHT = Sight(**dict.fromkeys(Sight._fields, True))


def rows(database: str) -> Iterator[Row]:
    given = furnish(SHOWN)
    yield _list_alone(given.sessions)
    with ExitStack() as stack:
        page, hello = _each(given, [stack.enter_context(server(kind)) for kind in ("page", "hello")])
    what = f"page of {SHOWN} rows over HTTP, a hello there {hello * 1e3:.2f} ms"
    yield within(4, what, f"{page * 1e3:.2f} ms CPU", page / hello, 2)


def _list_alone(sessions: list[AgentSession]) -> Row:
    """Seconds CPU of a list whose rows are kept, and of one that draws them."""
    template = engines["django"].from_string("{% for row in rows %}{{ row }}{% endfor %}")
    versions = {session.pk: session.version for session in sessions}
    whole = list(rendering._question().filter(pk__in=versions))

    def kept() -> None:
        for _ in range(LISTS):
            template.render({"rows": rendering.in_order(versions, SIGHT)})

    def naive() -> None:
        for _ in range(LISTS):
            template.render({"rows": [rendering.draw(session, SIGHT) for session in whole]})

    seconds = medians({"kept": kept, "naive": naive})
    each = {name: value / LISTS * 1e3 for name, value in seconds.items()}
    what = f"list of {SHOWN} rows without ORM, each row from its template {each['naive']:.1f} ms"
    return below(4, what, f"{each['kept']:.3f} ms CPU", each["naive"] / each["kept"], 30)


def _each(given: Furniture, sides: list[Side]) -> list[float]:
    """Seconds CPU of a request to each side, turn by turn; the first round warms up."""
    costs: list[list[float]] = [[] for _ in sides]
    for _ in range(ROUNDS + 1):
        for side, its in zip(sides, costs, strict=True):
            its.append(_asked(side, given) / REQUESTS)
    return [median(its[1:]) for its in costs]


def _asked(side: Side, given: Furniture) -> float:
    """CPU of the server while one browser asks over one connection, one request after the other."""
    connection = http.client.HTTPConnection("127.0.0.1", side.port, timeout=10)
    began = side.cpu_s()
    for _ in range(REQUESTS):
        connection.request("GET", "/", headers={"Cookie": f"sessionid={given.cookie}"})
        answer = connection.getresponse()
        assert answer.status == 200 and answer.read()
    connection.close()
    return side.cpu_s() - began
