import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Conversation, readConversations } from '../../../index/evaluate/conversations.ts';
import { readSet } from '../../../index/evaluate/set.ts';
import { root, setFolder, temporaryFolder } from '../../fixtures/index.ts';

const languages = ['ar', 'de', 'en', 'fr', 'hi', 'zh'];

describe("the project's own conversations", () => {
  let conversations: Conversation[];
  beforeAll(async () => {
    conversations = await readConversations(join(root, 'test/quality/conversations'));
  });

  test('are 26 per language, and half of each kind is for tuning and half for testing', () => {
    for (const lang of languages) {
      const own = conversations.filter((one) => one.lang === lang);
      expect(own).toHaveLength(26);
      for (const kind of new Set(own.map((one) => one.kind))) {
        const of = (split: string) => own.filter((one) => one.kind === kind && one.split === split).length;
        expect(of('dev'), kind).toBe(of('test'));
      }
    }
    const alone = conversations.filter(({ rewritten }) => !rewritten);
    expect(new Set(alone.map(({ kind }) => kind))).toEqual(new Set(['switch', 'keywords']));
    expect(alone.length / conversations.length).toBeGreaterThanOrEqual(0.25);
  });

  test('have no topic in both halves, and each has one answering passage in its set', async () => {
    const topics = { dev: new Set<string>(), test: new Set<string>() };
    const sets = new Map(
      await Promise.all(languages.map(async (lang) => [lang, await readSet(setFolder(lang))] as const)),
    );
    for (const { id, lang, split, relevant } of conversations) {
      expect(relevant, id).toHaveLength(1);
      expect(
        sets.get(lang)!.passages.some((passage) => passage.id === relevant[0]),
        id,
      ).toBe(true);
      topics[split as 'dev' | 'test'].add(relevant[0]!.split('-')[1]!);
    }
    expect(topics.dev.size).toBe(5);
    for (const topic of topics.dev) expect(topics.test).not.toContain(topic);
  });

  test('have distinct questions, and all text is trimmed and in NFC', async () => {
    const asked = conversations.flatMap(({ q, rewritten }) => rewritten ?? q);
    expect(new Set(asked).size).toBe(asked.length);
    for (const { history, q } of conversations) {
      expect(history[0]!.role).toBe('user');
      for (const text of [q, ...history.map(({ content }) => content)])
        expect(text).toBe(text.normalize('NFC').trim());
    }
  });
});

describe('readConversations', () => {
  const folder = temporaryFolder();
  const valid = { id: 'a', lang: 'en', split: 'test', kind: 'x', history: [], q: 'q', relevant: [] };

  test.each([
    [
      { ...valid, history: [{ role: 'system', content: 'x' }] },
      /:1: "history" must be a list of \{role, content\} but is \[/,
    ],
    [{ ...valid, history: undefined }, /:1: "history" must be .* but is missing\.$/],
    [{ ...valid, relevant: [1] }, /:1: "relevant" must be a list of passage ids but is \[1\]\.$/],
    [{ ...valid, q: '' }, /:1: "q" must be a non-empty string but is ""\.$/],
    [{ ...valid, rewritten: 5 }, /:1: "rewritten" must be a non-empty string but is 5\.$/],
  ])('refuses %j', async (line, message) => {
    const dir = join(folder, String(message).replace(/\W/g, ''));
    mkdirSync(dir);
    writeFileSync(join(dir, 'conversations.jsonl'), JSON.stringify(line));
    await expect(readConversations(dir)).rejects.toThrow(message);
  });

  test('reads all fields', async () => {
    writeFileSync(join(folder, 'conversations.jsonl'), `${JSON.stringify(valid)}\n`);
    expect(await readConversations(folder)).toEqual([valid]);
  });
});
