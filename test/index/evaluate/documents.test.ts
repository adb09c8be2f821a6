import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { documentsTable, evaluateDocuments, readCollection } from '../../../index/evaluate/real-documents.ts';
import { lexicalBuilder, writeLines } from '../../fixtures/evaluation.ts';
import { temporaryFolder } from '../../fixtures/index.ts';

const folder = temporaryFolder();
const builder = lexicalBuilder();

const DOCUMENTS = {
  'en/light.html': '<h1>Light</h1><p>The light flashes\n once every <b>twelve</b> seconds.</p>',
  'en/boat.html': '<h1>Boat</h1><p>The boat sails every morning.</p>',
  'de/licht.md': '# Licht\n\nDas Licht blinkt alle zwölf Sekunden.\n',
};

/** Writes a collection with these questions. */
function writeCollection(name: string, questions: readonly object[]): string {
  const dir = join(folder, name);
  for (const [source, text] of Object.entries(DOCUMENTS)) {
    const path = join(dir, 'documents', source);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  writeLines(dir, 'questions.jsonl', questions);
  return dir;
}

const dev = { id: 'q', lang: 'en', text: 'light flashes', split: 'dev', answers: [] };
const light = { source: 'en/light.html', contains: 'once every twelve\nseconds' };
const licht = { source: 'de/licht.md', contains: 'alle zwölf' };
const boat = { source: 'en/boat.html', contains: 'every morning' };

test('scores the questions of a split, by collection and together', async () => {
  const one = writeCollection('one', [
    { ...dev, id: 'right', answers: [licht, light] },
    { ...dev, id: 'second', text: 'light flashes boat', answers: [boat] },
    { ...dev, id: 'lost', answers: [licht] },
    { ...dev, id: 'topic' },
    { ...dev, id: 'none', text: 'wireguard' },
    { ...dev, id: 'held out', text: 'wireguard', split: 'test', answers: [light] },
  ]);
  const two = writeCollection('two', [{ ...dev, id: 'boat', text: 'boat sails', answers: [boat] }]);
  const collections = await Promise.all([one, two].map(readCollection));
  const report = await evaluateDocuments(builder(), collections, 'dev');
  expect(report.collections.one).toMatchObject({
    answerable: { questions: 3, right: 1 },
    rightInFive: 2,
    unanswerable: { questions: 2 },
  });
  expect(report.collections.two).toMatchObject({
    answerable: { questions: 1, right: 1 },
    rightInFive: 1,
    unanswerable: { questions: 0 },
  });
  expect(report.all).toMatchObject({
    answerable: { questions: 4, right: 2 },
    rightInFive: 3,
    unanswerable: { questions: 2 },
  });
  const table = documentsTable(report);
  expect(table).toMatch(/^documents, split dev\n +one +two +all\nanswerable questions +3 +1 +4\n/);
  expect(table).toMatch(/^right in the first five, of answerable +0\.667 +1\.000 +0\.750$/m);

  const held = await evaluateDocuments(builder(), collections.slice(0, 1), 'test');
  expect(held.all).toMatchObject({ answerable: { questions: 1, right: 0 }, rightInFive: 0 });
  await expect(evaluateDocuments(builder(), collections, 'test')).rejects.toThrow(
    'two has no questions for the split test. Leave it out.',
  );
});

test('lists the questions that failed, and what ranked instead', async () => {
  const dir = writeCollection('failures', [
    { ...dev, id: 'right', answers: [light] },
    { ...dev, id: 'second', text: 'light boat boat', answers: [light] },
    { ...dev, id: 'lost', text: 'boat', answers: [licht] },
    { ...dev, id: 'none', text: 'wireguard', answers: [boat] },
  ]);
  const collections = [await readCollection(dir)];
  expect(await evaluateDocuments(builder(), collections, 'dev')).not.toHaveProperty('failures');
  const report = await evaluateDocuments(builder(), collections, 'dev', true);
  const boatResult = { source: 'en/boat.html', title: 'Boat' };
  expect(report.failures).toEqual([
    {
      collection: 'failures',
      id: 'second',
      lang: 'en',
      text: 'light boat boat',
      expected: [light],
      rank: 2,
      verdict: expect.any(String),
      first: boatResult,
    },
    {
      collection: 'failures',
      id: 'lost',
      lang: 'en',
      text: 'boat',
      expected: [licht],
      rank: null,
      verdict: expect.any(String),
      first: boatResult,
    },
    {
      collection: 'failures',
      id: 'none',
      lang: 'en',
      text: 'wireguard',
      expected: [boat],
      rank: null,
      verdict: 'none',
      first: null,
    },
  ]);
  expect(documentsTable(report)).toMatch(
    /\n\nfailed questions: 3\n\nfailures second: light boat boat\n {2}expected {2}en\/light\.html: once every twelve seconds\n {2}rank {6}2\n {2}first {5}en\/boat\.html: Boat\n {2}verdict {3}\w+\n\n/,
  );
  expect(documentsTable(report)).toMatch(
    /\n {2}rank {6}not found\n {2}first {5}no result\n {2}verdict {3}none$/,
  );
});

test.each([
  [
    'an unknown split',
    { split: 'train' },
    '"split" must be one of dev, test, learn, choose, report but is "train".',
  ],
  [
    'missing answers',
    { answers: undefined },
    '"answers" must be a list of {source, contains} but is missing.',
  ],
  [
    'an empty snippet',
    { answers: [{ ...light, contains: ' ' }] },
    '"answers" must be a list of {source, contains}',
  ],
  [
    'an unknown document',
    { answers: [{ ...light, source: 'light.html' }] },
    'no document is named "light.html". Copy both',
  ],
  [
    'an unknown snippet',
    { answers: [{ ...light, contains: 'twelve minutes' }] },
    'en/light.html does not contain "twelve minutes". Copy both',
  ],
  ['an empty text', { text: '' }, '"text" must be a non-empty string but is "".'],
])('refuses %s with the line', async (_what, fields, message) => {
  const dir = writeCollection('wrong', [dev, { ...dev, id: 'b', ...fields }]);
  await expect(readCollection(dir)).rejects.toThrow(`${dir}/questions.jsonl:2: ${message}`);
});
