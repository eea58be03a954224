"""Files on documents, as a step of their own: each once by its content, under a name that Xero takes (row 90)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, TypeAlias, cast

from attrs import define, evolve, field, frozen

from xerosync.client._books import Books
from xerosync.client._session import Query
from xerosync.client._wire.codec import decode
from xerosync.client.resources.file_names import safe_file_name
from xerosync.client.resources.files import LARGEST_FILE
from xerosync.engine.actions import Adopt, Pending
from xerosync.engine.intents import FILE_NOT_SENT, Intent, intent_key
from xerosync.engine.observed import intents_of, intents_with
from xerosync.engine.outcomes import finding_for
from xerosync.engine.paper_actions import CARD, Attach
from xerosync.engine.plans import Finding, Plan
from xerosync.engine.posted import USED_TWICE, Of, PostedDocument, posted_documents
from xerosync.engine.states import OPEN, State
from xerosync.errors import InvalidInput
from xerosync.mapping.spending import CardSpend
from xerosync.models import Attachment
from xerosync.texts import check_id

MOST_FILES: Final = 10
"""Files a document at most (F 6.186)."""


@frozen(kw_only=True, repr=False)
class BillFile:
    """
    A file of a bill, credit note or card receipt, which *bill_id*, the host's id, names.

    *content* is its bytes, or a function that gives them: it is asked when the plan is made, for their hash, and again
    when they are sent, so that thousands of files need no memory. *of*, `Bill` or `CardSpend`, says what the id is of,
    where a bill and a receipt may have the same.
    """

    bill_id: str
    name: str
    content: bytes | Callable[[], bytes]
    of: Of | None = None

    def __attrs_post_init__(self) -> None:
        if not isinstance(self.content, bytes) and not callable(self.content):
            raise InvalidInput("content", "give bytes, or a function that gives them")

    def read(self) -> bytes:
        """The bytes. Raises `InvalidInput` where the function gives something else, and whatever it raises itself."""
        given: object = self.content
        content = cast(Callable[[], object], given)() if callable(given) else given
        if not isinstance(content, bytes):
            raise InvalidInput("content", f"the function gave a {type(content).__name__}: let it give bytes")
        return content

    def __repr__(self) -> str:
        return f"<BillFile of {self.bill_id}>"


Place: TypeAlias = tuple[Of | None, str]


@frozen
class _Hashed:
    """A file with what is known of its content."""

    file: BillFile
    sha256: str
    size: int
    revision: int = 1

    @property
    def operation(self) -> Pending:
        """
        What attaching it is called: by its content, so that its name may change.

        A document that was put back lacks the files of what it took the place of: each is of its *revision* then.
        """
        prefix = CARD if self.file.of is CardSpend else ""
        return Pending(Attach.kind, f"{prefix}{self.file.bill_id}/{self.sha256[:32]}", self.revision)

    @property
    def place(self) -> Place:
        """What it is to be attached to."""
        return self.file.of, self.file.bill_id


async def attach(books: Books, files: Iterable[BillFile], *, retry_refused: bool) -> Plan:
    """Plan what *files* are not on their documents yet."""
    hashed: list[_Hashed] = []
    findings: list[Finding] = []
    for file in files:
        try:
            check_id("bill_id", file.bill_id)
            hashed.append(_hashed(file))
        except InvalidInput as error:
            findings.append(_unfit(file, str(error)))
        except Exception as error:  # noqa: BLE001 - whatever a host's own function raises is about its one file
            findings.append(_unfit(file, f"its content could not be read: {type(error).__name__}"))
    documents: dict[Place, PostedDocument] = {}
    for of in dict.fromkeys(each.file.of for each in hashed):
        ids = (each.file.bill_id for each in hashed if each.file.of is of)
        documents |= {(of, name): found for name, found in (await posted_documents(books, ids, of=of)).items()}
    hashed = [
        evolve(each, revision=documents[each.place].revision) if each.place in documents else each for each in hashed
    ]
    intents = await intents_of(books, (each.operation for each in hashed))
    undone = {
        each.place
        for each in hashed
        if (intent := intents.get(intent_key(books.tenant, each.operation))) is None
        or intent.state is not State.CONFIRMED
    }
    there = await _files(books, [documents[each] for each in documents if each in undone])
    new = [each for each in hashed if intent_key(books.tenant, each.operation) not in intents]
    same = await _same(books, new, documents, there)
    names = {xero_id: {(each.file_name or "").lower() for each in files} for xero_id, files in there.items()}
    attaching = _Attaching(books.tenant, documents, intents, names, same, retry_refused=retry_refused)
    for each in hashed:
        attaching.decide(each)
    return Plan(tenant=books.tenant, actions=tuple(attaching.actions), findings=(*findings, *attaching.findings))


def _hashed(file: BillFile) -> _Hashed:
    content = file.read()
    return _Hashed(file, hashlib.sha256(content).hexdigest(), len(content))


def _unfit(file: BillFile, cause: str) -> Finding:
    fix = "correct it, or make it readable, then attach it again"
    return Finding(code="cannot be attached", about=file.bill_id, cause=cause, fix=fix, retry=True)


async def _files(books: Books, documents: Iterable[PostedDocument]) -> dict[str, list[Attachment]]:
    """The files on each of *documents*; only those that have any are asked for."""
    files: dict[str, list[Attachment]] = {}
    asked: list[PostedDocument] = []
    for each in documents:
        files[each.xero_id] = []
        if each.document.has_attachments or await intents_with(books, lookup=("attached_to", each.xero_id)):
            asked.append(each)
    if asked:
        session = await books.session()
        pages = await session.read_all([Query(_path(each), "Attachments") for each in asked])
        for each, page in zip(asked, pages, strict=True):
            files[each.xero_id] = [decode(Attachment, row, where="Attachments") for row in page.rows]
    return files


def _path(document: PostedDocument) -> str:
    return f"{document.resource}/{document.xero_id}/Attachments"


async def _same(
    books: Books,
    new: Iterable[_Hashed],
    documents: Mapping[Place, PostedDocument],
    there: Mapping[str, Sequence[Attachment]],
) -> dict[Pending, str]:
    """Those of *new* files whose content is on their document already, each with the id it has there."""
    same: dict[Pending, str] = {}
    for each in new:
        document = documents.get(each.place)
        alike = there.get(document.xero_id, ()) if document is not None else ()
        for one in alike:
            if document is not None and one.content_length == each.size and one.attachment_id is not None:
                session = await books.session()
                place = f"{_path(document)}/{one.attachment_id}"
                kept = await session.fetch(place, accept="application/octet-stream", size=each.size)
                if hashlib.sha256(kept.body).hexdigest() == each.sha256:
                    same[each.operation] = one.attachment_id
    return same


@define(repr=False)
class _Attaching:
    tenant: str
    documents: Mapping[Place, PostedDocument]
    intents: Mapping[str, Intent]
    names: dict[str, set[str]]
    same: Mapping[Pending, str]
    retry_refused: bool = field(kw_only=True)
    actions: list[Attach | Adopt] = field(factory=list["Attach | Adopt"])
    findings: list[Finding] = field(factory=list[Finding])
    _planned: set[Pending] = field(factory=set[Pending])

    def decide(self, each: _Hashed) -> None:
        """Attach *each*, unless it is there, or cannot be."""
        document = self.documents.get(each.place)
        intent = next((one for one in self.intents.values() if one.operation == each.operation), None)
        if each.operation in self._planned or (intent is not None and intent.state is State.CONFIRMED):
            return
        if document is None:
            cause = "the library did not post its document"
            self._find(each, "not created here", cause, "submit the bill first", retry=True)
        elif document.is_one_of_two:
            self._find(each, *USED_TWICE)
        elif each.operation in self.same:
            self._adopt(each, document)
        elif intent is not None and intent.state not in OPEN and not self._again(intent):
            self.findings += filter(None, [finding_for(intent)])
        else:
            self._add(each, document)

    def _adopt(self, each: _Hashed, document: PostedDocument) -> None:
        self._planned.add(each.operation)
        self.actions.append(
            Adopt(
                host_ref=each.operation.host_ref,
                revision=each.revision,
                reason="a file of this content is on the document already",
                adopted_kind=Attach.kind,
                xero_id=self.same[each.operation],
                facts={"attached_to": document.xero_id},
            )
        )

    def _again(self, intent: Intent) -> bool:
        return intent.state is State.REJECTED and (self.retry_refused or intent.messages in FILE_NOT_SENT)

    def _add(self, each: _Hashed, document: PostedDocument) -> None:
        there = self.names[document.xero_id]
        try:
            name = free_name(safe_file_name(each.file.name), there)
        except InvalidInput as error:
            self._find(each, "cannot be attached", str(error), "give a file of another kind or name")
            return
        if not 0 < each.size <= LARGEST_FILE:
            cause = f"it has {each.size:,} bytes, and Xero takes 1 to {LARGEST_FILE:,} (F 6.186)"
            self._find(each, "cannot be attached", cause, "make it smaller")
            return
        if len(there) >= MOST_FILES:
            cause = f"its document has {MOST_FILES} files, and Xero takes no more (F 6.186)"
            self._find(each, "too many files", cause, "put several pages into one file, or leave it out")
            return
        there.add(name.lower())
        self._planned.add(each.operation)
        self.actions.append(
            Attach(
                host_ref=each.operation.host_ref,
                revision=each.revision,
                reason=f"not on the document yet, as {name}" if name != each.file.name else "not on the document yet",
                facts={"attached_to": document.xero_id},
                resource=document.resource,
                document=document.xero_id,
                file_name=name,
                sha256=each.sha256,
                size=each.size,
                content=each.file.read,
            )
        )

    def _find(self, each: _Hashed, code: str, cause: str, fix: str, *, retry: bool = False) -> None:
        self.findings.append(Finding(code=code, about=each.file.bill_id, cause=cause, fix=fix, retry=retry))


def free_name(name: str, taken: set[str]) -> str:
    """*name*, numbered where a file of that name is there: Xero would put one in the other's place (F 6.187)."""
    stem, _, ending = name.rpartition(".")
    number, free = 1, name
    while free.lower() in taken:
        number += 1
        free = safe_file_name(f"{stem[:200]} ({number}).{ending}")
    return free
