"""The bodies of an infer request and its answer over REST: JSON, with tensors behind it as bytes.

The header `Inference-Header-Content-Length` says where the JSON ends and the bytes begin.
"""

from __future__ import annotations

from typing import Any

import orjson

from serve.refusals import Code, Refusal
from serve.v2.call import Asked
from serve.v2.outputs import Output, Requested, check_requested, request_all
from serve.v2.reading import Reader, read_parameters, read_tensor_head
from serve.v2.tensors import Elements, Tensor, refuse, shown

_FIELDS = frozenset({"id", "parameters", "inputs", "outputs", "model_name", "model_version"})
_INPUT_FIELDS = frozenset({"name", "datatype", "shape", "parameters", "data"})
_OUTPUT_FIELDS = frozenset({"name", "parameters"})


def read_request(
    body: bytes, json_bytes: int | None, model: str, version: str | None = None
) -> Asked:
    """What an infer request asks; raises a Refusal that says what is wrong with it.

    The first `json_bytes` are JSON and the rest is tensors; None: there is nothing but JSON.
    `model` and `version` are those of the path.
    """
    head, tail = (body, None) if json_bytes is None else (body[:json_bytes], body[json_bytes:])
    said = Reader.of(_decode(head), "the request", _FIELDS)
    _check_named(said, "model_name", model)
    _check_named(said, "model_version", version)
    parameters = read_parameters(said, {"explain", "idempotency_key", "binary_data_output"})
    binary, explain = parameters.flag("binary_data_output"), parameters.flag("explain")
    return Asked(
        tensor=_read_input(said, tail),
        outputs=_read_outputs(said, binary, explain=explain),
        id=said.text("id"),
        idempotency_key=parameters.text("idempotency_key"),
        explain=explain,
    )


def _decode(head: bytes) -> Any:  # noqa: ANN401 - whatever the client sent
    try:
        return orjson.loads(head)
    except orjson.JSONDecodeError as error:
        raise Refusal(
            Code.INVALID_JSON, f"The request is not JSON: {error.msg} at byte {error.pos}."
        ) from None


def _check_named(said: Reader, field: str, in_path: str | None) -> None:
    """One client repeats in the body what the path says, which the protocol does not have."""
    named = said.text(field)
    if named is not None and named != in_path:
        raise refuse(f"`{field}` is {shown(named)}; the path says {shown(in_path)}, and it counts")


def _read_input(said: Reader, tail: bytes | None) -> Tensor:
    inputs = said.items("inputs")
    if len(inputs) != 1:
        raise refuse(f"{len(inputs)} inputs; a request has one, `features`")
    given = Reader.of(inputs[0], "the input", _INPUT_FIELDS)
    name, datatype, rows, columns = read_tensor_head(
        given.text("name"), given.text("datatype"), given.items("shape")
    )
    return Tensor(name, datatype, rows, columns, _read_elements(given, tail))


def _read_elements(given: Reader, tail: bytes | None) -> Elements:
    size = read_parameters(given, {"binary_data_size"}).count("binary_data_size")
    if size is None:
        if tail:
            raise refuse(f"{len(tail)} bytes follow the JSON; the input has no `binary_data_size`")
        return given.items("data")
    if "data" in given.fields:
        raise refuse("the input has both `data` and `binary_data_size`")
    if tail is None:
        raise refuse("`binary_data_size` needs the header `Inference-Header-Content-Length`")
    if len(tail) != size:
        raise refuse(f"`binary_data_size` is {size}; {len(tail)} bytes follow the JSON")
    return tail


def _read_outputs(said: Reader, binary: bool, *, explain: bool) -> tuple[Requested, ...]:
    if not said.fields.get("outputs"):
        return request_all(binary, explain=explain)
    requested = []
    for each in said.items("outputs"):
        output = Reader.of(each, "an output", _OUTPUT_FIELDS)
        parameters = read_parameters(output, {"binary_data"})
        name = output.text("name")
        if name is None:
            raise refuse("an output has no name")
        requested.append(Requested(name, parameters.flag("binary_data", default=binary)))
    return check_requested(requested, explain=explain)


def write_answer(members: dict[str, Any], outputs: list[Output]) -> tuple[bytes, int | None]:
    """The body of an answer, and the bytes of JSON in it where tensors follow as bytes.

    `members` come before the outputs.
    """
    tail = [output.raw() for output in outputs if output.binary]
    sizes = iter(tail)
    head = orjson.dumps(
        {**members, "outputs": [_tensor_members(output, sizes) for output in outputs]}
    )
    return (b"".join((head, *tail)), len(head)) if tail else (head, None)


def _tensor_members(output: Output, tail: Any) -> dict[str, Any]:  # noqa: ANN401 - an iterator
    members: dict[str, Any] = {
        "name": output.name,
        "datatype": output.datatype,
        "shape": [len(output.values)],
    }
    if output.binary:
        members["parameters"] = {"binary_data_size": len(next(tail))}
    else:
        members["data"] = output.listed()
    return members


def read_json_bytes(header: bytes | None, body_bytes: int) -> int | None:
    """`Inference-Header-Content-Length` as a number; a Refusal where it is none of this body's."""
    if header is None:
        return None
    if not header.isdigit() or int(header) > body_bytes:
        raise refuse(
            f"Inference-Header-Content-Length is {shown(header.decode('latin-1'))}; "
            f"the body has {body_bytes} bytes"
        )
    return int(header)
