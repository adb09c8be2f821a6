import { describe, expect, test } from 'vitest';
import { asked, defaults, post, refused } from './ask.ts';

describe('POST /search', () => {
  test('has defaults', async () => {
    expect(await asked('/search', post({ q: ' hello ' }))).toEqual({ q: 'hello', ...defaults });
  });

  test('reads every field', async () => {
    const filter = { department: 'travel', year: [2023, 2024], current: false, tags: ['a', 'b'] };
    const body = {
      q: 'x',
      k: 3,
      mode: 'semantic',
      minConfidence: 0.5,
      context: 1,
      explain: true,
      matches: true,
      lang: 'de',
      source: ['a/', 'b.md'],
      filter,
    };
    expect(await asked('/search', post(body))).toEqual({
      q: 'x',
      k: 3,
      mode: 'semantic',
      minConfidence: 0.5,
      context: 1,
      explain: true,
      matches: true,
      filter: { ...filter, lang: 'de', source: ['a/', 'b.md'] },
    });
  });

  test('reads a history, and ignores other fields of its turns', async () => {
    const history = [
      { role: 'user', content: 'When does it open?' },
      { role: 'assistant', content: '' },
    ];
    const sent = history.map((turn) => ({ ...turn, id: 'a', tool_calls: [] }));
    expect(await asked('/search', post({ q: 'x', history: sent }))).toEqual({
      q: 'x',
      ...defaults,
      history,
    });
    const longest = Array(10).fill({ role: 'user', content: 'é'.repeat(3000) });
    expect((await asked('/search', post({ q: 'x', history: longest }))).history).toEqual(longest);
  });

  test('ignores an empty filter', async () => {
    expect(await asked('/search', post({ q: 'x', filter: {} }))).toEqual({ q: 'x', ...defaults });
  });

  test('passes NUL, lone surrogates and characters beyond the BMP to the search unchanged', async () => {
    for (const q of ['\0', '\ud800', '😀', 'a\u2028b']) {
      expect((await asked('/search', post({ q }))).q).toBe(q);
    }
  });

  test.each(['application/json; charset=utf-8', 'APPLICATION/JSON', 'application/ld+json'])(
    'reads %s',
    async (type) => {
      expect((await asked('/search', post({ q: 'x' }, type))).q).toBe('x');
    },
  );

  test('reads JSON without a content type, and with a byte order mark', async () => {
    const body = new TextEncoder().encode('\ufeff{"q":"é"}');
    expect((await asked('/search', { method: 'POST', body })).q).toBe('é');
  });

  const example = '{"q":"Is slavery allowed"}';
  test.each([
    [{}, `q is missing. Add your question, as in ${example}.`],
    [{ q: '' }, `q is empty. Add your question, as in ${example}.`],
    [{ q: 5 }, 'q is 5, but must be text.'],
    [{ q: null }, 'q is null, but must be text.'],
    [{ q: ['a'] }, 'q is a list, but must be text.'],
    [{ q: {} }, 'q is an object, but must be text.'],
    [{ q: 'a'.repeat(2001) }, 'q has 2,001 characters, but 2,000 is the limit.'],
    [{ q: 'x', k: '5' }, 'k is "5", but must be a whole number from 1 to 100.'],
    [{ q: 'x', k: null }, 'k is null, but must be a whole number from 1 to 100.'],
    [{ q: 'x', explain: 'true' }, 'explain is "true", but must be true or false.'],
    [{ q: 'x', matches: 1 }, 'matches is 1, but must be true or false.'],
    [{ q: 'x', source: [] }, 'source is an empty list, but must be a list of one or more paths.'],
    [{ q: 'x', source: 5 }, 'source is 5, but must be a path or a list of paths.'],
    [{ q: 'x', filter: 'de' }, 'filter is "de", but must be an object of fields and values.'],
    [{ q: 'x', filter: ['de'] }, 'filter is a list, but must be an object of fields and values.'],
    [
      { q: 'x', filter: { year: null } },
      'filter.year is null, but must be text, a number, true, false or a list of one or more of these.',
    ],
    [
      { q: 'x', filter: { year: [2023, null] } },
      'filter.year is a list, but must be text, a number, true, false or a list of one or more of these.',
    ],
    [
      { q: 'x', filter: { tags: [] } },
      'filter.tags is an empty list, but must be text, a number, true, false or a list of one or more of these.',
    ],
    [{ q: 'x', filter: { tags: Array(101).fill('a') } }, 'filter.tags has 101 values, but 100 is the limit.'],
    [{ q: 'x', lang: Array(101).fill('en') }, 'lang has 101 values, but 100 is the limit.'],
    [{ q: 'x', source: Array(101).fill('a/') }, 'source has 101 values, but 100 is the limit.'],
    [
      { q: 'x', filter: Object.fromEntries(Array.from({ length: 21 }, (_, i) => [`f${i}`, 1])) },
      'filter has 21 fields, but 20 is the limit.',
    ],
    [
      { q: 'x', lang: 'de', filter: { lang: 'en' } },
      'lang is given twice, on its own and in filter. Give it once.',
    ],
    [
      { query: 'x' },
      /^q is missing\. Add your question, as in \{"q":"Is slavery allowed"\}\. Unknown field "query"\. The fields are q, k,/,
    ],
    [
      { q: 'x', foo: 1 },
      'Unknown field "foo". The fields are q, k, mode, minConfidence, context, maxCharacters, explain, matches, lang, source, history, filter.',
    ],
    [
      { q: 'x', history: 'a' },
      'history is "a", but must be a list of turns such as {"role": "user", "content": "…"}.',
    ],
    [
      { q: 'x', history: Array(11).fill({ role: 'user', content: 'a' }) },
      'history has 11 turns, but 10 is the limit.',
    ],
    [
      { q: 'x', history: ['a'] },
      'history.0 is "a", but must be a turn such as {"role": "user", "content": "…"}.',
    ],
    [
      { q: 'x', history: [{ role: 'user' }] },
      'history.0.content is undefined, but must be given, as in {"role": "user", "content": "…"}.',
    ],
    [
      { q: 'x', history: [{ role: 'system', content: 'a' }] },
      'history.0.role is "system", but must be user or assistant.',
    ],
    [
      { q: 'x', history: [{ role: 'user', content: 'a'.repeat(8001) }] },
      'history.0.content has 8,001 characters, but 8,000 is the limit.',
    ],
    [
      '{"q":"x","filter":{"constructor":"y"}}',
      'filter has the field "constructor". Filters on this field are not possible.',
    ],
    [
      '{"q":"x","filter":{"__proto__":"y"}}',
      'filter has the field "__proto__". Filters on this field are not possible.',
    ],
    ['{"q":"x","__proto__":{"k":5}}', /^Unknown field "__proto__"\. /],
    ['', `The body is empty. Send JSON such as ${example}.`],
    ['{"q":', `The body is not valid JSON. Send an object such as ${example}.`],
    ["{'q':'x'}", `The body is not valid JSON. Send an object such as ${example}.`],
    ['[]', `The body is an empty list, but must be an object such as ${example}.`],
    ['[{"q":"x"}]', `The body is a list, but must be an object such as ${example}.`],
    ['null', `The body is null, but must be an object such as ${example}.`],
    ['"x"', `The body is "x", but must be an object such as ${example}.`],
    ['5', `The body is 5, but must be an object such as ${example}.`],
  ])('refuses %j', async (body, detail) => {
    const found = await refused('/search', post(body));
    expect(found.status).toBe(400);
    if (typeof detail === 'string') expect(found.detail).toBe(detail);
    else expect(found.detail).toMatch(detail);
  });

  test('refuses JSON that is nested too deep', async () => {
    const deep = `{"q":${'['.repeat(30_000)}${']'.repeat(30_000)}}`;
    expect((await refused('/search', post(deep))).detail).toBe('q is a list, but must be text.');
  });

  test('lists at most ten wrong fields', async () => {
    const filter = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`f${i}`, null]));
    expect((await refused('/search', post({ q: 'x', filter }))).errors).toHaveLength(10);
  });

  test('refuses a body that is not UTF-8', async () => {
    const body = new Uint8Array([0x7b, 0xff, 0x7d]);
    expect(await refused('/search', { method: 'POST', body })).toMatchObject({
      status: 400,
      detail: 'The body is not valid UTF-8. Send JSON in UTF-8.',
    });
  });

  test.each(['text/plain', 'application/x-www-form-urlencoded', 'application/jsonx', 'x'])(
    'refuses the content type %s',
    async (type) => {
      expect(await refused('/search', post({ q: 'x' }, type))).toMatchObject({
        status: 415,
        detail: `The content type is "${type}", but must be application/json. Send the body as JSON.`,
      });
    },
  );

  test('accepts 64 KiB, and refuses one more byte', async () => {
    const limit = 65_536;
    const body = JSON.stringify({ q: 'é' });
    const padding = ' '.repeat(limit - Buffer.byteLength(body));
    expect((await asked('/search', post(body + padding))).q).toBe('é');
    expect(await refused('/search', post(`${body}${padding} `))).toMatchObject({
      status: 413,
      title: 'Content Too Large',
      detail: 'The body is longer than 64 KiB. Send a shorter one.',
    });
  });

  test('stops reading a body of unknown length when it is too long', async () => {
    let sent = 0;
    const body = new ReadableStream({
      pull(controller) {
        sent += 1024;
        controller.enqueue(new Uint8Array(1024));
      },
    });
    const init: RequestInit = { method: 'POST', body, duplex: 'half' };
    expect((await refused('/search', init)).status).toBe(413);
    expect(sent).toBeLessThan(128 * 1024);
  });
});
