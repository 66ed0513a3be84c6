"""Which ledger accounts the money of a payment goes through."""

from __future__ import annotations

from uuid import UUID

from backend.payments.ledger_rules import Account, AccountKind
from backend.payments.models import CodRow, PaymentRow

PLATFORM = "platform"


def country(region: str) -> str:
    """The country of a region code."""
    return region[:2]


def clearing(payment: PaymentRow) -> Account:
    """Where the money of a payment comes from: its gateway, or a wallet."""
    if payment.terms == "wallet":
        return wallet_account(payment.wallet_id, payment.region, payment.currency)
    return Account(AccountKind.CLEARING, payment.gateway, country(payment.region), payment.currency)


def wallet_account(wallet_id: UUID | None, region: str, currency: str) -> Account:
    """The account of a wallet; it lies in the country, for a customer may order anywhere there."""
    return Account(AccountKind.WALLET, str(wallet_id), country(region), currency)


def receiver(payment: PaymentRow) -> Account:
    """Whom a payment is for: the merchant, or the wallet that is topped up."""
    if payment.purpose == "top_up":
        return wallet_account(payment.wallet_id, payment.region, payment.currency)
    return Account(
        AccountKind.MERCHANT,
        payment.merchant or PLATFORM,
        country(payment.region),
        payment.currency,
    )


def revenue(region: str, currency: str) -> Account:
    """What the platform earns in a country."""
    return Account(AccountKind.REVENUE, PLATFORM, country(region), currency)


def refunds_payable(payment: PaymentRow) -> Account:
    """What is on its way back to customers."""
    return Account(AccountKind.REFUNDS, PLATFORM, country(payment.region), payment.currency)


def cod_merchant(row: CodRow) -> Account:
    """Below zero by what a merchant awaits from cash on delivery."""
    return Account(AccountKind.COD_MERCHANT, row.merchant, country(row.region), row.currency)


def cod_to_collect(row: CodRow) -> Account:
    """What is to be collected at doors of a city."""
    return Account(AccountKind.COD_TO_COLLECT, PLATFORM, row.region, row.currency)


def cod_driver(driver_id: UUID, region: str, currency: str) -> Account:
    """The cash a driver carries."""
    return Account(AccountKind.COD_DRIVER, str(driver_id), region, currency)


def cod_hub(hub: str, currency: str) -> Account:
    """A hub's till."""
    return Account(AccountKind.COD_HUB, hub, hub.partition(".")[0], currency)


def cod_remitted(region: str, currency: str) -> Account:
    """Cash of a country that has reached the bank."""
    return Account(AccountKind.COD_REMITTED, PLATFORM, country(region), currency)


def cod_difference(region: str, currency: str) -> Account:
    """Cash that turned up beyond what was expected; below zero by as much."""
    return Account(AccountKind.COD_DIFFERENCE, PLATFORM, region, currency)
