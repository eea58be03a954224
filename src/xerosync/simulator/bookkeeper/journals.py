"""Manual journals, by hand."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from xerosync.errors import InvalidInput
from xerosync.simulator.bookkeeper.reading import Reading
from xerosync.simulator.entities import ManualJournal
from xerosync.simulator.given import Given, Json
from xerosync.simulator.rules import documents, journals


class JournalWork(Reading):
    """Posting and voiding."""

    @property
    def manual_journals(self) -> tuple[ManualJournal, ...]:
        """All manual journals, of every status."""
        return tuple(self._books.manual_journals)

    def add_journal(
        self, narration: str, amounts: Mapping[str, Decimal], *, date: date | None = None, status: str = "POSTED"
    ) -> ManualJournal:
        """Post *amounts* by the codes of their accounts, debits positive; they must sum to zero."""
        lines: list[Json] = [{"AccountCode": code, "LineAmount": amount} for code, amount in amounts.items()]
        fields: dict[str, Json] = {
            "Narration": narration,
            "Date": (date or self.today).isoformat(),
            "Status": status,
            "JournalLines": lines,
        }
        wish = documents.Wish(self._books, Given(fields), documents.MANUAL_JOURNAL, "")
        return self._do(lambda: journals.create(wish))

    def void_journal(self, journal_id: str) -> ManualJournal:
        """Void a posted journal, or delete a draft."""
        journal = self._books.manual_journals.get(journal_id)
        if journal is None:
            raise InvalidInput("journal_id", "there is no such manual journal")
        given = Given({"Status": "VOIDED" if journal.status == "POSTED" else "DELETED"})
        wish = documents.Wish(self._books, given, documents.MANUAL_JOURNAL, "")
        return self._do(lambda: journals.update(wish, journal))
