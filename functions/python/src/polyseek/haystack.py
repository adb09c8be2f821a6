"""A retriever for Haystack."""

from typing import Unpack

from haystack import Document, component

from .client import Options, Polyseek, documents_of


@component
class PolyseekRetriever:
    """Returns passages, whose score is the confidence."""

    def __init__(self, client: Polyseek, **options: Unpack[Options]) -> None:
        self._client = client
        self._options = options

    @component.output_types(documents=list[Document])
    def run(self, query: str) -> dict[str, list[Document]]:
        answer = self._client.search(query, **self._options)
        documents = [
            Document(id=result["id"], content=text, meta=metadata, score=result["confidence"])
            for result, text, metadata in documents_of(answer)
        ]
        return {"documents": documents}
