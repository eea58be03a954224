"""The tables. A shelf is one kind of one organisation: its writers queue at its row, and it counts their commits."""

from __future__ import annotations

from attrs import astuple
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from xerosync.storage import Owner, Record
from xerosync.storage.rules import Holding, from_micros, to_micros


class Key(models.TextField):
    """A key sorts by code point, whatever language the database was made for. SQLite does so by itself."""

    def db_parameters(self, connection: BaseDatabaseWrapper) -> dict[str, str | None]:
        """As every field has them, with the collation."""
        return {**super().db_parameters(connection), "collation": "C" if connection.vendor == "postgresql" else None}


class Shelf(models.Model):
    """One kind of records of one organisation; also one stream of events."""

    kind = models.TextField()
    tenant = models.TextField()
    latest = models.BigIntegerField(default=0)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["kind", "tenant"], name="books_shelf"),)


class Kept(models.Model):
    """One record."""

    shelf = models.ForeignKey(Shelf, on_delete=models.PROTECT, db_index=False)
    key = Key()
    body = models.TextField()
    state = models.TextField()
    due = models.BigIntegerField(null=True)
    lookups = models.JSONField()
    version = models.BigIntegerField()
    changed = models.BigIntegerField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["shelf", "key"], name="books_kept"),)
        indexes = tuple(models.Index(fields=["shelf", by], name=f"books_{by}") for by in ("changed", "due", "state"))

    @classmethod
    def row_of(cls, put: Record, shelf: Shelf, version: int) -> Kept:
        """The row of *put*, as its shelf's latest commit leaves it."""
        due = None if put.due is None else to_micros(put.due)
        return cls(
            shelf=shelf, key=put.key, body=put.body, state=put.state, due=due, lookups=put.lookups, version=version,
            changed=shelf.latest,
        )  # fmt: skip

    def record(self, kind: str, tenant: str) -> Record:
        """The record that this row keeps."""
        due = None if self.due is None else from_micros(self.due)
        lookups = tuple((name, value) for name, value in self.lookups)
        return Record(kind, tenant, self.key, self.body, self.state, due, lookups, self.version, self.changed)


class Lookup(models.Model):
    """One value that a record is found by."""

    shelf = models.ForeignKey(Shelf, on_delete=models.PROTECT, db_index=False)
    name = models.TextField()
    value = models.TextField()
    key = Key()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["shelf", "name", "value", "key"], name="books_lookup"),)


class Lease(models.Model):
    """One lease, which nobody has held yet while its epoch is 0."""

    name = models.TextField(primary_key=True)
    epoch = models.BigIntegerField(default=0)
    owner = models.JSONField(null=True)
    until = models.BigIntegerField(default=0)

    @property
    def holding(self) -> Holding | None:
        """What this row says of the lease."""
        owner = None if self.owner is None else Owner(*self.owner)
        return Holding(self.epoch, owner, from_micros(self.until)) if self.epoch else None

    def keep(self, granted: Holding) -> None:
        """Have the row say *granted*, and save it."""
        self.epoch, self.until = granted.epoch, to_micros(granted.until)
        self.owner = None if granted.owner is None else astuple(granted.owner)
        self.save()


class Told(models.Model):
    """One event."""

    stream = models.ForeignKey(Shelf, on_delete=models.PROTECT, db_index=False)
    number = models.BigIntegerField()
    at = models.BigIntegerField()
    name = models.TextField()
    body = models.TextField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["stream", "number"], name="books_told"),)
