"""What no source could prove about Xero, as named choices; the default is the one that is harder on a client."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP
from typing import Literal

from attrs import frozen


@frozen(kw_only=True)
class Switches:
    """
    How the simulator behaves where the facts are open. Each field names the fact it stands for.

    Change one with ``attrs.evolve(Switches(), batch_is_atomic=True)`` to see whether a client bears the other way too.
    """

    refresh_in_grace: Literal["another", "same"] = "another"
    """F 1.18: a refresh token used again inside its 30 minutes gives another set, or the same new token."""
    refresh_grace_minutes: int = 30
    """F 1.17: how long a refresh token that was used can be used again; 0: never."""
    minute_window: Literal["rolling", "fixed"] = "rolling"
    """F 2.02."""
    concurrent_says_retry_after: bool = False
    """F 2.08: whether the refusal of a sixth call at a time carries Retry-After."""
    idempotency_keeps_refusals: bool = True
    """F 3.09: whether a 400 is remembered under its Idempotency-Key."""
    idempotency_sees_tenant: bool = False
    """F 3.07: whether the tenant header is part of "the same request"; else another tenant gets the first's answer."""
    idempotency_scope: Literal["app", "token"] = "app"
    """F 3.07: keys belong to the app, or die with the access token they came with."""
    duplicate_in_progress: Literal["refused", "same"] = "refused"
    """F 3.12: the same call again while the first is under way is a 409, or gets the first's answer."""
    page_past_end_keeps_counts: bool = True
    """F 4.09."""
    modified_since_includes_equal: bool = False
    """F 4.19: a change in the very second of If-Modified-Since is left out unless this is set."""
    unchanged_is_304: bool = False
    """F 4.20."""
    deleted_payments_are_listed: bool = True
    """F 4.25, 6.126."""
    batch_is_atomic: bool = False
    """F A.01: whether one bad element undoes the good ones of a refused batch."""
    line_faults_rise: bool = False
    """F 5.41: whether what is wrong with a line stands on its document too, as what is wrong with an account does."""
    unknown_tracking_is_refused: bool = True
    """F 6.171: whether a tracking option that is not there is refused, or dropped with a warning."""
    half_cent: Literal["up", "even"] = "up"
    """F 5.25."""
    number_free_after: Literal["never", "deleted", "voided"] = "deleted"
    """F 6.59: from which end on a PUT may take an invoice number again."""
    post_matches_bills: bool = True
    """F 6.60: whether a POST without id updates a bill of the same contact and number."""
    voided_keeps_amount_due: bool = False
    """F 6.77: whether reads of a voided document still show what was due; the reply to the voiding itself does."""
    payments_fire_webhooks: bool = False
    """F 7.14: whether a payment or an allocation fires an event of its invoice."""
    webhooks_are_late: bool = True
    """F 7.13: whether events come seconds to minutes after the change, and edits meanwhile are merged into one."""
    reconciled_payments_can_be_deleted: bool = False
    """F 6.124."""
    blanks_in_names: Literal["trimmed", "refused"] = "trimmed"
    """F 5.20."""
    part_paid_names_payment: bool = False
    """F 6.53, 6.66: how a change that part payment forbids is refused: by naming the payment, or the status."""
    approvals_are_submitted: bool = False
    """F 6.87: whether what an app makes as AUTHORISED comes back SUBMITTED, as for users who may not approve."""
    contact_tax_applies: bool = True
    """F 6.39: whether a line without TaxType takes the one that is set on the contact before its account's."""
    post_meets_archived_names: bool = True
    """F 6.32: whether a POST with the name of an archived contact means that one, and is refused, or a new one."""
    over_allocation_text: str | None = None
    """F 6.100: Xero's unknown words for an allocation of more than there is; None: our own."""
    reconciled_payment_text: str | None = None
    """F 6.124: Xero's unknown words for the removal of a reconciled payment; None: our own."""
    payment_takes_bank_amount: bool = True
    """F 6.115: whether a payment that is given says what it moves in the account's currency, or its rate alone."""
    payment_rate: Literal["document", "day"] = "document"
    """F 6.116: the rate of a foreign payment that says none is its document's, or that of the day."""
    zero_total_is_paid: bool = True
    """F 6.76."""
    embedded_contact_stamp_is_local: bool = True
    """F 5.12a: the stamp of a contact inside a document that is read is the organisation's local time."""
    not_found_is_html: bool = True
    """F 5.44, A.02: a 404 carries a line of HTML; else nothing at all."""
    wrong_verb_is_501: bool = False
    """F 5.47: a verb that a path does not know is refused as not implemented (F 2.16); else with 405."""
    attaching_moves_stamp: bool = False
    """F 6.189: whether a file that is attached moves the stamp of what it hangs on."""
    deleted_allocation_is_alone: bool = True
    """F 6.101: whether an allocation that was deleted is all of the answer, as specified; else one in a list."""

    @property
    def rounding(self) -> str:
        """The rounding of half cents, as `decimal` names it."""
        return ROUND_HALF_UP if self.half_cent == "up" else ROUND_HALF_EVEN
