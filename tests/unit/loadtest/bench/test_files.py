"""The limit of open files, in a process of its own: a lowered limit stays lowered."""

import subprocess
import sys

PROGRAM = """
import resource
from loadtest.bench.files import allow_connections
resource.setrlimit(resource.RLIMIT_NOFILE, (200, 600))
for count in (50, 300, 4000):
    allow_connections(count)
    print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""


def test_the_limit_is_raised_as_far_as_needed_and_allowed() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["200", "428", "600"]
