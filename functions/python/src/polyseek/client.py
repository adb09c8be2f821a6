"""Clients of one endpoint, with the models of its answers."""

import asyncio
import random
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Literal, NotRequired, Self, TypedDict, Unpack
from urllib.parse import quote

import httpx

Metadata = dict[str, str | float | bool | list[str]]
Scalar = str | float | bool
Verdict = Literal["answered", "possible", "none"]


class Turn(TypedDict):
    role: Literal["user", "assistant"]
    content: str


class Options(TypedDict, total=False):
    """Fields of a question besides its text. The endpoint's documentation describes them."""

    k: int
    mode: Literal["hybrid", "semantic", "lexical"]
    minConfidence: float
    context: int
    maxCharacters: int
    explain: bool
    matches: bool
    lang: str | list[str]
    source: str | list[str]
    history: list[Turn]
    filter: Mapping[str, Scalar | list[Scalar]]


class Neighbour(TypedDict):
    id: str
    text: str


class Place(TypedDict):
    id: str
    title: str
    source: str
    url: NotRequired[str]


class Passage(TypedDict):
    id: str
    text: str
    title: str
    source: str
    url: NotRequired[str]
    anchor: NotRequired[str]
    lang: str
    metadata: NotRequired[Metadata]
    alsoIn: NotRequired[list[Place]]
    before: NotRequired[list[Neighbour]]
    after: NotRequired[list[Neighbour]]


class Highlight(TypedDict):
    text: str
    start: int
    end: int


class Result(Passage):
    score: float
    confidence: float
    highlight: Highlight
    explain: NotRequired[dict[str, float]]
    evidence: NotRequired[dict[str, float]]
    matches: NotRequired[list[dict[str, Any]]]


class Index(TypedDict):
    version: str
    passages: int
    model: str


class Answer(TypedDict):
    q: str
    searchedFor: NotRequired[dict[str, Any]]
    verdict: Verdict
    answered: bool
    results: list[Result]
    omitted: NotRequired[int]
    took: dict[str, float]
    index: Index


class Health(TypedDict):
    status: Literal["ok"]
    index: Index


class PolyseekError(Exception):
    """A failed call. The message describes the problem and, if known, its solution."""

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        request_id: str | None = None,
        retry_after: float = 0,
    ) -> None:
        super().__init__(message)
        self.status = status
        """HTTP status; None if no response arrived."""
        self.request_id = request_id
        """Identifies the request in the endpoint's log."""
        self.retry_after = retry_after
        """Seconds to wait before a retry."""


# Seconds. A longer wait is left to the caller.
_LONGEST_WAIT = 20


class _Endpoint:
    """What both clients share: requests as arguments of httpx, how to read responses, and when to retry."""

    def __init__(self, url: str, api_key: str | None, timeout: float, retries: int) -> None:
        self._url = url.rstrip("/")
        self._retries = retries
        headers = {"authorization": f"Bearer {api_key}"} if api_key else {}
        self._settings: dict[str, Any] = {"headers": headers, "timeout": timeout}

    def _search(self, q: str, options: Options) -> dict[str, Any]:
        return {"method": "POST", "url": f"{self._url}/search", "json": {"q": q, **options}}

    def _passage(self, id: str, context: int) -> dict[str, Any]:
        return {"method": "GET", "url": f"{self._url}/passages/{quote(id, safe='')}?context={context}"}

    def _health(self) -> dict[str, Any]:
        return {"method": "GET", "url": f"{self._url}/health"}

    def _read(self, response: httpx.Response) -> Any:
        try:
            body = response.json()
        except ValueError:
            body = None
        if response.is_success and isinstance(body, dict):
            return body
        # A problem document (RFC 9457), or a gateway's message.
        known = body if isinstance(body, dict) else {}
        fault = "did not return JSON" if response.is_success else f"returned status {response.status_code}"
        raise PolyseekError(
            known.get("detail") or known.get("message") or f"{self._url} {fault}. Check the url.",
            status=response.status_code,
            request_id=response.headers.get("x-request-id") or response.headers.get("apigw-requestid"),
            retry_after=_retry_after(response.headers.get("retry-after")),
        )

    def _unreachable(self, error: httpx.TransportError) -> PolyseekError:
        return PolyseekError(f"{self._url} cannot be reached ({error!r}). Check the url and the connection.")

    def _wait(self, error: PolyseekError, attempt: int) -> float:
        """Seconds until the next attempt. Raises the error if there is none."""
        is_temporary = error.status is None or error.status == 429 or error.status >= 500
        if not is_temporary or attempt >= self._retries or error.retry_after > _LONGEST_WAIT:
            raise error
        return max(random.uniform(0, min(5, 0.25 * 2.0**attempt)), error.retry_after)


def _retry_after(value: str | None) -> float:
    """Seconds of a Retry-After header (RFC 9110, 10.2.3)."""
    if value is None:
        return 0
    if value.isdigit():
        return float(value)
    try:
        return max(0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return 0


class Polyseek(_Endpoint):
    """A client of one endpoint.

    :param url: such as https://abcde12345.execute-api.eu-central-1.amazonaws.com, with /c/NAME for a collection
    :param api_key: an API key, or a token
    :param timeout: maximum seconds of one attempt
    :param retries: maximum number of retries after a temporary error: 429, 5xx, no connection, timeout
    :param transport: replaces httpx's own
    """

    def __init__(
        self,
        url: str,
        api_key: str | None = None,
        *,
        timeout: float = 10,
        retries: int = 3,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        super().__init__(url, api_key, timeout, retries)
        self._http = httpx.Client(transport=transport, **self._settings)

    def search(self, q: str, **options: Unpack[Options]) -> Answer:
        """Finds the passages that answer a question. Raises `PolyseekError`."""
        return self._call(self._search(q, options))  # type: ignore[no-any-return]

    def passage(self, id: str, *, context: int = 0) -> Passage:
        """Gets a passage, and `context` surrounding passages on each side. Raises as `search` does."""
        return self._call(self._passage(id, context))  # type: ignore[no-any-return]

    def health(self) -> Health:
        """Gets the version, size and model of the index. Raises as `search` does."""
        return self._call(self._health())  # type: ignore[no-any-return]

    def _call(self, request: dict[str, Any]) -> Any:
        for attempt in range(self._retries + 1):
            try:
                return self._read(self._http.request(**request))
            except httpx.TransportError as cause:
                error = self._unreachable(cause)
            except PolyseekError as refused:
                error = refused
            time.sleep(self._wait(error, attempt))

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncPolyseek(_Endpoint):
    """As `Polyseek`, with coroutines."""

    def __init__(
        self,
        url: str,
        api_key: str | None = None,
        *,
        timeout: float = 10,
        retries: int = 3,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        super().__init__(url, api_key, timeout, retries)
        self._http = httpx.AsyncClient(transport=transport, **self._settings)

    async def search(self, q: str, **options: Unpack[Options]) -> Answer:
        return await self._call(self._search(q, options))  # type: ignore[no-any-return]

    async def passage(self, id: str, *, context: int = 0) -> Passage:
        return await self._call(self._passage(id, context))  # type: ignore[no-any-return]

    async def health(self) -> Health:
        return await self._call(self._health())  # type: ignore[no-any-return]

    async def _call(self, request: dict[str, Any]) -> Any:
        for attempt in range(self._retries + 1):
            try:
                return self._read(await self._http.request(**request))
            except httpx.TransportError as cause:
                error = self._unreachable(cause)
            except PolyseekError as refused:
                error = refused
            await asyncio.sleep(self._wait(error, attempt))

    async def close(self) -> None:
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def documents_of(answer: Answer) -> list[tuple[Result, str, dict[str, Any]]]:
    """The results of an answer for a framework: each with its text, which includes surrounding passages, and its metadata."""
    documents = []
    for result in answer["results"]:
        parts = [*result.get("before", []), result, *result.get("after", [])]
        own = ("title", "source", "url", "lang", "confidence")
        metadata = {
            **result.get("metadata", {}),
            **{name: value for name, value in result.items() if name in own},
            "verdict": answer["verdict"],
        }
        documents.append((result, "\n\n".join(part["text"] for part in parts), metadata))
    return documents
