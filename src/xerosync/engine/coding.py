"""Which account, tax and tracking a line gets that does not say: ordered rules, a default, and why. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final, Generic, TypeAlias, TypeVar

from attrs import evolve, field, frozen

from xerosync.arguments import asked, fields_checked
from xerosync.errors import InvalidInput
from xerosync.mapping.lines import PaperLine, as_pairs
from xerosync.matching.names import plain_name
from xerosync.models import AccountCode

L = TypeVar("L", bound=PaperLine)

When: TypeAlias = Callable[[str, PaperLine], bool]
"""Whether a rule is about a line: told whose it is, as the paper names them, and the line."""

_FIELDS: Final = ("account", "tax_type", "tracking")


def _always(party: str, line: PaperLine) -> bool:
    del party, line
    return True


@frozen(kw_only=True, field_transformer=fields_checked)
class Rule:
    """
    What the lines it is about get where they do not say themselves: *account*, *tax_type*, *tracking*, any of them.

    *name* is what the plan says of it. `for_vendor`, `for_customer` and `for_category` make the usual ones; *when* is
    any pure function of the vendor's name, or the customer's id, and the line.
    """

    name: str
    when: When = field(default=_always, repr=False)
    account: AccountCode | None = None
    tax_type: str | None = None
    tracking: tuple[tuple[str, str], ...] = field(default=(), converter=as_pairs)

    def __attrs_post_init__(self) -> None:
        if not self.name.strip():
            raise InvalidInput("name", "give the rule a name, which plans show")

    @classmethod
    def for_vendor(
        cls,
        vendor: str,
        *,
        account: str | None = None,
        tax_type: str | None = None,
        tracking: Mapping[str, str] | Iterable[tuple[str, str]] = (),
    ) -> Rule:
        """A rule about all that this vendor sells; letter case and blanks make no other vendor."""
        wanted = plain_name(vendor)
        return cls(
            name="its vendor",
            when=lambda name, _: plain_name(name) == wanted,
            account=_code(account),
            tax_type=tax_type,
            tracking=tracking,
        )

    @classmethod
    def for_customer(
        cls,
        customer: str,
        *,
        account: str | None = None,
        tax_type: str | None = None,
        tracking: Mapping[str, str] | Iterable[tuple[str, str]] = (),
    ) -> Rule:
        """A rule about all that is sold to the customer of this id of the host's."""
        return cls(
            name="its customer",
            when=lambda customer_id, _: customer_id == customer,
            account=_code(account),
            tax_type=tax_type,
            tracking=tracking,
        )

    @classmethod
    def for_category(
        cls,
        category: str,
        *,
        account: str | None = None,
        tax_type: str | None = None,
        tracking: Mapping[str, str] | Iterable[tuple[str, str]] = (),
    ) -> Rule:
        """A rule about the lines of one of the host's own categories."""
        return cls(
            name=f"category {category}",
            when=lambda _, line: line.category == category,
            account=_code(account),
            tax_type=tax_type,
            tracking=tracking,
        )


@frozen
class Coded(Generic[L]):
    """A line as it was coded: *because* says for each field that a rule chose which rule it was."""

    line: L
    because: Mapping[str, str] = field(factory=dict[str, str], hash=False)

    def __str__(self) -> str:
        said = (f"{name.replace('_', ' ')} by {rule}" for name, rule in self.because.items())
        return ", ".join(said)


@frozen(field_transformer=fields_checked)
class Rules:
    """
    Ordered rules, and a *default* account for what none of them is about.

    For each field by itself: what the line says stands; else the first rule that is about the line and names the field
    decides; else, for the account, the default, unless the line names an item, which has an account of its own. Vendors
    and categories are not looked up: a rule is a pure function, and the same line always gets the same.
    """

    rules: tuple[Rule, ...] = field(default=(), converter=tuple[Rule, ...])
    default: AccountCode | None = field(default=None, kw_only=True)

    def code(self, party: str, line: L) -> Coded[L]:
        """
        *line* of *party*, the vendor's name or the customer's id, with what it lacks, and why.

        Raises `InvalidInput` where a rule of the host's own raises anything.
        """
        because: dict[str, str] = {}
        about = [rule for rule in self.rules if asked(f"rule {rule.name}", rule.when, party, line)]
        for name in _FIELDS:
            rule = next((each for each in about if getattr(each, name)), None)
            if not getattr(line, name) and rule is not None:
                line = evolve(line, **{name: getattr(rule, name)})
                because[name] = rule.name
        if line.account is None and line.item is None and self.default is not None:
            line = evolve(line, account=self.default)
            because["account"] = "default"
        return Coded(line, because)


def why(coded: Iterable[Coded[L]]) -> str:
    """What a plan says of *coded* lines: each reason once, in order; blank where all lines said it themselves."""
    texts = [str(each) for each in coded]
    return "; ".join(dict.fromkeys(text for text in texts if text))


def _code(account: str | None) -> AccountCode | None:
    return None if account is None else AccountCode(account)
