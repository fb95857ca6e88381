"""Where the TUANDROMD file comes from: a configured path, known folders, then UCI."""

from __future__ import annotations

import hashlib
import io
import urllib.request
import zipfile
from pathlib import Path

from data.errors import DatasetMismatch, DatasetNotFound

FILE_NAME = "TUANDROMD.csv"
SHA256 = "e438c30d0cfe0f39a4316597fe4ddc2a03177e96881dc1fa09933819250c6c85"
PROJECT_ROOT = Path(__file__).resolve().parents[1]
RAW_FOLDER = PROJECT_ROOT / "data" / "raw"
KNOWN_FOLDERS = (PROJECT_ROOT.parent / "shared" / "data" / "malware", RAW_FOLDER)

# Lists of UCI give two ids for this data set; the checksum decides, not the address.
UCI = "https://archive.ics.uci.edu/static/public"
UCI_URLS = (
    f"{UCI}/855/tuandromd+(tezpur+university+android+malware+dataset).zip",
    f"{UCI}/813/tunadromd.zip",
)
TIMEOUT_SECONDS = 30.0
ARCHIVE_BYTES_MAX = 16 * 1024 * 1024


def read_source(configured: Path | None = None) -> bytes:
    """The file's bytes, line endings normalised to LF, checked against `SHA256`.

    `configured` is the only place looked at when given. Otherwise: the known folders, then a
    download from UCI, kept in `data/raw/`. Raises DatasetNotFound, DatasetMismatch.
    """
    path = find_source(configured)
    if path is not None:
        return normalise(path.read_bytes(), str(path))
    content = download_source()
    RAW_FOLDER.mkdir(parents=True, exist_ok=True)
    (RAW_FOLDER / FILE_NAME).write_bytes(content)
    return content


def find_source(configured: Path | None = None) -> Path | None:
    """The file's path, or None where it would have to be downloaded."""
    if configured is not None:
        if not configured.is_file():
            raise DatasetNotFound(f"no such file: {configured}")
        return configured
    paths = (folder / FILE_NAME for folder in KNOWN_FOLDERS)
    return next((path for path in paths if path.is_file()), None)


def normalise(content: bytes, origin: str) -> bytes:
    """`content` with LF line endings; raises DatasetMismatch where the checksum then differs."""
    content = content.replace(b"\r\n", b"\n")
    found = hashlib.sha256(content).hexdigest()
    if found != SHA256:
        raise DatasetMismatch(f"{origin}: sha256 is {found}, expected {SHA256}")
    return content


def download_source() -> bytes:
    """Fetch the file from UCI; raises DatasetNotFound saying what was tried and what to do."""
    faults: list[str] = []
    for url in UCI_URLS:
        try:
            return normalise(_fetch_archived(url), url)
        except (OSError, KeyError, zipfile.BadZipFile, DatasetMismatch) as error:
            faults.append(f"{url}: {error}")
    raise DatasetNotFound(
        f"{FILE_NAME} is in none of {', '.join(map(str, KNOWN_FOLDERS))} and could not be "
        f"downloaded. Put it into {RAW_FOLDER} or name its path. Tried: {'; '.join(faults)}"
    )


def _fetch_archived(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as response:  # noqa: S310 (constants)
        archive = response.read(ARCHIVE_BYTES_MAX)
    with zipfile.ZipFile(io.BytesIO(archive)) as files, files.open(FILE_NAME) as file:
        content: bytes = file.read(ARCHIVE_BYTES_MAX)
    return content
