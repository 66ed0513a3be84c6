"""Escalations: who asks for what, who answers it by when, and all that was said and done."""
