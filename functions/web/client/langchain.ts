import { Document } from '@langchain/core/documents';
import { BaseRetriever, type BaseRetrieverInput } from '@langchain/core/retrievers';
import type { Polyseek, Question } from './client.ts';

export interface PolyseekRetrieverInput extends BaseRetrieverInput, Omit<Question, 'q'> {
  client: Polyseek;
}

/**
 * A LangChain.js retriever. The content of a document is a passage, with surrounding passages if `context` is set. Its
 * metadata contains the metadata of the source document, and `title`, `source`, `url`, `lang`, `score`, `confidence`,
 * `highlight`, the answer's `verdict` and, if the text has other places, `alsoIn`. With `minConfidence`, an empty result means that no
 * passage is certain enough.
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
    const { verdict, results } = await this.#client.search({ ...this.#options, q });
    return results.map(({ id, text, metadata, before = [], after = [], highlight, ...rest }) => {
      const pageContent = [...before, { text }, ...after].map((passage) => passage.text).join('\n\n');
      return new Document({
        id,
        pageContent,
        metadata: { ...metadata, ...rest, highlight: highlight.text, verdict },
      });
    });
  }
}
