import { Document } from '@langchain/core/documents';
import { BaseRetriever, type BaseRetrieverInput } from '@langchain/core/retrievers';
import type { Polyseek, Question } from './client.ts';

/** What to search for besides the question, and a client to search with. */
export interface PolyseekRetrieverInput extends BaseRetrieverInput, Omit<Question, 'q'> {
  client: Polyseek;
}

/**
 * A LangChain.js retriever. A document's content is the passage, with its neighbours where `context` asks for them; its
 * metadata is the document's own with `title`, `source`, `url`, `lang`, `score` and `confidence`.
 * With `minConfidence`, no documents means that nothing certain enough was found.
 */
export class PolyseekRetriever extends BaseRetriever {
  static override lc_name = () => 'PolyseekRetriever';
  override lc_namespace = ['polyseek', 'langchain'];
  readonly #client: Polyseek;
  readonly #options: Omit<Question, 'q'>;

  constructor({ client, callbacks, tags, metadata, verbose, ...options }: PolyseekRetrieverInput) {
    super({ callbacks, tags, metadata, verbose });
    this.#client = client;
    this.#options = options;
  }

  override async _getRelevantDocuments(q: string): Promise<Document[]> {
    const { results } = await this.#client.search({ ...this.#options, q });
    return results.map(({ id, text, metadata, before = [], after = [], highlight, ...rest }) => {
      const pageContent = [...before, { text }, ...after].map((passage) => passage.text).join('\n\n');
      return new Document({ id, pageContent, metadata: { ...metadata, ...rest, highlight: highlight.text } });
    });
  }
}
