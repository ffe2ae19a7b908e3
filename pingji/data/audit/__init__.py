"""The audit: who did what, why, and where from; append-only, each entry chained to the one before by its hash."""

from pingji.data.audit.append import record
from pingji.data.audit.entry import DONE, REFUSED, Entry

__all__ = ["DONE", "REFUSED", "Entry", "record"]
