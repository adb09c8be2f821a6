import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Answer } from '../../index/search/answer.ts';
import { temporaryFolder } from '../fixtures/index.ts';
import { command, startServer } from '../fixtures/processes.ts';
import { shared } from '../fixtures/shared.ts';

const seed = shared('seed/000_af465b139886446f.txt');
const index = join(temporaryFolder(), 'index');

describe.skipIf(seed.missing)('a newspaper page in Chinese, indexed by npx polyseek index', () => {
  test('returns the answer first for questions in Chinese, English and French over HTTP', async () => {
    expect(await command('index', [seed.path, '--index', index])).toMatchObject({ code: 0 });
    const { url, stop } = await startServer(index);
    try {
      const first = async (q: string) => {
        const response = await fetch(`${url}/search?${new URLSearchParams({ q })}`);
        const { results } = (await response.json()) as Answer;
        return results[0]!.text;
      };
      expect(await first('衡阳累计引进了多少个产业转移项目?')).toMatch(/累计承接转移企业534家/);
      expect(await first('How many industrial-transfer enterprises did Hengyang bring in?')).toMatch(
        /累计承接转移企业534家/,
      );
      expect(await first('Combien de pays achètent les montres ?')).toContain('80多个国家');
    } finally {
      await stop();
    }
  });
});
