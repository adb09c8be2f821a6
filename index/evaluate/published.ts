import type { QuestionEmbedder } from '../embedding/embedder.ts';
import type { ClosableSearch } from '../search/answer.ts';
import { TIMEOUT } from '../search/current-search.ts';
import { searchStore } from '../search/open.ts';
import { parseAddress } from '../store/s3vectors/address.ts';
import { Generations } from '../store/s3vectors/generations.ts';
import { publish } from '../store/s3vectors/publish/publish.ts';

/**
 * Searches indexes in S3 Vectors.
 * @param address replaced by each index
 * @returns a function that publishes the index in a folder, and opens it there
 */
export function publishedTo(
  address: string,
  embedder: QuestionEmbedder,
): (folder: string) => Promise<ClosableSearch> {
  const generations = new Generations(parseAddress(address), TIMEOUT);
  return async (folder) => {
    const { generation } = await publish(folder, parseAddress(address));
    return searchStore(await generations.open(generation), address, embedder);
  };
}
