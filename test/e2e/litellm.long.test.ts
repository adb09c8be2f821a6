import { spawn } from 'node:child_process';
import { expect, test } from 'vitest';
import { digestOf } from '../../functions/search/auth.ts';
import type { Answer } from '../../index/search/answer.ts';
import { topicsIndex } from '../fixtures/index.ts';
import { finished, startServer } from '../fixtures/processes.ts';
import { missingTools, tools } from '../fixtures/tools.ts';

const q = 'How often does the light of the Korvane lighthouse flash?';
const key = 'ps_key';

/** Prints what LiteLLM finds in a vector store, and its error for one that does not exist. */
const PROGRAM = `
import json, sys
import litellm
litellm.suppress_debug_info = True
url, key, question = sys.argv[1:]
def search(store, **filters):
    return litellm.vector_stores.search(
        vector_store_id=store, query=question, custom_llm_provider="openai", api_base=f"{url}/v1", api_key=key, **filters
    )["data"]
try:
    search("none")
    refused = None
except Exception as error:
    refused = str(error)
found = search("default", max_num_results=3, filters={"type": "eq", "key": "lang", "value": "en"})
print(json.dumps({"found": [[one["file_id"], one["score"], one["content"][0]["text"]] for one in found], "refused": refused}))
`;

test.skipIf(missingTools('frameworks for Python'))('LiteLLM searches a vector store', async () => {
  const API_KEYS = JSON.stringify({ bot: digestOf(key).toString('hex') });
  const server = await startServer(await topicsIndex(['en', 'zh']), { API_KEYS });
  try {
    const headers = { 'x-api-key': key };
    const response = await fetch(`${server.url}/search?${new URLSearchParams({ q, k: '3', lang: 'en' })}`, {
      headers,
    });
    const { results } = (await response.json()) as Answer;
    // The map of costs in the package, instead of the one on the web.
    const env = { PATH: process.env.PATH, LITELLM_LOCAL_MODEL_COST_MAP: 'True' };
    const child = spawn(tools['frameworks for Python'], ['-c', PROGRAM, server.url, key, q], { env });
    const { code, stdout, stderr } = await finished(child);
    expect([code, stderr]).toEqual([0, '']);
    expect(JSON.parse(stdout)).toEqual({
      found: results.map(({ id, confidence, text }) => [id, confidence, text]),
      refused: expect.stringContaining('There is no such collection.'),
    });
  } finally {
    await server.stop();
  }
});
