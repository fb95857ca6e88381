"""What an app asks for, read from what is pasted: a list of names or an AndroidManifest.xml."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

PASTED_CHARACTERS_MAX = 1_000_000

_ANDROID = "{http://schemas.android.com/apk/res/android}"
_USES = frozenset({"uses-permission", "uses-permission-sdk-23", "uses-permission-sdk-m"})
_BINARY_XML = "\x03\x00\x08\x00"
_SEPARATORS = re.compile(r"[\s,\"'\[\]]+")
_UNKNOWN_MAX = 20
"""Unknown names that are told one by one."""


class InputFault(ValueError):
    """What was pasted cannot be read; `reason` names a text of the section `check`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class FeatureInput:
    """Names that the model knows, in its order, and those that it does not."""

    known: tuple[str, ...]
    unknown: tuple[str, ...]
    nearest: dict[str, str]
    """For some of the unknown: the known name they are most like."""


def read_features(text: str, names: Sequence[str]) -> FeatureInput:
    """The features named in `text`. Raises InputFault.

    Names may stand with the package in front (`android.permission.SEND_SMS`) and in any case;
    lists may be parted by commas, semicolons, spaces and lines.
    """
    if len(text) > PASTED_CHARACTERS_MAX:
        raise InputFault("paste_too_long")
    if text.startswith(_BINARY_XML):
        raise InputFault("manifest_binary")
    stripped = text.lstrip("\N{ZERO WIDTH NO-BREAK SPACE} \r\n\t")
    asked = _read_manifest(stripped) if stripped.startswith("<") else _split(text, names)
    return match_features(asked, names)


def match_features(asked: Iterable[str], names: Sequence[str]) -> FeatureInput:
    """Each asked name to the model's own; the same name twice counts once."""
    by_folded = {name.casefold(): name for name in names}
    found, unknown = set(), []
    for name in asked:
        known = by_folded.get(name.casefold()) or by_folded.get(_last_part(name).casefold())
        if known:
            found.add(known)
        elif name not in unknown:
            unknown.append(name)
    nearest = {}
    for name in unknown[:_UNKNOWN_MAX]:
        alike = get_close_matches(_last_part(name).casefold(), by_folded, n=1, cutoff=0.8)
        if alike:
            nearest[name] = by_folded[alike[0]]
    return FeatureInput(tuple(name for name in names if name in found), tuple(unknown), nearest)


def _split(text: str, names: Sequence[str]) -> list[str]:
    """Names of API calls have semicolons in them: those are parted last, and only where needed."""
    known = {name.casefold() for name in names}
    asked = []
    for part in filter(None, _SEPARATORS.split(text)):
        whole = part.strip(";") if part.casefold() not in known else part
        if whole.casefold() in known or ";" not in whole:
            asked.append(whole)
        else:
            asked += filter(None, whole.split(";"))
    return asked


def _read_manifest(text: str) -> list[str]:
    """Permissions that an app asks for, and those that it wants of who calls its services."""
    try:
        root: Element = fromstring(text, forbid_dtd=True)
    except (ParseError, DefusedXmlException):
        raise InputFault("manifest_unreadable") from None
    if root.tag != "manifest":
        raise InputFault("manifest_other_root")
    asked = []
    for element in root.iter():
        if element.tag in _USES and (name := element.get(f"{_ANDROID}name")):
            asked.append(name)
        elif wanted := element.get(f"{_ANDROID}permission"):
            asked.append(wanted)
    if not asked:
        raise InputFault("manifest_without_permissions")
    return asked


def _last_part(name: str) -> str:
    return name.rpartition(".")[2]
