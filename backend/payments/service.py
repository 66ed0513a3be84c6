"""The verbs of payments that other contexts, the console and the worker call."""

from backend.payments.affected import payments_between
from backend.payments.cod import cod_board, list_cod_orders, list_remittances, record_remittance
from backend.payments.credits import credit_wallet
from backend.payments.exports import (
    export_cod,
    export_differences,
    export_entries,
    export_payments,
    export_refunds,
)
from backend.payments.ledger import (
    account_entries,
    balance_at,
    check_ledger,
    correct_transfer,
    get_account,
    get_transfer,
    list_accounts,
    list_transfers,
)
from backend.payments.payments import (
    cancel_payment,
    capture_payment,
    create_payment,
    failure_groups,
    get_payment,
    list_payments,
    order_payments,
    payment_totals,
    retry_payment,
    retry_payments,
)
from backend.payments.reconciliation import (
    get_reconciliation,
    import_report,
    list_reconciliations,
    settle_difference,
)
from backend.payments.refunds import (
    approve_refund,
    get_refund,
    list_refunds,
    refund_limit,
    reject_refund,
    request_refund,
)
from backend.payments.search import search_payments
from backend.payments.statements import statement_csv, statement_pdf
from backend.payments.wallets import (
    get_wallet,
    list_wallets,
    open_wallet,
    top_up,
    wallet_entries,
    wallet_statement,
)

__all__ = [
    "account_entries",
    "approve_refund",
    "balance_at",
    "cancel_payment",
    "capture_payment",
    "check_ledger",
    "cod_board",
    "correct_transfer",
    "create_payment",
    "credit_wallet",
    "export_cod",
    "export_differences",
    "export_entries",
    "export_payments",
    "export_refunds",
    "failure_groups",
    "get_account",
    "get_payment",
    "get_reconciliation",
    "get_refund",
    "get_transfer",
    "get_wallet",
    "import_report",
    "list_accounts",
    "list_cod_orders",
    "list_payments",
    "list_reconciliations",
    "list_refunds",
    "list_remittances",
    "list_transfers",
    "list_wallets",
    "open_wallet",
    "order_payments",
    "payment_totals",
    "payments_between",
    "record_remittance",
    "refund_limit",
    "reject_refund",
    "request_refund",
    "retry_payment",
    "retry_payments",
    "search_payments",
    "settle_difference",
    "statement_csv",
    "statement_pdf",
    "top_up",
    "wallet_entries",
    "wallet_statement",
]
