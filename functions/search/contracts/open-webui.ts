import * as v from 'valibot';
import { readBodyAs } from '../requests.ts';
import { type Contract, count, question } from './contract.ts';

const body = v.looseObject({ query: question, count });

/** The external web search of Open WebUI. https://docs.openwebui.com/features/web-search/external */
export const openWebui: Contract = {
  path: /^\/open-webui$/,
  ask: (text) => {
    const { query: q, count: k } = readBodyAs(body, text);
    return { q, k };
  },
  answer: ({ results }, linkTo) =>
    results.map((result) => ({
      link: linkTo(result),
      title: result.title || result.source,
      snippet: result.text,
    })),
};
