import { BundleStore } from '../../../index/store/bundle-store.ts';
import { defaultModel } from '../../fixtures/index.ts';
import { storeContract } from './contract.ts';

storeContract('the bundle', async (index) => {
  const store = BundleStore.open(index, defaultModel().model, true);
  return { store, close: () => store.close() };
});
