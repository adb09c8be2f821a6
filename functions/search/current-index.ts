import { checkModel } from '../../index/format/manifest.ts';
import type { Search } from '../../index/search/answer.ts';
import { CurrentSearch, TIMEOUT } from '../../index/search/current-search.ts';
import { IndexSearch } from '../../index/search/index-search.ts';
import type { openModel } from '../../index/search/open.ts';
import { parseAddress } from '../../index/store/s3vectors/address.ts';
import { Generations } from '../../index/store/s3vectors/generations.ts';
import { writeEntry } from './log.ts';

/**
 * The current index at an address in S3 Vectors. Starts to open it.
 * @param timeout seconds that a request may take
 * @param model returns the function's model
 * @returns a function that returns the index for a request
 */
export function currentIndex(
  address: string,
  timeout = TIMEOUT,
  model: () => ReturnType<typeof openModel>,
): () => Promise<Search> {
  const generations = new Generations(parseAddress(address), timeout);
  const search = new CurrentSearch(
    {
      current: () => generations.current(),
      open: async (generation) => {
        const [store, embedder] = await Promise.all([generations.open(generation), model()]);
        checkModel(generations.name, store.manifest, embedder.model);
        return new IndexSearch(embedder, store);
      },
      close: () => generations.close(),
    },
    {
      timeout,
      report: (message) => writeEntry({ timestamp: new Date().toISOString(), level: 'INFO', message }),
    },
  );
  // The first request reports a failure.
  search.refresh().catch(() => {});
  return () => search.refresh();
}
