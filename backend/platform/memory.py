"""What a process keeps for as long as it lives, out of the garbage collector's way."""

from __future__ import annotations

import gc


def keep_what_is_loaded() -> None:
    """Have the garbage collector look from now on at what is made after this alone.

    Modules, models and routes are a quarter of a million objects, which a full pass holds
    everything else up for: a third of a second, every few hundred lists.
    """
    gc.collect()
    gc.freeze()
