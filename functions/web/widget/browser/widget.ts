import { PolyseekSearch } from './element.ts';

export { PolyseekSearch };

// A page may load the module from two addresses. In Node, as when a framework renders on a server, there are no elements.
if (globalThis.customElements && !customElements.get('polyseek-search'))
  customElements.define('polyseek-search', PolyseekSearch);
