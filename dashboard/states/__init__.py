"""One file per page: filters, one page of rows, selection."""
