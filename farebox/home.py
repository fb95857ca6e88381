"""Where a running product keeps its files: one folder, `.farebox` in the checkout by default."""

from __future__ import annotations

import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

PROJECT_ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Home:
    """The folder's layout. Accounts and history live in `postgres`; the rest can be made anew."""

    root: Path

    @classmethod
    def from_environment(cls) -> Home:
        """`FAREBOX_HOME`, or `.farebox` in the checkout."""
        return cls(Path(os.environ.get("FAREBOX_HOME", PROJECT_ROOT / ".farebox")).resolve())

    @property
    def postgres(self) -> Path:
        """Data folder of the embedded PostgreSQL."""
        return self.root / "postgres"

    @property
    def secrets(self) -> Path:
        """Secrets made on the first start; 0600."""
        return self.root / "secrets.env"

    @property
    def demo(self) -> Path:
        """`FAREBOX_URL` and `FAREBOX_API_KEY` of the demo account; 0600."""
        return self.root / "demo.env"

    @property
    def product(self) -> Path:
        """What runs right now: URLs and processes, as JSON; 0600."""
        return self.root / "product.json"

    @property
    def lock(self) -> Path:
        """Held by the one `farebox up` of this folder."""
        return self.root / "up.lock"

    @property
    def logs(self) -> Path:
        """Output of the processes that `farebox up` starts."""
        return self.root / "logs"

    @property
    def ray_log(self) -> Path:
        """Output of the Ray head of the last start."""
        return self.logs / "ray.log"

    @property
    def console_log(self) -> Path:
        """Output of the web console of the last start."""
        return self.logs / "console.log"

    @property
    def console(self) -> Path:
        """Uploads and results of the web console, kept for a day."""
        return self.root / "console"

    @property
    def ray(self) -> Path:
        """Ray's own folder, outside the checkout and short.

        HAProxy's socket lies two folders below, one of 56 characters; its path may have 97 bytes.
        """
        digest = hashlib.sha256(str(self.root).encode()).hexdigest()[:6]
        return Path(tempfile.gettempdir()) / f"farebox-{digest}"

    def create(self) -> None:
        """Make the folders."""
        self.root.mkdir(parents=True, exist_ok=True)
        self.logs.mkdir(exist_ok=True)


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    draft = path.with_suffix(path.suffix + ".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)


def read_env_file(path: Path) -> dict[str, str]:
    """`NAME=value` lines; an absent file has none."""
    if not path.exists():
        return {}
    lines = (line.partition("=") for line in path.read_text().splitlines() if "=" in line)
    return {name.strip(): value.strip() for name, _, value in lines if not name.startswith("#")}
