import * as v from 'valibot';
import { readBodyAs } from '../requests.ts';
import { type Contract, question } from './contract.ts';

const body = v.looseObject({ query: v.nullish(v.string('text')), fullInput: question });

/** The HTTP context provider of the editor extension Continue. https://docs.continue.dev/customize/deep-dives/custom-providers */
export const continueDev: Contract = {
  path: /^\/continue$/,
  ask: (text) => {
    // The query is empty if the provider was chosen from a menu.
    const { query, fullInput } = readBodyAs(body, text);
    return { q: query?.trim() || fullInput };
  },
  answer: ({ results }) =>
    results.map(({ title, source, text }) => ({ name: title || source, description: source, content: text })),
  // Continue shows each answer as an item, whatever its status.
  refuse: ({ status, detail }) => [{ name: 'polyseek', description: `Error ${status}`, content: detail }],
};
