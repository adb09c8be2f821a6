import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { openApi } from '../../functions/search/openapi.ts';
import { buildTopics, temporaryFolder } from '../fixtures/index.ts';
import { finished, startServer } from '../fixtures/processes.ts';
import { missingTools, tools } from '../fixtures/tools.ts';

/** Random examples for each operation. `EXAMPLES=1000 npx vitest run test/e2e/openapi.long.test.ts` is the long run. */
const EXAMPLES = Number(process.env.EXAMPLES ?? 60);
const TIMEOUT = 2000 * Math.max(EXAMPLES, 60);

/** Knowledge that is not in the document: filters are limited to the fields of the index, and bodies to 64 KiB. */
const config = `
warnings = false
seed = 1
generation.max-examples = 60
generation.database = "none"
phases.fuzzing.generation.max-examples = ${EXAMPLES}
[[operations]]
include-name = "POST /search"
checks.positive_data_acceptance.expected-statuses = ["2xx", "400"]
checks.negative_data_rejection.expected-statuses = ["400", "401", "403", "404", "405", "406", "413", "415"]
`;

describe.skipIf(missingTools('schemathesis'))('schemathesis, with all its checks', () => {
  const folder = temporaryFolder();
  const index = join(folder, 'index');
  beforeAll(() => buildTopics(index, ['en', 'de']));

  /** Sends hundreds of valid and invalid requests, equal in every run. Returns the report. */
  async function run(url: string, headers: Record<string, string>) {
    const document = (await (await fetch(`${url}/openapi.json`, { headers })).json()) as ReturnType<
      typeof openApi
    >;
    // Passage ids are known from answers only.
    Object.assign(document.paths['/search'].post.responses[200], {
      links: {
        passage: { operationId: 'getPassage', parameters: { id: '$response.body#/results/0/id' } },
      },
    });
    const [file, settings] = [join(folder, 'openapi.json'), join(folder, 'schemathesis.toml')];
    writeFileSync(file, JSON.stringify(document));
    writeFileSync(settings, config);
    const sent = Object.entries(headers).flatMap(([name, value]) => ['--header', `${name}: ${value}`]);
    const args = ['--no-color', '--config-file', settings, 'run', file, '--url', url, '--checks', 'all'];
    args.push(...sent);
    return finished(spawn(tools.schemathesis, args, { cwd: folder }));
  }

  const key = 'ps_key';
  const API_KEYS = JSON.stringify({ chatbot: createHash('sha256').update(key).digest('hex') });
  test.each([
    ['open', {}, {}],
    ['with API keys', { API_KEYS }, { Authorization: `Bearer ${key}` }],
  ])(
    'finds no problems in the running server, %s',
    async (_, env: Record<string, string>, headers: Record<string, string>) => {
      const server = await startServer(index, env);
      try {
        const { code, stdout, stderr } = await run(server.url, headers);
        expect(stderr).toBe('');
        expect(stdout).toMatch(/Operations: +5 selected/);
        for (const phase of ['Examples', 'Coverage', 'Fuzzing', 'Stateful']) {
          expect(stdout).toContain(`✅ ${phase}`);
        }
        expect(code, stdout).toBe(0);
      } finally {
        await server.stop();
      }
    },
    TIMEOUT,
  );
});
