"""The arithmetic of offset paging, apart from how a surface spells it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Page:
    """One window over a list of `total` rows; its properties are the offsets of the neighbouring windows."""

    total: int
    limit: int
    offset: int

    @property
    def last(self) -> int:
        """Offset of the last page that starts on a multiple of `limit`: 815 rows by 50 end at 800."""
        return (self.total - 1) // self.limit * self.limit if self.total else 0

    @property
    def next(self) -> int | None:
        """Offset of the following page, or None where no row follows."""
        following = self.offset + self.limit
        return following if following < self.total else None

    @property
    def previous(self) -> int | None:
        """Offset of the page before, or None on the first."""
        return max(0, self.offset - self.limit) if self.offset else None
