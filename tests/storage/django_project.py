"""A Django project of the tests' own, set up in whatever process imports this."""

from __future__ import annotations

from functools import partial
from itertools import count
from typing import Final, TypeAlias

import django
from django.apps import apps
from django.conf import settings
from django.db import connections
from sqlalchemy import make_url

__all__ = ["DjangoStore", "elsewhere", "made", "opened", "postgresql", "sqlite"]

Database: TypeAlias = dict[str, str | dict[str, str | int]]

if not settings.configured:
    settings.configure(INSTALLED_APPS=["django_books"], DATABASES={"default": {}}, USE_TZ=True)
    django.setup()

from django_books.store import DjangoStore  # noqa: E402 (its tables are there once Django is set up)

_DATABASES: Final[dict[str, Database]] = {}
_ALIASES: Final = (f"books_{number}" for number in count())


def sqlite(path: str) -> Database:
    """The settings for a SQLite file. Writers must take turns from their first statement on, hence IMMEDIATE."""
    options: dict[str, str | int] = {"transaction_mode": "IMMEDIATE", "timeout": 60}
    return {"ENGINE": "django.db.backends.sqlite3", "NAME": path, "OPTIONS": options}


def postgresql(address: str) -> Database:
    """The settings for a PostgreSQL at *address*."""
    url = make_url(address)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": str(url.database),
        "USER": str(url.username),
        "HOST": str(url.query["host"]),
    }


def made(database: Database) -> DjangoStore:
    """A store in tables that are new in *database*, as ``migrate`` makes them."""
    store = opened(database)
    with connections[store.using].schema_editor() as editor:
        for model in apps.get_app_config("django_books").get_models():
            editor.create_model(model)
    return store


def opened(database: Database) -> DjangoStore:
    """A store in *database*, which Django knows from now on in this process."""
    alias = next(_ALIASES)
    connections.settings[alias] = connections.configure_settings({"default": {}, alias: database})[alias]
    _DATABASES[alias] = database
    return DjangoStore(alias)


def elsewhere(store: object) -> partial[DjangoStore]:
    """What opens the database of *store* in any process."""
    assert isinstance(store, DjangoStore)
    return partial(opened, _DATABASES[store.using])
