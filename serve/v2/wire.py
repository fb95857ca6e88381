"""The protocol's JSON beside infer, as types: what OpenAPI documents."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Message(BaseModel):
    """Base of what the protocol says."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)


class ServerInfo(Message):
    """What the server is."""

    name: str
    version: str
    extensions: list[str]


class Live(Message):
    """The replica runs."""

    live: bool = True


class Ready(Message):
    """The server answers requests to infer."""

    ready: bool = True


class ModelIsReady(Message):
    """A model answers requests to infer."""

    name: str
    ready: bool = True


class TensorInfo(Message):
    """A tensor that a model takes or answers."""

    name: str
    datatype: str
    shape: list[int] = Field(description="-1: as many as the request has rows")


class ModelInfo(Message):
    """A model and its tensors."""

    name: str
    versions: list[str]
    platform: str
    inputs: list[TensorInfo]
    outputs: list[TensorInfo]


class IndexEntry(Message):
    """A version of a model."""

    name: str
    version: str
    state: str
    reason: str = ""
