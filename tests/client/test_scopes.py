"""The least granular scopes for what an app does, and what a consent lacks (F 1.44–1.49, 8.08)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xerosync import Tokens
from xerosync.client.scopes import FEATURES, broad_scopes, explained_scopes, missing_scopes, scopes_for
from xerosync.errors import InvalidInput
from xerosync.simulator.scopes import unassigned

SOME = st.lists(st.sampled_from(sorted(FEATURES)), min_size=1, max_size=5)


def tokens(*scopes: str, custom: bool = False) -> Tokens:
    kind = "client_credentials" if custom else "authorization_code"
    return Tokens("access", "refresh", datetime(2026, 1, 5, tzinfo=UTC), scopes, kind)  # type: ignore[arg-type]


def test_a_product_that_collects_money_asks_for_four_scopes_and_to_stay_connected() -> None:
    """F 1.49."""
    assert set(scopes_for("receivables")) == {
        "offline_access",
        "accounting.contacts",
        "accounting.invoices",
        "accounting.payments",
        "accounting.settings.read",
    }
    assert set(scopes_for("payables")) - set(scopes_for("receivables")) == {"accounting.attachments"}


def test_a_scope_that_writes_replaces_the_one_that_reads() -> None:
    both = scopes_for("read only", "receivables", "account set-up")

    assert "accounting.settings" in both
    assert not {"accounting.settings.read", "accounting.contacts.read", "accounting.invoices.read"} & set(both)
    assert "accounting.banktransactions.read" in both


def test_reading_alone_asks_for_nothing_that_writes() -> None:
    assert all(scope.endswith(".read") for scope in scopes_for("read only", custom_connection=True))


def test_every_report_has_a_scope_of_its_own() -> None:
    assert scopes_for("trial balance", custom_connection=True) == ("accounting.reports.trialbalance.read",)
    assert len(scopes_for("reports", custom_connection=True)) == 8


@given(SOME)
def test_a_new_app_may_ask_for_every_computed_scope_and_all_are_explained(features: list[str]) -> None:
    needs = explained_scopes(*features)

    assert unassigned(" ".join(scopes_for(*features)), broad=False) == []
    assert [need.scope for need in needs] == list(scopes_for(*features))
    for need in needs:
        assert need.allows
        assert need.features
        assert set(need.features) <= set(features)


@given(SOME, SOME)
def test_more_features_never_lack_what_fewer_need(some: list[str], more: list[str]) -> None:
    assert missing_scopes(tokens(*scopes_for(*some, *more)), *some) == ()


@given(SOME)
def test_leaving_out_any_scope_is_noticed(features: list[str]) -> None:
    least = scopes_for(*features)

    for left_out in least:
        granted = [scope for scope in least if scope != left_out]
        assert missing_scopes(tokens(*granted), *features) == (left_out,)


def test_a_broad_scope_covers_those_that_replace_it_while_it_lasts() -> None:
    old = tokens("offline_access", "accounting.transactions", "accounting.contacts", "accounting.settings")

    assert missing_scopes(old, "receivables") == ()
    assert missing_scopes(old, "payables", "trial balance") == (
        "accounting.attachments",
        "accounting.reports.trialbalance.read",
    )
    assert broad_scopes(old) == ("accounting.transactions",)
    assert broad_scopes(tokens(*scopes_for("receivables", "reports"))) == ()
    reading = tokens("offline_access", "accounting.transactions.read", "accounting.reports.read")
    assert missing_scopes(reading, "reports") == ()
    assert "accounting.payments" in missing_scopes(reading, "receivables")


def test_a_custom_connection_has_no_user_to_stay_connected_for() -> None:
    assert "offline_access" not in scopes_for("receivables", custom_connection=True)
    granted = tokens(*scopes_for("receivables", custom_connection=True), custom=True)
    assert missing_scopes(granted, "receivables") == ()
    with pytest.raises(InvalidInput, match="sign in"):
        scopes_for("sign in", custom_connection=True)


@pytest.mark.parametrize("features", [(), ("recievables",), ("accounting.contacts",), ("receivables", "")])
def test_an_unknown_feature_is_refused_and_the_known_ones_are_named(features: tuple[str, ...]) -> None:
    with pytest.raises(InvalidInput, match="receivables, payables") as refused:
        scopes_for(*features)

    assert refused.value.field == "features"
