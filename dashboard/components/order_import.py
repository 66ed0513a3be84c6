"""The import of orders from a file, wrapped from order_import.jsx, which calls the API itself."""

from __future__ import annotations

import reflex as rx

from dashboard.components.browser_parts import part

_IMPORT = part(__file__, "order_import.jsx")


class _OrderImport(rx.Component):
    """Choice of a file, its preview, and what became of it."""

    library = _IMPORT.importable_path
    tag = "OrderImport"

    preview_path: rx.Var[str]
    import_path: rx.Var[str]
    template_path: rx.Var[str]


order_import = _OrderImport.create
