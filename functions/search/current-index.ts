import type { ClosableSearch, Search } from '../../index/search/answer.ts';
import { CurrentSearch, TIMEOUT } from '../../index/search/current-search.ts';
import { parseAddress } from '../../index/store/s3vectors/address.ts';
import { Generations } from '../../index/store/s3vectors/generations.ts';
import type { Store } from '../../index/store/store.ts';
import { writeEntry } from './log.ts';

/** Starts to open the current index in S3 Vectors. Returns a function that returns it for a request, within `timeout` seconds. */
export function currentIndex(
  address: string,
  searchStore: (store: Store) => Promise<ClosableSearch>,
  timeout = TIMEOUT,
): () => Promise<Search> {
  const generations = new Generations(parseAddress(address), timeout);
  const search = new CurrentSearch(
    {
      current: () => generations.current(),
      open: async (generation) => searchStore(await generations.open(generation)),
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
