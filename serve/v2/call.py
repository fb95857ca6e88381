"""A call by the protocol as the pipeline takes it, whichever transport brought it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import orjson

from data.schema import FeatureSchema
from serve.idempotency import IdempotencyKey
from serve.refusals import Code, Refusal
from serve.v2.outputs import Requested
from serve.v2.tensors import Tensor, refuse
from serve.validation import PackedRows

ROUTE = "/v2/models/infer"
"""Part of every charge id: the same key is one charge over REST and gRPC, and another on /v1."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request says beside the model: checked as far as that goes without the model."""

    tensor: Tensor
    outputs: tuple[Requested, ...]
    id: str | None
    idempotency_key: str | None
    explain: bool = False


@dataclass(frozen=True, slots=True)
class TensorEnvelope:
    """A request whose outer shape is right; its columns are not held against the model yet."""

    model: str
    version: str | None
    tensor: Tensor
    matrix: bytes
    explain: bool

    def pack(self, schema: FeatureSchema) -> PackedRows:
        """The rows, packed; a Refusal where they have not the model's number of columns."""
        tensor = self.tensor
        if tensor.columns != len(schema):
            raise refuse(
                f"input {tensor.name!r} has shape [{tensor.rows}, {tensor.columns}]; "
                f"this model takes [n, {len(schema)}]"
            )
        rows = np.frombuffer(self.matrix, dtype=np.uint8).reshape(tensor.rows, tensor.columns)
        return PackedRows(tensor.rows, np.packbits(rows, axis=1).tobytes())


class TensorCall:
    """One call of an infer route. It is read once it is needed: after the caller is known."""

    route = ROUTE

    def __init__(
        self,
        *,
        authorization: str | None,
        request_id: str,
        model: str,
        version: str | None,
        sent_key: str | None,
        read: Callable[[], Asked],
    ) -> None:
        """`sent_key` came beside the request; `read` raises a Refusal where it cannot be read."""
        self.authorization = authorization
        self.request_id = request_id
        self._model = model
        self._version = version
        self._sent_key = sent_key
        self._read = read
        self._asked: Asked | None = None
        self._key: IdempotencyKey | None = None
        self._matrix: bytes | None = None

    @property
    def asked(self) -> Asked:
        """What the request says; a Refusal where it cannot be read."""
        if self._asked is None:
            self._asked = self._read()
        return self._asked

    @property
    def key(self) -> IdempotencyKey:
        """The client's key, from beside the request or within, else ours."""
        if self._key is None:
            self._key = _settle_key(self._sent_key, self.asked.idempotency_key)
        return self._key

    @property
    def used_key(self) -> IdempotencyKey:
        """What an answer names, a refusal of an unreadable request too."""
        if self._key is None:
            try:
                self._key = _key_of(self._sent_key)
            except Refusal:
                self._key = IdempotencyKey.make()
        return self._key

    def read(self, instances_max: int) -> TensorEnvelope:
        """Its rows, for the model that it names; a Refusal that says what is wrong."""
        tensor = self.asked.tensor
        if tensor.rows > instances_max:
            raise refuse(f"{tensor.rows} rows; a request takes 1 to {instances_max}: split it")
        return TensorEnvelope(
            self._model, self._version, tensor, self._read_matrix(), self.asked.explain
        )

    def sha256(self) -> bytes:
        """What tells this input from another under the same key: 32 bytes.

        Of what is asked, not of how: the same rows are the same request as JSON, as bytes and
        over gRPC, whatever `id` they carry and whichever outputs are wanted.
        """
        asked, tensor = self.asked, self.asked.tensor
        said = [self._model, self._version, asked.explain, tensor.rows, tensor.columns]
        try:
            matrix = self._read_matrix()
        except Refusal:
            matrix = b"not zeros and ones"  # what no paid request can have said
        return hashlib.sha256(orjson.dumps(said) + b"\n" + matrix).digest()

    def _read_matrix(self) -> bytes:
        if self._matrix is None:
            self._matrix = self.asked.tensor.matrix()
        return self._matrix


def _settle_key(beside: str | None, within: str | None) -> IdempotencyKey:
    if beside is not None and within is not None and beside != within:
        raise Refusal(
            Code.INVALID_IDEMPOTENCY_KEY,
            "The Idempotency-Key beside the request and its parameter `idempotency_key` differ; "
            "send one of them.",
        )
    return _key_of(within if beside is None else beside)


def _key_of(text: str | None) -> IdempotencyKey:
    return IdempotencyKey.from_header(None if text is None else text.encode("latin-1", "replace"))
