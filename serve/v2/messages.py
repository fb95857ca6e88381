"""The messages of an infer request and its answer over gRPC."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from serve.v2.call import Asked
from serve.v2.inference_pb2 import InferParameter, ModelInferRequest, ModelInferResponse
from serve.v2.outputs import Output, Requested, check_requested, request_all
from serve.v2.reading import Reader, read_parameters, read_tensor_head
from serve.v2.tensors import Datatype, Elements, Tensor, refuse

_TEXTS = "BYTES"


def read_request(request: ModelInferRequest) -> Asked:
    """What an infer request asks; raises a Refusal that says what is wrong with it.

    Outputs are answered in the form of the input: raw, or in the fields of their datatypes.
    """
    is_raw = bool(request.raw_input_contents)
    parameters = _read_parameters(request, "the request", {"explain", "idempotency_key"})
    explain = parameters.flag("explain")
    return Asked(
        tensor=_read_input(request, is_raw),
        outputs=_read_outputs(request, is_raw, explain=explain),
        id=request.id or None,
        idempotency_key=parameters.text("idempotency_key"),
        explain=explain,
    )


def _read_parameters(message: Any, about: str, known: set[str]) -> Reader:  # noqa: ANN401 - has `parameters`
    values = {name: _value_of(parameter) for name, parameter in message.parameters.items()}
    return read_parameters(Reader({"parameters": values}, about), known)


def _value_of(parameter: InferParameter) -> object:
    chosen = parameter.WhichOneof("parameter_choice")
    return None if chosen is None else getattr(parameter, chosen)


def _read_input(request: ModelInferRequest, is_raw: bool) -> Tensor:
    if len(request.inputs) != 1:
        raise refuse(f"{len(request.inputs)} inputs; a request has one, `features`")
    given = request.inputs[0]
    # One client says the size of raw contents too; they say it themselves.
    _read_parameters(given, "the input", {"binary_data_size"})
    name, datatype, rows, columns = read_tensor_head(given.name, given.datatype, given.shape)
    return Tensor(name, datatype, rows, columns, _read_elements(request, datatype, is_raw))


def _read_elements(request: ModelInferRequest, datatype: Datatype, is_raw: bool) -> Elements:
    contents = request.inputs[0].contents
    filled = [field.name for field, _ in contents.ListFields()]
    if not is_raw:
        if filled != [datatype.contents]:
            raise refuse(
                f"the elements of {datatype.name} stand in `{datatype.contents}` or in "
                f"`raw_input_contents`, not in {', '.join(filled) or 'neither'}"
            )
        values: list[Any] = list(getattr(contents, datatype.contents))
        return values
    if filled:
        raise refuse("the request has both `raw_input_contents` and `contents`")
    if len(request.raw_input_contents) != 1:
        raise refuse(f"{len(request.raw_input_contents)} raw_input_contents for one input")
    return bytes(request.raw_input_contents[0])


def _read_outputs(
    request: ModelInferRequest, is_raw: bool, *, explain: bool
) -> tuple[Requested, ...]:
    if not request.outputs:
        return request_all(is_raw, explain=explain)
    for each in request.outputs:
        _read_parameters(each, "an output", {"binary_data"})
    return check_requested(
        [Requested(each.name, is_raw) for each in request.outputs], explain=explain
    )


def add_parameters(response: ModelInferResponse, parameters: Mapping[str, str | bool]) -> None:
    """Put `parameters` into the answer."""
    for name, value in parameters.items():
        if isinstance(value, bool):
            response.parameters[name].bool_param = value
        else:
            response.parameters[name].string_param = value


def add_outputs(response: ModelInferResponse, outputs: Sequence[Output]) -> None:
    """Put the tensors into the answer, each in the form that was asked for."""
    for output in outputs:
        tensor = response.outputs.add(
            name=output.name, datatype=output.datatype, shape=[len(output.values)]
        )
        if output.binary:
            response.raw_output_contents.append(output.raw())
        elif output.datatype == _TEXTS:
            tensor.contents.bytes_contents.extend(str(text).encode() for text in output.listed())
        else:
            tensor.contents.fp64_contents.extend(map(float, output.listed()))
