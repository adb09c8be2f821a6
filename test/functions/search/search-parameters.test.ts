import { describe, expect, test } from 'vitest';
import { asked, defaults, refused } from './ask.ts';

describe('GET /search', () => {
  test('has defaults', async () => {
    expect(await asked('/search?q=hello')).toEqual({ q: 'hello', ...defaults });
  });

  test('reads every parameter', async () => {
    const query =
      'q=a+b%20%C3%A9&k=100&mode=lexical&minConfidence=.5&context=5&explain=true&matches=true&lang=de&lang=pt-BR&source=a%2Cb%2F&source=c';
    expect(await asked(`/search?${query}`)).toEqual({
      q: 'a b é',
      k: 100,
      mode: 'lexical',
      minConfidence: 0.5,
      context: 5,
      explain: true,
      matches: true,
      filter: { lang: ['de', 'pt-BR'], source: ['a,b/', 'c'] },
    });
  });

  test('trims the question, and reads a number as text', async () => {
    expect(await asked('/search?q=%20%0A5%20')).toEqual({ q: '5', ...defaults });
  });

  test('accepts 2,000 characters', async () => {
    expect((await asked(`/search?q=${'%C3%A9'.repeat(2000)}`)).q).toBe('é'.repeat(2000));
  });

  test.each([
    ['k=1', { k: 1 }],
    ['mode=semantic', { mode: 'semantic' }],
    ['minConfidence=0', { minConfidence: 0 }],
    ['minConfidence=1', { minConfidence: 1 }],
    // The notation of small numbers in JSON and JavaScript.
    ['minConfidence=1e-7', { minConfidence: 1e-7 }],
    ['k=1E1', { k: 10 }],
    ['explain=false', { explain: false }],
    ['matches=true', { matches: true }],
  ])('%s', async (query, expected) => {
    expect(await asked(`/search?q=x&${query}`)).toEqual({ q: 'x', ...defaults, ...expected });
  });

  const kRange = 'must be a whole number from 1 to 100.';
  test.each([
    ['', 'q is missing. Add your question, as in /search?q=Is+slavery+allowed.'],
    ['q=', 'q is empty. Add your question, as in /search?q=Is+slavery+allowed.'],
    ['q=%20%09', 'q is empty. Add your question, as in /search?q=Is+slavery+allowed.'],
    [`q=${'a'.repeat(2001)}`, 'q has 2,001 characters, but 2,000 is the limit.'],
    ['q=a&q=b', 'q is given more than once. Give it once.'],
    ['q=x&k=500', `k is 500, but ${kRange}`],
    ['q=x&k=0', `k is 0, but ${kRange}`],
    ['q=x&k=-1', `k is -1, but ${kRange}`],
    ['q=x&k=101', `k is 101, but ${kRange}`],
    ['q=x&k=1.5', `k is 1.5, but ${kRange}`],
    ['q=x&k=100.5', `k is 100.5, but ${kRange}`],
    ['q=x&k=ten', `k is "ten", but ${kRange}`],
    ['q=x&k=', `k is "", but ${kRange}`],
    ['q=x&k=NaN', `k is "NaN", but ${kRange}`],
    ['q=x&k=0x10', `k is "0x10", but ${kRange}`],
    [`q=x&k=${'9'.repeat(400)}`, `k is Infinity, but ${kRange}`],
    ['q=x&k=1&k=2', 'k is given more than once. Give it once.'],
    ['q=x&mode=fuzzy', 'mode is "fuzzy", but must be one of hybrid, semantic, lexical.'],
    ['q=x&minConfidence=2', 'minConfidence is 2, but must be a number from 0 to 1.'],
    ['q=x&minConfidence=high', 'minConfidence is "high", but must be a number from 0 to 1.'],
    ['q=x&context=6', 'context is 6, but must be a whole number from 0 to 5.'],
    ['q=x&explain=1', 'explain is "1", but must be true or false.'],
    ['q=x&matches=yes', 'matches is "yes", but must be true or false.'],
    [
      'q=x&lang=de,en',
      'lang is "de,en", but must be a language tag such as "de" or "pt-BR", or several tags.',
    ],
    ['q=x&source=', 'source is "", but must be the path of a document or folder.'],
    [
      'q=x&foo=1&foo=2',
      'Unknown parameter "foo". The parameters are q, k, mode, minConfidence, context, maxCharacters, explain, matches, lang, source.',
    ],
    [
      'q=x&__proto__=1',
      'Unknown parameter "__proto__". The parameters are q, k, mode, minConfidence, context, maxCharacters, explain, matches, lang, source.',
    ],
    [
      'q=x&constructor=1',
      'Unknown parameter "constructor". The parameters are q, k, mode, minConfidence, context, maxCharacters, explain, matches, lang, source.',
    ],
  ])('refuses %s', async (query, detail) => {
    expect(await refused(`/search?${query}`)).toMatchObject({ status: 400, title: 'Bad Request', detail });
  });

  test('lists each wrong parameter', async () => {
    expect(await refused('/search?k=0&mode=x&limit=1')).toMatchObject({
      errors: [
        { field: 'q', detail: 'q is missing. Add your question, as in /search?q=Is+slavery+allowed.' },
        { field: 'k', detail: 'k is 0, but must be a whole number from 1 to 100.' },
        { field: 'mode', detail: 'mode is "x", but must be one of hybrid, semantic, lexical.' },
        {
          field: 'limit',
          detail: expect.stringContaining('Unknown parameter "limit". The parameters are q, k,'),
        },
      ],
    });
  });

  test('reports a wrong entry of a list under the name of the list', async () => {
    const { errors } = await refused('/search?q=x&lang=de&lang=');
    expect(errors).toMatchObject([{ field: 'lang' }]);
  });

  test('truncates a long value in the message', async () => {
    const { detail } = await refused(`/search?q=x&mode=${'m'.repeat(5000)}`);
    expect(detail).toBe(`mode is "${'m'.repeat(60)}…", but must be one of hybrid, semantic, lexical.`);
  });

  test('refuses a filter, which needs POST', async () => {
    expect((await refused('/search?q=x&filter=y')).detail).toMatch(/^Unknown parameter "filter"/);
  });
});
