"""Links as every surface spells them: objects in the body, and the `Link` header."""

from __future__ import annotations

import re

Link = dict[str, object]


def link(name: str, rel: str, href: str) -> Link:
    """One link object. It is templated if its href has a variable to fill in."""
    return {"name": name, "rel": rel, "href": href, "templated": "{" in href}


def respelt(links: list[Link], base: str, hrefs: str, foreign_origin: str) -> list[Link]:
    """Page links in one of the doubtful spellings; see `Modes.hrefs`."""
    paging = ("first", "last", "next", "prev")
    changed = []
    for item in links:
        href, rel = str(item["href"]), item["rel"]
        if hrefs == "amp":
            href = href.replace("&", "&amp;")
        elif hrefs == "foreign" and rel in paging:
            href = foreign_origin + href.removeprefix(base)
        elif hrefs == "templated" and rel == "next":
            href = re.sub(r"offset=\d+", "offset={offset}", href)
        changed.append(link(str(item["name"]), str(rel), href))
    return changed


def as_header(links: list[Link]) -> str:
    """The same links as the `Link` header spells them: no blank after a comma, `templated` a string."""
    return ",".join(
        f'<{item["href"]}>; rel="{item["rel"]}"; templated="{"true" if item["templated"] else "false"}"'
        for item in links
    )
