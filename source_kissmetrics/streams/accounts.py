"""Stream `accounts`."""

from source_kissmetrics.core_api import CoreList


class Accounts(CoreList):
    """Accounts of the token's owner, canceled ones included; the product filter does not touch them.

    docs/wire-kissmetrics.md, Account [R].
    """

    name = "accounts"
    primary_key = ("id",)
    cursor_field = "updated_at"
    path = "/core/accounts"
