"""Whether a peer's environment is there, and what is said where it is not."""

from pathlib import Path

import pytest

from loadtest.peers.environments import REQUIREMENTS, Environment, OwnEnvironment
from loadtest.peers.installation import failure_text

NAMES = sorted(path.stem for path in REQUIREMENTS.glob("*.txt"))


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    environment = Environment("litserve", tmp_path)
    environment.folder.mkdir()
    return environment


def test_without_an_environment_it_is_said_how_to_make_it(environment: Environment) -> None:
    assert "make peers" in str(environment.missing_reason())


def test_an_environment_of_the_pins_of_today_is_complete(environment: Environment) -> None:
    environment.mark.write_text(environment.digest())
    assert environment.missing_reason() is None


def test_other_pins_ask_for_another_installation(environment: Environment) -> None:
    environment.mark.write_text("0" * 64)
    assert "other pins" in str(environment.missing_reason())


def test_why_it_could_not_be_made_is_kept(environment: Environment) -> None:
    environment.failure.write_text(failure_text("litserve", "no such version"))
    reason = str(environment.missing_reason())
    assert "cannot be installed" in reason
    assert "no such version" in reason


def test_versions_are_read_from_what_is_installed(environment: Environment) -> None:
    packages = environment.folder / "lib" / "python3.11" / "site-packages"
    described = packages / "LitServe-0.2.19.dist-info"
    described.mkdir(parents=True)
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: LitServe\nVersion: 0.2.19\n")
    (environment.folder / "pyvenv.cfg").write_text("home = /usr/bin\nversion = 3.11.7\n")
    found = environment.versions(("litserve", "uvicorn"))
    assert found == {"python": "3.11.7", "litserve": "0.2.19"}


def test_what_the_own_environment_lacks_is_named() -> None:
    assert OwnEnvironment().missing_reason() is None
    assert "no-such-package" in str(OwnEnvironment(("no-such-package",)).missing_reason())


@pytest.mark.parametrize("name", NAMES)
def test_pins_hold_hashes_and_no_address(name: str) -> None:
    pins = (REQUIREMENTS / f"{name}.txt").read_text()
    assert "--hash=sha256:" in pins
    assert "://" not in pins
    assert (REQUIREMENTS / f"{name}.in").exists()
