"""A retriever for LlamaIndex."""

from typing import Unpack

from llama_index.core.retrievers import BaseRetriever
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode

from .client import Options, Polyseek, documents_of


class PolyseekRetriever(BaseRetriever):
    """Returns passages, whose score is the confidence."""

    def __init__(self, client: Polyseek, **options: Unpack[Options]) -> None:
        super().__init__()
        self._client = client
        self._options = options

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        answer = self._client.search(query_bundle.query_str, **self._options)
        return [
            NodeWithScore(
                node=TextNode(id_=result["id"], text=text, metadata=metadata), score=result["confidence"]
            )
            for result, text, metadata in documents_of(answer)
        ]
