"""Lists and manifests become names that the model knows; what it does not know is told."""

from __future__ import annotations

import pytest

from frontend.pages.check.feature_input import InputFault, read_features

CALL = "Ljava/net/URL;->openConnection"
NAMES = ("SEND_SMS", "INTERNET", "BIND_DEVICE_ADMIN", "READ_CONTACTS", CALL)
MANIFEST = """\
<?xml version="1.0" encoding="utf-8"?>
<manifest xmlns:android="http://schemas.android.com/apk/res/android" package="com.example.torch">
    <uses-permission android:name="android.permission.SEND_SMS"/>
    <uses-permission-sdk-23 android:name="android.permission.INTERNET"/>
    <uses-permission android:name="com.example.OWN"/>
    <application>
        <receiver android:name=".Admin" android:permission="android.permission.BIND_DEVICE_ADMIN"/>
    </application>
</manifest>
"""


@pytest.mark.parametrize(
    "text",
    [
        "SEND_SMS INTERNET",
        "internet, Send_Sms",
        "android.permission.SEND_SMS;android.permission.INTERNET;",
        '["INTERNET", "SEND_SMS", "SEND_SMS"]',
        "\n  SEND_SMS\r\n\tINTERNET\n",
    ],
)
def test_a_list_is_read_however_it_is_parted(text: str) -> None:
    read = read_features(text, NAMES)
    assert read.known == ("SEND_SMS", "INTERNET")
    assert read.unknown == ()


def test_the_semicolon_in_the_name_of_a_call_parts_nothing() -> None:
    assert read_features(f"{CALL};INTERNET", NAMES).known == ("INTERNET",)
    assert read_features(f"{CALL} INTERNET", NAMES).known == ("INTERNET", CALL)


def test_unknown_names_are_told_with_the_nearest_known_one() -> None:
    read = read_features("SEND_SMSS, HELLO, HELLO", NAMES)
    assert read.known == ()
    assert read.unknown == ("SEND_SMSS", "HELLO")
    assert read.nearest == {"SEND_SMSS": "SEND_SMS"}


@pytest.mark.parametrize("prefix", ["", "\N{ZERO WIDTH NO-BREAK SPACE}", "\n\n"])
def test_a_manifest_names_what_the_app_asks_for(prefix: str) -> None:
    manifest = MANIFEST if not prefix else MANIFEST.split("\n", 1)[1]
    read = read_features(prefix + manifest, NAMES)
    assert read.known == ("SEND_SMS", "INTERNET", "BIND_DEVICE_ADMIN")
    assert read.unknown == ("com.example.OWN",)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (MANIFEST[:300], "manifest_unreadable"),
        ("<html><body/></html>", "manifest_other_root"),
        ("<manifest><application/></manifest>", "manifest_without_permissions"),
        ('<!DOCTYPE m [<!ENTITY a "aaaa">]><manifest>&a;</manifest>', "manifest_unreadable"),
        ("\x03\x00\x08\x00rest of a binary file", "manifest_binary"),
        ("A" * 1_000_001, "paste_too_long"),
    ],
)
def test_what_cannot_be_read_is_told_by_its_reason(text: str, reason: str) -> None:
    with pytest.raises(InputFault) as fault:
        read_features(text, NAMES)
    assert fault.value.reason == reason
