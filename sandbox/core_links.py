"""The links of the Core API: the directory of what exists, and what each row and each page points to.

Names, rels and their order are the recorded ones where there is a recording, else the documented ones. Child
lists of a product were never recorded with rows; they follow the recorded child list of an account.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sandbox.links import Link, link
from sandbox.paging import Page
from sandbox.rows import Row


def _of_account(row: Row, base: str) -> list[Link]:
    href = f"{base}/core/accounts/{row['id']}"
    return [link("Self", "self", href), link("Products", "products", f"{href}/products")]


def _of_product(row: Row, base: str) -> list[Link]:
    return _product_head(row, base) + [
        link(f"Product {child.title()}", child, f"{base}/core/products/{row['id']}/{child}")
        for child in ("reports", "metrics", "events", "properties")
    ]


def _of_account_product(row: Row, base: str) -> list[Link]:
    return _product_head(row, base) + [
        link(f"Product {child.title()}", f"product-{child}", f"{base}/core/products/{row['id']}/{child}")
        for child in ("reports", "events", "properties")
    ]


def _product_head(row: Row, base: str) -> list[Link]:
    return [
        link("Self", "self", f"{base}/core/products/{row['id']}"),
        link("Account", "account", f"{base}/core/accounts/{row['account_id']}"),
    ]


def _of_report(row: Row, base: str) -> list[Link]:
    links = [link("Self", "self", f"{base}/core/reports/{row['id']}")]
    if row["report_type"] == "people_search_v2":
        links.append(link("Run Report", "run", f"{base}/query/reports/{row['id']}/run"))
    return [
        *links,
        link("Product", "product", f"{base}/core/products/{row['product_id']}"),
        link("Account", "account", f"{base}/core/accounts/{row['account_id']}"),
    ]


def _of_event(row: Row, base: str) -> list[Link]:
    return _library_entry("events", row, base)


def _of_property(row: Row, base: str) -> list[Link]:
    return _library_entry("properties", row, base)


def _of_metric(row: Row, base: str) -> list[Link]:
    query = f"{base}/query/metrics/{row['id']}"
    return [
        *_library_entry("metrics", row, base),
        link("Metrics Over Time Query", "metric-over-time", f"{query}/over-time"),
        link("Metrics By Segment Query", "metric-by-segment", f"{query}/by-segment"),
    ]


def _library_entry(stream: str, row: Row, base: str) -> list[Link]:
    return [
        link("Self", "self", f"{base}/core/{stream}/{row['id']}"),
        link("Product", "product", f"{base}/core/products/{row['product_id']}"),
    ]


@dataclass(frozen=True)
class Listing:
    """One list of the Core API: where it lies, whose rows it shows and with which links.

    `parent` is the field by which a child list is filtered, e.g. `product_id`.
    """

    stream: str
    row_links: Callable[[Row, str], list[Link]]
    templates: tuple[tuple[str, str, str], ...] = ()
    parent: str | None = None

    def page_links(self, base: str, path: str, owner: str | None, page: Page, limit: int) -> list[Link]:
        """The links of one page. In a child list `self` has no query; the others repeat the owner in it.

        `limit` is the one to print, which a silently capped page does not keep.
        """
        scope = f"{self.parent}={owner}&" if self.parent else ""

        def at(offset: int) -> str:
            return f"{base}{path}?{scope}limit={limit}&offset={offset}"

        links = [link("Self", "self", f"{base}{path}" if self.parent else at(page.offset))]
        if self.parent:
            links.append(link("Canoncial", "canonical", f"{base}/core/{self.stream}"))  # the typo is theirs
        links += [link(name, rel, base + href) for name, rel, href in self.templates]
        links += [link("First", "first", at(0)), link("Last", "last", at(page.last))]
        if page.next is not None:
            links.append(link("Next", "next", at(page.next)))
        if page.previous is not None:
            links.append(link("Previous", "prev", at(page.previous)))
        return links


def _detail(name: str, stream: str) -> tuple[tuple[str, str, str], ...]:
    return ((f"{name} Detail", f"{name.lower()}-detail", f"/core/{stream}/{{{name.lower()}_id}}"),)


def _children(prefix: str, *children: str) -> tuple[tuple[str, str, str], ...]:
    path = "/core/products/{product_id}/"
    return tuple((f"Product {child.title()}", prefix + child, path + child) for child in children)


_CHILDREN = ("reports", "metrics", "events", "properties")
_REPORT, _METRIC = _detail("Report", "reports"), _detail("Metric", "metrics")
_EVENT, _PROPERTY = _detail("Event", "events"), _detail("Property", "properties")

LISTINGS = {
    "/core/accounts": Listing("accounts", _of_account),
    "/core/products": Listing("products", _of_product, _children("", *_CHILDREN)),
    "/core/reports": Listing("reports", _of_report, _REPORT),
    "/core/events": Listing("events", _of_event, _EVENT),
    "/core/properties": Listing("properties", _of_property, _PROPERTY),
    "/core/metrics": Listing("metrics", _of_metric, _METRIC),
    "/core/accounts/{owner}/products": Listing(
        "products",
        _of_account_product,
        _children("product-", "reports", "events", "properties"),
        "account_id",
    ),
    "/core/products/{owner}/reports": Listing("reports", _of_report, _REPORT, "product_id"),
    "/core/products/{owner}/metrics": Listing("metrics", _of_metric, _METRIC, "product_id"),
    "/core/products/{owner}/events": Listing("events", _of_event, _EVENT, "product_id"),
    "/core/products/{owner}/properties": Listing("properties", _of_property, _PROPERTY, "product_id"),
}


def directory(base: str) -> list[Link]:
    """What `/core` points to: every list, then every templated detail and child list."""
    names = ("accounts", "products", "reports", "events", "properties", "metrics")
    links = [link("Self", "self", f"{base}/core")]
    links += [link(name.title(), name, f"{base}/core/{name}") for name in names]
    links.append(link("Rels", "rels", f"{base}/core/rels"))
    for name in ("Account", "Product", "Report", "Event", "Property", "Metric"):
        stream = "properties" if name == "Property" else f"{name.lower()}s"
        links += [link(title, rel, base + href) for title, rel, href in _detail(name, stream)]
    links += [link(title, rel, base + href) for title, rel, href in _children("product-", *_CHILDREN)]
    return links
