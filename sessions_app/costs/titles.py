"""Sessions by title without reading a million titles: the ledger knows how each begins, and which are the same."""

from collections.abc import Iterable
from itertools import batched

import numpy as np

from sessions_app.costs.columns import TITLE_BEGINS, Column, lowest
from sessions_app.costs.selection import Selection
from sessions_app.models import AgentSession

BYTES = 8 * len(TITLE_BEGINS)
"""Of a title, in whole numbers that have the order of its first letters."""
AT_ONCE = 20_000


def columns_of(titles: Iterable[str]) -> dict[str, Column]:
    """What the ledger keeps of these titles; upper and lower case are the same."""
    lowered = [title.lower() for title in titles]
    begins = b"".join(title.encode(errors="replace")[:BYTES].ljust(BYTES, b"\0") for title in lowered)
    signed = (np.frombuffer(begins, ">u8").astype("u8") ^ np.uint64(1 << 63)).view("i8")
    return {
        **dict(zip(TITLE_BEGINS, signed.reshape(-1, len(TITLE_BEGINS)).T, strict=True)),
        "title_same": np.array([hash(title) for title in lowered], "i8"),
    }


def by_title(chosen: Selection, begin: int, length: int, *, descending: bool) -> list[int]:
    """Primary keys from A to Z, equals by their keys in the same direction.

    Only titles that begin like those of the page are read, and of equal ones only one.
    """
    end = min(begin + length, chosen.sessions)
    if begin >= end:
        return []
    sign = -1 if descending else 1
    begins = [~chosen.column(name) if descending else chosen.column(name) for name in TITLE_BEGINS]
    found = lowest(begins, end)
    found = found[np.lexsort([column[found] for column in reversed(begins)])]
    like_the_first = np.logical_and.reduce([column[found] == column[found[begin]] for column in begins])
    before = int(np.argmax(like_the_first))
    near = found[before:]
    keys = chosen.column("pk")[near]
    order = np.lexsort((sign * keys, sign * _ranks(chosen.column("title_same")[near], keys)))
    page: list[int] = keys[order][begin - before : end - before].tolist()
    return page


def _ranks(same: Column, keys: Column) -> Column:
    """Of each session the place of its title among all of these titles."""
    _, first, which = np.unique(same, return_index=True, return_inverse=True)
    of_titles = keys[first].tolist()
    titles = dict[int, str]()
    for part in batched(of_titles, AT_ONCE, strict=False):
        titles |= dict(AgentSession.objects.filter(pk__in=part).values_list("pk", "title"))
    spelled = [titles[pk].lower() for pk in of_titles]
    ranks = np.empty(len(spelled), "i8")
    ranks[sorted(range(len(spelled)), key=spelled.__getitem__)] = np.arange(len(spelled))
    found: Column = ranks[which]
    return found
