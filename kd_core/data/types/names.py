"""What a column's name suggests about its role."""

from __future__ import annotations

import re

_SPLIT = re.compile(r"[^0-9A-Za-z]+|(?<=[a-z0-9])(?=[A-Z])")
_ID_WORDS = frozenset({"id", "ids", "uuid", "guid", "key", "no", "nr", "instant", "index", "rownum", "rowid"})
_CODE_WORDS = frozenset({"code", "zip", "zipcode", "postcode", "postal", "sku", "isbn", "ean", "barcode"})
_OWNERS = frozenset(
    {
        "invoice",
        "order",
        "session",
        "customer",
        "user",
        "person",
        "client",
        "patient",
        "account",
        "visitor",
        "query",
        "group",
        "basket",
        "household",
        "device",
    }
)
_LATER = frozenset(
    {
        "duration",
        "elapsed",
        "lasted",
        "ended",
        "finished",
        "completed",
        "closed",
        "resolved",
        "refund",
        "refunded",
        "returned",
        "cancelled",
        "canceled",
        "delivered",
        "settled",
        "final",
        "actual",
    }
)
_EARLIER = frozenset({"previous", "prev", "prior", "last", "past", "planned", "expected", "scheduled"})
_TARGET_WORDS = ("target", "label", "y", "class", "outcome", "response")
_GOALS = frozenset(
    {
        "revenue",
        "purchase",
        "purchased",
        "bought",
        "converted",
        "conversion",
        "churn",
        "churned",
        "exited",
        "default",
        "fraud",
        "clicked",
        "returned",
        "recommended",
        "survived",
        "cnt",
        "count",
        "price",
        "sales",
        "rating",
    }
)


def words(name: str) -> list[str]:
    """Split a name into lower-case words. Example: `Delivery_person_ID` -> delivery, person, id."""
    return [w.lower() for w in _SPLIT.split(name) if w]


def id_like_name(name: str) -> bool:
    """Say whether a name such as `CustomerID`, `order_no` or `instant` names an identifier."""
    found = words(name)
    return bool(found) and (found[-1] in _ID_WORDS or found[0] in {"id", "uuid"})


def code_like_name(name: str) -> bool:
    """Say whether a name such as `zip_code` or `SKU` names a code."""
    found = words(name)
    return bool(found) and found[-1] in _CODE_WORDS


def owner_like_name(name: str) -> bool:
    """Say whether a name suggests that rows with one value belong together (`InvoiceNo`, `session`)."""
    found = words(name)
    return bool(_OWNERS & set(found)) or found in (["id"], ["uuid"], ["key"])


def target_rank(name: str) -> int | None:
    """Rank a name that says target, such as `label` or `order_class`: 0 is the plainest; None for other names."""
    found = words(name)
    return _TARGET_WORDS.index(found[-1]) if found and found[-1] in _TARGET_WORDS else None


def goal_like_name(name: str) -> bool:
    """Say whether a name such as `Revenue` or `churned` is often, but not always, what people predict."""
    return bool(_GOALS & set(words(name)))


def later_like_name(name: str) -> bool:
    """Say whether a name such as `duration` or `closed_at` suggests a value that is known only afterwards."""
    found = set(words(name))
    return bool(_LATER & found) and not _EARLIER & found
