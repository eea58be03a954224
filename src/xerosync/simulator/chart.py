"""What a new organisation starts with, after Xero's demo companies: its chart of accounts and taxes, by country."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from attrs import frozen

from xerosync.errors import InvalidInput

_ALL: Final = ("ASSET", "EQUITY", "EXPENSE", "LIABILITY", "REVENUE")
_SALES: Final = ("ASSET", "EQUITY", "LIABILITY", "REVENUE")
_PURCHASES: Final = ("ASSET", "EQUITY", "EXPENSE", "LIABILITY")


@frozen
class Country:
    """What differs by country. *sales*, *purchases* and *none* are the tax types of the three kinds of account."""

    version: str
    currency: str
    timezone: str
    zone: str
    year_end: tuple[int, int]
    sales: str
    purchases: str
    taxes: tuple[tuple[str, str, str, str, tuple[str, ...], str], ...]
    none: str = "NONE"


def country(code: str) -> Country:
    """The tax regime of *code* (ISO 3166, or ``UK``). Raises `InvalidInput` for one that is not served."""
    found = COUNTRIES.get(code.upper())
    if found is None:
        raise InvalidInput("country", f"give one of {', '.join(sorted(COUNTRIES))}")
    return found


def iso_code(code: str) -> str:
    """*code* as ISO 3166 has it."""
    return "GB" if code.upper() == "UK" else code.upper()


_NONE = ("NONE", "No GST", "NONE", "0", _ALL, "ACTIVE")
COUNTRIES: Final = {
    "NZ": Country(
        "NZ", "NZD", "NEWZEALANDSTANDARDTIME", "Pacific/Auckland", (31, 3), "OUTPUT2", "INPUT2",
        (
            ("INPUT", "12.5% GST on Expenses", "INPUT", "12.5", _PURCHASES, "DELETED"),
            ("OUTPUT", "12.5% GST on Income", "OUTPUT", "12.5", _SALES, "DELETED"),
            ("INPUT2", "15% GST on Expenses", "INPUT", "15", _PURCHASES, "ACTIVE"),
            ("OUTPUT2", "15% GST on Income", "OUTPUT", "15", _SALES, "ACTIVE"),
            ("GSTONIMPORTS", "GST on Imports", "GSTONIMPORTS", "0", ("LIABILITY",), "ACTIVE"),
            _NONE,
            ("ZERORATED", "Zero Rated", "OUTPUT", "0", ("LIABILITY", "REVENUE"), "ACTIVE"),
        ),
    ),
    "AU": Country(
        "AU", "AUD", "AUSEASTERNSTANDARDTIME", "Australia/Sydney", (30, 6), "OUTPUT", "INPUT",
        (
            ("BASEXCLUDED", "BAS Excluded", "BASEXCLUDED", "0", _ALL, "ACTIVE"),
            ("EXEMPTEXPENSES", "GST Free Expenses", "EXEMPTEXPENSES", "0", _PURCHASES, "ACTIVE"),
            ("EXEMPTOUTPUT", "GST Free Income", "EXEMPTOUTPUT", "0", _SALES, "ACTIVE"),
            ("INPUT", "GST on Expenses", "INPUT", "10", _PURCHASES, "ACTIVE"),
            ("OUTPUT", "GST on Income", "OUTPUT", "10", _SALES, "ACTIVE"),
            _NONE,
        ),
    ),
    "GB": Country(
        "UK", "GBP", "GMTSTANDARDTIME", "Europe/London", (31, 12), "OUTPUT2", "INPUT2",
        (
            ("INPUT2", "20% (VAT on Expenses)", "INPUT", "20", _PURCHASES, "ACTIVE"),
            ("OUTPUT2", "20% (VAT on Income)", "OUTPUT", "20", _SALES, "ACTIVE"),
            ("RRINPUT", "5% (VAT on Expenses)", "INPUT", "5", _PURCHASES, "ACTIVE"),
            ("RROUTPUT", "5% (VAT on Income)", "OUTPUT", "5", _SALES, "ACTIVE"),
            ("EXEMPTINPUT", "Exempt Expenses", "EXEMPTINPUT", "0", _PURCHASES, "ACTIVE"),
            ("EXEMPTOUTPUT", "Exempt Income", "EXEMPTOUTPUT", "0", _SALES, "ACTIVE"),
            ("NONE", "No VAT", "NONE", "0", _ALL, "ACTIVE"),
            ("ZERORATEDINPUT", "Zero Rated Expenses", "ZERORATEDINPUT", "0", _PURCHASES, "ACTIVE"),
            ("ZERORATEDOUTPUT", "Zero Rated Income", "ZERORATEDOUTPUT", "0", _SALES, "ACTIVE"),
        ),
    ),
    "US": Country(
        "US", "USD", "EASTERNSTANDARDTIME", "America/New_York", (31, 12), "TAX001", "INPUT",
        (
            ("INPUT", "Tax on Purchases", "INPUT", "0", _PURCHASES, "ACTIVE"),
            ("NONE", "Tax Exempt", "NONE", "0", _ALL, "ACTIVE"),
            ("OUTPUT", "Tax on Sales", "OUTPUT", "0", _SALES, "ACTIVE"),
            ("TAX001", "State Sales Tax", "OUTPUT", "8.25", _SALES, "ACTIVE"),
        ),
    ),
    # F 6.168 gives the codes' form only; the names are ours.
    "CA": Country(
        "GLOBAL", "CAD", "EASTERNSTANDARDTIME", "America/Toronto", (31, 12), "CAN004", "CAN003",
        (
            ("CAN001", "GST on Purchases (5%)", "INPUT", "5", _PURCHASES, "ACTIVE"),
            ("CAN002", "GST on Sales (5%)", "OUTPUT", "5", _SALES, "ACTIVE"),
            ("CAN003", "ON - HST on Purchases (13%)", "INPUT", "13", _PURCHASES, "ACTIVE"),
            ("CAN004", "ON - HST on Sales (13%)", "OUTPUT", "13", _SALES, "ACTIVE"),
            ("NONE", "Tax Exempt", "NONE", "0", _ALL, "ACTIVE"),
        ),
    ),
}  # fmt: skip
COUNTRIES["UK"] = COUNTRIES["GB"]

# code | name | type | tax: s(ales) p(urchases) n(one) | system account | + payments enabled
CHART: Final = """
090|Business Bank Account|BANK|n||
091|Business Savings Account|BANK|n||
200|Sales|REVENUE|s||
260|Other Revenue|REVENUE|s||
270|Interest Income|REVENUE|n||
310|Cost of Goods Sold|DIRECTCOSTS|p||
400|Advertising|EXPENSE|p||
404|Bank Fees|EXPENSE|n||
408|Cleaning|EXPENSE|p||
412|Consulting & Accounting|EXPENSE|p||
416|Depreciation|DEPRECIATN|n||
420|Entertainment|EXPENSE|p||
425|Freight & Courier|EXPENSE|p||
429|General Expenses|EXPENSE|p||
433|Insurance|EXPENSE|p||
437|Interest Expense|EXPENSE|n||
441|Legal Expenses|EXPENSE|p||
445|Light, Power, Heating|EXPENSE|p||
449|Motor Vehicle Expenses|EXPENSE|p||
453|Office Expenses|EXPENSE|p||
461|Printing & Stationery|EXPENSE|p||
469|Rent|EXPENSE|p||
473|Repairs and Maintenance|EXPENSE|p||
477|Wages and Salaries|EXPENSE|n||
485|Subscriptions|EXPENSE|p||
489|Telephone & Internet|EXPENSE|p||
493|Travel - National|EXPENSE|p||
494|Travel - International|EXPENSE|n||
497|Bank Revaluations|EXPENSE|n|BANKCURRENCYGAIN|
498|Unrealised Currency Gains|EXPENSE|n|UNREALISEDCURRENCYGAIN|
499|Realised Currency Gains|EXPENSE|n|REALISEDCURRENCYGAIN|
610|Accounts Receivable|CURRENT|n|DEBTORS|
620|Prepayments|CURRENT|n||
630|Inventory|INVENTORY|n||
710|Office Equipment|FIXED|p||
711|Less Accumulated Depreciation on Office Equipment|FIXED|n||
800|Accounts Payable|CURRLIAB|n|CREDITORS|
801|Unpaid Expense Claims|CURRLIAB|n|UNPAIDEXPCLM|
803|Wages Payable|CURRLIAB|n|WAGEPAYABLES|
820|GST|CURRLIAB|n|GST|
825|PAYE Payable|CURRLIAB|n||
830|Income Tax Payable|CURRLIAB|n||
835|Revenue Received in Advance|CURRLIAB|s||
840|Historical Adjustment|CURRLIAB|n|HISTORICAL|
850|Suspense|CURRLIAB|n||
860|Rounding|CURRLIAB|n|ROUNDING|
877|Tracking Transfers|CURRLIAB|n|TRACKINGTRANSFERS|
880|Owner A Drawings|CURRLIAB|n||+
881|Owner A Funds Introduced|CURRLIAB|n||+
900|Loan|TERMLIAB|n||
960|Retained Earnings|EQUITY|n|RETAINEDEARNINGS|
970|Owner A Share Capital|EQUITY|n||
""".strip()

BANK_NUMBERS: Final = {"090": "1201020345678000", "091": "0209087654321050"}

# Units of each currency per US dollar, for day rates that no source of ours can give (F 6.70).
DAY_RATES: Final = {
    "USD": Decimal(1), "EUR": Decimal("0.92"), "GBP": Decimal("0.79"), "AUD": Decimal("1.52"),
    "NZD": Decimal("1.66"), "CAD": Decimal("1.37"), "JPY": Decimal(150), "SGD": Decimal("1.34"),
}  # fmt: skip

_NAMED: Final = {
    "AED": "UAE Dirham", "ARS": "Argentine Peso", "AUD": "Australian Dollar", "BRL": "Brazilian Real",
    "CAD": "Canadian Dollar", "CHF": "Swiss Franc", "CLP": "Chilean Peso", "CNY": "Chinese Yuan",
    "CZK": "Czech Koruna", "DKK": "Danish Krone", "EUR": "Euro", "FJD": "Fiji Dollar", "GBP": "British Pound",
    "HKD": "Hong Kong Dollar", "HUF": "Hungarian Forint", "IDR": "Indonesian Rupiah", "ILS": "Israeli Shekel",
    "INR": "Indian Rupee", "JPY": "Japanese Yen", "KRW": "Korean Won", "MXN": "Mexican Peso",
    "MYR": "Malaysian Ringgit", "NOK": "Norwegian Krone", "NZD": "New Zealand Dollar", "PHP": "Philippine Peso",
    "PLN": "Polish Zloty", "SEK": "Swedish Krona", "SGD": "Singapore Dollar", "THB": "Thai Baht",
    "TRY": "Turkish Lira", "TWD": "Taiwan Dollar", "USD": "United States Dollar", "VND": "Vietnamese Dong",
    "ZAR": "South African Rand",
}  # fmt: skip
# Every code of the published specification; those we have no name for bear their code (F 6.172).
CURRENCIES: Final = {
    code: _NAMED.get(code, code)
    for code in (
        "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BYR "
        "BZD CAD CDF CHF CLF CLP CNY COP CRC CUC CUP CVE CZK DJF DKK DOP DZD EEK EGP ERN ETB EUR FJD FKP GBP "
        "GEL GHS GIP GMD GNF GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF "
        "KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LTL LVL LYD MAD MDL MGA MKD MMK MNT MOP MRO MRU MUR MVR MWK "
        "MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD "
        "SCR SDG SEK SGD SHP SKK SLE SLL SOS SRD STD STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH "
        "UGX USD UYU UZS VEF VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZMK ZWD"
    ).split()
}
