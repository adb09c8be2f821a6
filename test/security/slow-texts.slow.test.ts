import { describe, expect, test } from 'vitest';
import { tokenCounter } from '../../index/ingest/build.ts';
import { sentences } from '../../index/ingest/passages/sentences.ts';
import { toPassages } from '../../index/ingest/passages/split.ts';
import { termsOf } from '../../index/text/terms.ts';
import { defaultModel } from '../fixtures/index.ts';
import { readBytes } from '../fixtures/read.ts';

// Texts on which an expression or loop of quadratic time would not end within the limit of a test. Linear time needs some
// seconds for each, also on a busy machine.

const LIMIT = 120_000;
/** What only `npm run test:long` repeats. */
const MORE_UNITS = ['\n', '{', '"', '\t', '\u00a0', '`', '\\', '|', ':', '.', '-', 'a '];
const countTokens = tokenCounter(defaultModel().dir);
const options = { countTokens, minTokens: 16, maxTokens: 160 };

/** What slows expressions: white space, and openings of markup that never close. */
const UNITS = [' ', '[', '<', '*', ...(process.env.ALL_RUNS ? MORE_UNITS : [])];
const LENGTH = 30_000;

const around: Record<string, (text: string) => string> = {
  '.txt': (text) => text,
  '.rst': (text) => text,
  '.adoc': (text) => `= Title\n\n${text}`,
  '.1': (text) => `.TH A 1\n.SH NAME\na \\- b\n.SH X\n${text}`,
  '.srt': (text) => `1\n00:00:01,000 --> 00:00:02,000\n${text}\n`,
  '.html': (text) => `<title>Title</title><p>${text}`,
  '.eml': (text) => `From: a@example.org\nSubject: Title\n\n${text}`,
  '.json': (text) => JSON.stringify([{ text }]),
  '.csv': (text) => `title,text\na,"${text.replaceAll('"', '""')}"\n`,
  '.xml': (text) => `<a><b>${text.replaceAll('<', '&lt;')}</b></a>`,
};

describe('reading takes linear time', () => {
  test.each(Object.keys(around))('%s', { timeout: LIMIT }, async (extension) => {
    for (const unit of UNITS) {
      const text = `Some words. ${unit.repeat(LENGTH / unit.length)}x end.\n`;
      const { documents, notices } = await readBytes(`a${extension}`, around[extension]!(text));
      // It is read, or refused with a reason.
      expect(documents.length + notices.length, JSON.stringify(unit)).toBeGreaterThan(0);
    }
  });
});

describe('cutting takes linear time', () => {
  /** Short sentences, which are joined to one that grows. */
  const JOINED = 'あ。';
  const JOINED_LENGTH = process.env.ALL_RUNS ? 700_000 : 300_000;
  // Sentences too short to stand alone, scripts without spaces, marks that never end a word, and quotes before each letter.
  const parts = [
    JOINED,
    'a. ',
    'Mr. ',
    'a',
    'ก ',
    '\u0301',
    '👩🏽‍',
    'x\n',
    ...(process.env.ALL_RUNS
      ? ['A. ', 'あ', 'ก', '。', '\u200d', '\ud800', '"', "('", '1.', '\n', '.', '-']
      : []),
  ];
  test.each(parts)('%j', { timeout: LIMIT }, (part) => {
    const text = `Some words. ${part.repeat((part === JOINED ? JOINED_LENGTH : 100_000) / part.length)}x end.`;
    const passages = toPassages({ source: 'a', blocks: [{ kind: 'paragraph', text }] }, options);
    expect(passages.length).toBeGreaterThan(0);
    for (const passage of passages)
      expect(countTokens(passage.text)).toBeLessThanOrEqual(2 * options.maxTokens);
    sentences(text, 'en');
    termsOf(text);
  });
});
