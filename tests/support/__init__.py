"""What several kinds of tests share: a browser, a running system."""
