"""Payments, refunds, wallets and cash on delivery, on a double-entry ledger."""
