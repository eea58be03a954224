"""An app that keeps what xerosync must not lose in the tables of a Django project."""
