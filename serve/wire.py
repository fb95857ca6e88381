"""The JSON that clients see, as types: what OpenAPI documents and the read routes answer."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
)

from billing.credits import Credits

CreditsText = Annotated[
    str,
    Field(
        pattern=r"^-?\d+(\.\d{1,6})?$",
        description="Credits as a plain decimal string, shortest form",
        examples=["999", "0.5"],
    ),
]


def _read_amount(value: object) -> object:
    """Text alone: a JSON number may have been rounded on its way."""
    if isinstance(value, Credits):
        return value
    if not isinstance(value, str):
        raise ValueError('an amount is a string, such as "12" or "0.25"')  # noqa: TRY004
    return Credits.parse(value)


Amount = Annotated[
    Credits,
    BeforeValidator(_read_amount),
    PlainSerializer(str, return_type=str),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^-?\d+(\.\d{1,6})?$",
            "description": "Credits as a plain decimal string",
            "examples": ["12", "0.25"],
        }
    ),
]
"""Credits in a request's body or an answer."""

_LAST_YEAR = 9_000


def to_utc(moment: datetime) -> datetime:
    """A ValueError near either end of time, where a change of the offset would pass it, and for
    a time without an offset."""
    if moment.tzinfo is None or not 1 < moment.year < _LAST_YEAR:
        raise ValueError("this moment is out of range")
    return moment.astimezone(UTC)


Moment = Annotated[AwareDatetime, AfterValidator(to_utc)]
"""A time with an offset (RFC 3339), in UTC from here on."""


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("the character NUL cannot be stored")
    return text


Text = Annotated[str, AfterValidator(_without_nul)]
"""What goes to the database as it is: PostgreSQL takes every character but NUL."""

ZeroOrOne = Literal[0, 1]


class Wire(BaseModel):
    """Base of what goes over the wire: nothing that is not documented."""

    model_config = ConfigDict(extra="forbid")


class PredictionRequest(Wire):
    """One request: any number of instances from 1 to 1,024, scored and charged together."""

    model: str = Field(description="Name of a model, see GET /v1/models")
    version: str | None = Field(default=None, description="Left out: the champion")
    explain: bool = Field(
        default=False,
        description="Whether to tell with each prediction what contributed to it; paid beside it, "
        "for 64 instances a request at most",
    )
    instances: list[list[str] | dict[str, ZeroOrOne] | list[ZeroOrOne]] = Field(
        min_length=1,
        max_length=1024,
        description="Each a list of the names of the features that are present, an object of name "
        "to 0 or 1 (left out: 0), or a dense list with one 0 or 1 for each feature of the model",
    )

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"model": "android-malware", "instances": [["SEND_SMS", "INTERNET"]]}]
        },
    )


class Contribution(Wire):
    """What one feature of an instance adds to the log-odds of the positive label."""

    feature: str
    value: ZeroOrOne = Field(description="Whether the instance has the feature; both can tell")
    contribution: float = Field(description="Above zero: towards the positive label")


class Explanation(Wire):
    """base + the contributions + rest = raw_score, the log-odds of the probability."""

    base: float = Field(description="The model's log-odds before it looks at an instance")
    raw_score: float = Field(description="probability = 1 / (1 + exp(-raw_score))")
    contributions: list[Contribution] = Field(
        description="Up to 10, the largest by absolute value first"
    )
    rest: float = Field(description="Sum of the contributions of all other features")


class Prediction(Wire):
    """What the model says of one instance."""

    label: str = Field(examples=["malware"])
    probability: float = Field(ge=0, le=1, description="Probability of the positive label")
    explanation: Explanation | None = Field(
        default=None, description="Where the request said `explain`; not there otherwise"
    )


class PredictionAnswer(Wire):
    """Predictions in the order of the instances, and what they cost."""

    id: str = Field(description="The charge id; GET /v1/predictions/{id} gives this answer again")
    model: str
    version: str
    predictions: list[Prediction]
    credits_charged: CreditsText
    credits_balance: CreditsText


class ExplainedInstance(Wire):
    """One instance of a paid prediction, with what contributed to it."""

    id: str = Field(description="The charge id of the prediction")
    model: str
    version: str = Field(description="The one that answered")
    instance: int = Field(ge=0, description="Which one, counted from 0")
    prediction: Prediction


class ModelCard(Wire):
    """One version of a model that can be asked."""

    name: str
    version: str
    kind: str
    labels: dict[str, str] = Field(description="The negative and the positive label")
    threshold: float = Field(description="From this probability on the label is the positive one")
    features: list[str] = Field(description="Names, in the order of a dense instance")
    features_sha256: str
    price_per_instance: CreditsText | None = Field(
        description="null: no price is in effect, so it cannot be scored now"
    )
    explanation_price_per_instance: CreditsText | None = Field(
        description="Paid beside the prediction; null: it cannot be explained, or has no price"
    )
    created_at: str
    default: bool = Field(description="Whether a request without a version gets this one")
    alias: Literal["champion", "challenger"] | None = Field(
        description="champion: answers requests without a version. challenger: is on trial against "
        "it. null: answers who names it"
    )
    canary_percent: int = Field(
        ge=0,
        le=100,
        description="Of a challenger: the share of accounts whose requests without a version it "
        "answers instead of the champion, the same accounts each time",
    )
    shadow: bool = Field(
        description="Of a challenger: whether it also scores what the champion answers, to be "
        "compared; never answered or charged"
    )


class ModelList(Wire):
    """All models and versions that can be asked."""

    models: list[ModelCard]


class Account(Wire):
    """The account behind the API key or the session."""

    account: str
    account_id: str
    key_id: str = Field(description="The public part of the key; `session`: came by a session")
    credits_balance: CreditsText


class Status(Wire):
    """A probe's answer."""

    status: str


class ProblemFault(Wire):
    """One fault in a body, or in the query of packed rows."""

    pointer: str = Field(
        description="JSON pointer (RFC 6901) into the body, /instances/ROW/COLUMN in packed rows "
        "too; query/NAME: a parameter of the query"
    )
    detail: str


class Problem(BaseModel):
    """A problem document (RFC 9457). `code` is stable; branch on it."""

    model_config = ConfigDict(extra="forbid", title="Problem")

    type: str
    title: str
    status: int
    code: str
    detail: str
    request_id: str
    required: CreditsText | None = Field(
        default=None, description="What the request costs, with a 402"
    )
    available: CreditsText | None = Field(
        default=None, description="With insufficient_credits and confirmation_needed"
    )
    retry_after_seconds: int | None = Field(default=None, description="With too_many_attempts")
    left: CreditsText | None = Field(
        default=None, description="What the key's cap leaves, with spending_cap_reached"
    )
    errors: list[ProblemFault] | None = Field(
        default=None, description="Every fault found, up to 20"
    )


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """OpenAPI's `responses` for an operation that can answer these statuses."""
    return {
        status: {
            "description": _PROBLEM_DESCRIPTIONS[status],
            "content": {
                "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
            },
        }
        for status in statuses
    }


_PROBLEM_DESCRIPTIONS = {
    400: "The message's signature is wrong or too old; nothing happened",
    401: "No API key or session, or one that is malformed, unknown, expired or ended",
    402: "Not enough credits (a prediction's `required`, `available`), or the key's cap is "
    "reached (`required`, `left`)",
    403: "The key's scopes, or the caller's role, do not allow it",
    404: "No such model, version, prediction, route or other thing of the caller's",
    405: "The route does not take this method",
    406: "Explanations are answered as JSON alone",
    409: "Not in this state, or a request with the same Idempotency-Key is still running",
    410: "Pruned after 24 hours (a stored answer, free), retired (a model's version), or used up "
    "(a link)",
    413: "The body is too large",
    415: "The body is not declared as JSON",
    422: "Not JSON, wrong shape, unknown feature, a model that cannot explain, or the key was "
    "used with another body",
    429: "The queue, or the caller's share of it, is full, or this was asked too often; see "
    "Retry-After",
    500: "The model failed on this input, or something went wrong; nothing was charged",
    503: "The ledger or the model is out of reach, the model cannot be loaded or has no price, or "
    "the deadline passed; see Retry-After",
}
