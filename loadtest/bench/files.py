"""How many connections a process may hold open."""

from __future__ import annotations

import resource

SPARE_FILES = 128


def allow_connections(count: int) -> None:
    """Raise this process's own limit of open files, often 1,024, as far as it is allowed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count + SPARE_FILES
    if soft < wanted:
        allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
