"""A retriever for LangChain."""

from typing import Any

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import Field

from .client import Polyseek, documents_of


class PolyseekRetriever(BaseRetriever):
    """Returns passages. Their metadata contains that of the document, `confidence` and the answer's `verdict`."""

    client: Polyseek
    options: dict[str, Any] = Field(default_factory=dict)
    """Options of `Polyseek.search`, such as `k` and `minConfidence`."""

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun
    ) -> list[Document]:
        answer = self.client.search(query, **self.options)
        return [
            Document(id=result["id"], page_content=text, metadata=metadata)
            for result, text, metadata in documents_of(answer)
        ]
