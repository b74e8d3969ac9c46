"""What the saved people searches look for. The wire never shows it: only the columns of the results tell."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.rows import Row


@dataclass(frozen=True)
class Calculation:
    """One column of a search: of an event `times`, `first` or `last`, of a property `value`."""

    subject: str
    kind: str


@dataclass(frozen=True)
class Search:
    """People who sent one event in the window, and not another one."""

    name: str
    did: str
    did_not: str | None
    columns: tuple[Calculation, ...]


def _columns(*columns: str) -> tuple[Calculation, ...]:
    return tuple(Calculation(*column.rsplit(" ", 1)) for column in columns)


SEARCHES = (
    Search(
        "Signed up, not activated",
        "Signed Up",
        "Activated",
        _columns("Signed Up times", "Signed Up first", "Plan Name value", "Billing Plan value"),
    ),
    Search(
        "Added to cart, not checked out",
        "Added to Cart",
        "Finished Check Out",
        _columns("Added to Cart times", "Added to Cart last", "Visited Site times", "Plan Name value"),
    ),
    Search("Opened the app", "Opened App", None, _columns("Opened App times", "Opened App last")),
    Search(
        "Visitors and their tweets",
        "Visited Site",
        None,
        _columns("Visited Site times", "Tweet times", "Tweet last"),
    ),
    Search(
        "Opened the app, by plan",
        "Opened App",
        None,
        _columns("Opened App times", "Opened App first", "Opened App last", "Plan Name value", "Zip Code value"),
    ),
    Search(
        "Opened the app, by customer",
        "Opened App",
        None,
        _columns("Customer ID value", "Zip Code value", "Billing Plan value", "Opened App times", "Opened App first"),
    ),
    Search("Closed their account", "Closed Account", None, _columns("Closed Account times", "Closed Account last")),
)
"""In the order in which they are dealt to the reports. The last one never finds anybody."""

_BY_NAME = {search.name: search for search in SEARCHES}


def name_of(number: int) -> str:
    """The name of the `number`-th people search: the listed ones, then numbered rounds of them."""
    turn, place = divmod(number, len(SEARCHES))
    return f"{SEARCHES[place].name} № {turn + 1}" if turn else SEARCHES[place].name


def search_of(report: Row) -> Search:
    """The search that a report saves, by its name. A name that says nothing stands for the first."""
    return _BY_NAME.get(str(report.get("name")).split(" № ")[0], SEARCHES[0])
