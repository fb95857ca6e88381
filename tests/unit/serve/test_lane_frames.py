"""What is cut anywhere by the network comes out as the frames that went in."""

from __future__ import annotations

import itertools
import struct

from hypothesis import given
from hypothesis import strategies as st

from serve.lanes import _Frames


@given(
    contents=st.lists(st.binary(max_size=40), max_size=8),
    cuts=st.lists(st.integers(0, 400), max_size=30),
)
def test_frames_are_the_same_however_they_are_cut(contents: list[bytes], cuts: list[int]) -> None:
    kind = 0
    received: list[tuple[int, int, bytes]] = []

    class Frames(_Frames):
        def frame_received(self, number: int, kind: int, content: bytes) -> None:
            received.append((number, kind, content))

    data = b"".join(
        struct.pack("<IIB", len(content), number, kind) + content
        for number, content in enumerate(contents)
    )
    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    frames = Frames()
    for start, stop in itertools.pairwise(places):
        frames.data_received(data[start:stop])
    assert received == [(number, kind, content) for number, content in enumerate(contents)]
