"""Bills and card receipts and the books, for one company: each once, under its vendor, with its document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date

from attrs import frozen
from sqlalchemy import select
from sqlalchemy.orm import Session, undefer

from host_app import models
from host_app.access import Access
from host_app.outcomes import Done, carried_out
from xerosync import Bill, BillFile, BillLine, BillPayment, CardSpend, Payables, Plan, PostedBill
from xerosync.models import Account, AccountCode, LineAmountTypes


@frozen(repr=False)
class Paying:
    """The payables of *company*; made by `paying`, which gives the client back."""

    access: Access
    company: models.Company
    purchases: Payables

    def categories(self) -> Sequence[Account]:
        """The expense accounts that the user may choose from, by code."""
        return self.purchases.import_accounts()

    def send(self, paper_id: str) -> Done:
        """
        Bring one bill or receipt into Xero, then its document.

        The paper was saved before, so nothing is lost where Xero is away: send it again. Sent twice, it is posted once.
        """
        with Session(self.access.engine) as session:
            everything = select(models.Paper).filter_by(id=paper_id).options(undefer(models.Paper.document))
            paper = session.scalars(everything).one()
        done = carried_out(self.purchases, lambda: self._plan(paper))
        if done.report.unfinished or (done.findings and not done.report.results):
            return done
        if paper.document:
            file = BillFile(bill_id=paper.id, name=paper.file_name, content=paper.document)
            attached = carried_out(self.purchases, lambda: self.purchases.attach([file]))
            done = Done(done.report, (*done.findings, *attached.findings))
        with Session(self.access.engine) as session, session.begin():
            session.get_one(models.Paper, paper_id).is_in_xero = True
        return done

    def pay(self, paper: models.Paper, on: date) -> Done:
        """Pay what is due on a bill, from the payment account."""
        payment = BillPayment(id=f"payment of {paper.id}", bill_id=paper.id, on=on)
        return carried_out(self.purchases, lambda: self.purchases.pay([payment]))

    def standing(self, papers: Sequence[models.Paper]) -> Mapping[str, PostedBill]:
        """How the bills among *papers* stand in Xero now, by their ids."""
        return {each.id: each for each in self.purchases.posted(paper.id for paper in papers if not paper.is_receipt)}

    def _plan(self, paper: models.Paper) -> Plan:
        if paper.is_receipt:
            return self.purchases.spend([_receipt(paper, self.company)])
        return self.purchases.submit([_bill(paper)])


@contextmanager
def paying(access: Access, company: models.Company) -> Iterator[Paying]:
    """The payables of *company*, paid from the account it has chosen."""
    with access.xero_of(company.id) as xero:
        yield Paying(access, company, Payables(xero, payment_account=company.payment_account or None))


def _line(paper: models.Paper) -> BillLine:
    return BillLine(description=paper.description, amount=paper.amount, account=AccountCode(paper.account))


def _bill(paper: models.Paper) -> Bill:
    return Bill(
        id=paper.id,
        vendor=paper.vendor,
        number=paper.number,
        on=paper.on,
        due=paper.due,
        amounts=LineAmountTypes.INCLUSIVE,
        lines=[_line(paper)],
    )


def _receipt(paper: models.Paper, company: models.Company) -> CardSpend:
    return CardSpend(
        id=paper.id,
        vendor=paper.vendor,
        on=paper.on,
        account=company.payment_account,
        reference=paper.number,
        amounts=LineAmountTypes.INCLUSIVE,
        lines=[_line(paper)],
    )
