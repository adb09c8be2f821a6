import { createHash, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createApp } from '../../../functions/search/app.ts';
import { browserOrigins, readApiKeys } from '../../../functions/search/auth.ts';
import { runs } from '../../fixtures/runs.ts';
import { request } from './ask.ts';
import { SearchDouble } from './search-double.ts';

const makeKey = () => `ps_${randomBytes(32).toString('base64url')}`;
const sha256 = (key: string) => createHash('sha256').update(key).digest('hex');

const [first, second] = [makeKey(), makeKey()];
const listed = JSON.stringify({ first: sha256(first), 'second-2_B': sha256(second) });
const app = createApp(new SearchDouble(), { apiKeys: readApiKeys(listed), log: () => {} });

async function ask(headers: Record<string, string>, path = '/search?q=x', method = 'GET') {
  const response = await request(app, path, { method, headers });
  const detail = response.status === 401 ? JSON.stringify(await response.json()) : '';
  return { status: response.status, detail, headers: response.headers };
}

const none = 'An API key is required. Send it in the header x-api-key, or as Authorization: Bearer KEY.';
const invalid = 'The API key is not valid. Check for typing errors; if it was revoked, ask for a new one.';

describe('a request with a key', () => {
  test.each<[string, Record<string, string>]>([
    ['x-api-key', { 'x-api-key': first }],
    ['any key of the list', { 'X-API-Key': second }],
    ['Authorization', { authorization: `Bearer ${first}` }],
    ['a scheme in lower case', { authorization: `bearer ${second}` }],
    ['a scheme in upper case and more spaces', { Authorization: `BEARER   ${second}` }],
    ['both headers', { 'x-api-key': first, authorization: `Bearer ${second}` }],
    ['one valid key of two', { 'x-api-key': 'ps_old', authorization: `Bearer ${second}` }],
    ['another scheme beside it', { 'x-api-key': first, authorization: 'Basic dTpw' }],
  ])('is answered: %s', async (_, headers) => {
    expect((await ask(headers)).status).toBe(200);
  });

  test('is answered as without keys', async () => {
    const headers = { 'x-api-key': first };
    expect((await ask(headers, '/health')).status).toBe(200);
    expect((await ask(headers, '/nothing')).status).toBe(404);
    expect((await ask(headers, '/search?q=x&k=0')).status).toBe(400);
  });
});

describe('a request without a valid key', () => {
  test.each<[string, Record<string, string>, string]>([
    ['no header', {}, none],
    ['an empty header', { 'x-api-key': '' }, none],
    ['a scheme without a key', { authorization: 'Bearer ' }, none],
    ['another scheme', { authorization: `Basic ${first}` }, none],
    ['no scheme', { authorization: first }, none],
    ['the key as a cookie', { cookie: `x-api-key=${first}` }, none],
    ['the name of a key', { 'x-api-key': 'first' }, invalid],
    ['the digest of a key', { 'x-api-key': sha256(first) }, invalid],
    ['two keys in one header', { 'x-api-key': `${first}, ${second}` }, invalid],
    ['the scheme twice', { authorization: `Bearer Bearer ${first}` }, invalid],
    ['a scheme in x-api-key', { 'x-api-key': `Bearer ${first}` }, invalid],
  ])('is refused: %s', async (_, headers, sentence) => {
    const { status, detail, headers: answered } = await ask(headers);
    expect(status).toBe(401);
    expect(JSON.parse(detail)).toMatchObject({ title: 'Unauthorized', status: 401, detail: sentence });
    expect(answered.get('www-authenticate')).toBe('Bearer');
    expect(answered.get('content-type')).toBe('application/problem+json; charset=utf-8');
    expect(answered.get('cache-control')).toBe('no-store');
    expect(detail).not.toContain(first.slice(3));
  });

  test.each(['/', '/search', '/passages/x', '/health', '/overview', '/openapi.json', '/nothing'])(
    'is refused at %s with every method except OPTIONS',
    async (path) => {
      for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PURGE', 'options']) {
        // Methods are case-sensitive, but Request converts these names to upper case.
        expect((await request(app, path, { method })).status).toBe(
          method === 'options' ? (path === '/nothing' ? 404 : 204) : 401,
        );
      }
    },
  );

  test('has the same answer with a key in the address', async () => {
    expect((await ask({}, `/search?q=x&x-api-key=${first}&key=${first}`)).status).toBe(401);
  });
});

describe('any text', () => {
  // A header may contain Latin-1 without NUL and line ends. Spaces at the ends are not part of the value.
  const latin = fc
    .string({
      unit: fc.integer({ min: 1, max: 255 }).map((code) => String.fromCharCode(code)),
      maxLength: 80,
    })
    .map((text) => text.replace(/[\r\n]/g, ' '));

  const position = fc.nat({ max: first.length - 1 });
  const near = fc.oneof(
    fc.tuple(position, latin).map(([at, text]) => first.slice(0, at) + text + first.slice(at)),
    fc.tuple(position, latin).map(([at, text]) => first.slice(0, at) + text + first.slice(at + 1)),
    position.map((at) => first.slice(0, at)),
    position.map((at) => first.slice(at)),
    fc.constantFrom(first.toLowerCase(), first.toUpperCase(), first + second, `${first}=`),
  );

  test('other than a key is refused, even if it is similar', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(latin, near), async (text) => {
        fc.pre(text.trim() !== first);
        expect((await ask({ 'x-api-key': text })).status).toBe(401);
        expect((await ask({ authorization: `Bearer ${text}` })).status).toBe(401);
      }),
      { numRuns: runs(500) },
    );
  });

  test('as a header is answered', async () => {
    await fc.assert(
      fc.asyncProperty(latin, latin, fc.boolean(), async (apiKey, authorization, valid) => {
        const { status } = await ask({ 'x-api-key': valid ? first : apiKey, authorization });
        expect(status).toBe(valid ? 200 : 401);
      }),
    );
  });
});

describe('API_KEYS', () => {
  test('is optional, and without it the endpoint is open', () => {
    expect(readApiKeys(undefined)).toBeUndefined();
  });

  test('is read as digests by name, for any valid name', () => {
    const digest = sha256('x');
    const keys = readApiKeys(`{"a":"${digest}","__proto__":"${digest}","constructor":"${digest}"}`);
    expect(
      [...(keys ?? [])].map(([name, { digest }]) => [name, Buffer.from(digest).toString('hex')]),
    ).toEqual([
      ['a', digest],
      ['__proto__', digest],
      ['constructor', digest],
    ]);
  });

  const rest =
    ', but must be an object of names and SHA-256 digests (64 lowercase hexadecimal digits). Add keys with npx polyseek key NAME.';
  const digest = 'ab'.repeat(32);
  test.each([
    ['', `API_KEYS is not an object${rest}`],
    ['{', `API_KEYS is not an object${rest}`],
    ['null', `API_KEYS is not an object${rest}`],
    [`["${digest}"]`, `API_KEYS is not an object${rest}`],
    [`"${digest}"`, `API_KEYS is not an object${rest}`],
    [digest, `API_KEYS is not an object${rest}`],
    [`{"a":"${digest.toUpperCase()}"}`, `API_KEYS has no digest under "a"${rest}`],
    [`{"a":"${digest}0"}`, `API_KEYS has no digest under "a"${rest}`],
    [`{"a":"${digest}\\n"}`, `API_KEYS has no digest under "a"${rest}`],
    [`{"ok":"${digest}","a":"ps_secret"}`, `API_KEYS has no digest under "a"${rest}`],
    [`{"a":["${digest}"]}`, `API_KEYS has no digest under "a"${rest}`],
    [
      `{"ps_${'secret'.repeat(6)}":"${digest}"}`,
      `API_KEYS has a name that is not 1 to 32 of the characters A-Z, a-z, 0-9, _ and -${rest}`,
    ],
    [
      `{"":"${digest}"}`,
      `API_KEYS has a name that is not 1 to 32 of the characters A-Z, a-z, 0-9, _ and -${rest}`,
    ],
    [
      '{}',
      'API_KEYS contains no key, so nobody could call the endpoint. Add a key with npx polyseek key NAME.',
    ],
  ])('is refused as %j', (text, sentence) => {
    expect(() => readApiKeys(text)).toThrow(new Error(sentence));
  });

  const add = 'Add keys with npx polyseek key NAME.';
  const fields = `API_KEYS has an unknown field under "a", but must have only sha256, origins, collections and groups. ${add}`;
  const origins = `API_KEYS has wrong origins under "a", but must have a list of origins such as https://www.example.com, without a path. ${add}`;
  const names = `API_KEYS has wrong collections under "a", but must have a list of names (1 to 32 of the characters a-z, 0-9 and -). ${add}`;
  const groupNames = `API_KEYS has wrong groups under "a", but must have a list of names of groups. ${add}`;
  const publicGroups = `API_KEYS has groups under "a", but must have no groups for a browser key. ${add}`;
  test.each<[object, string]>([
    [{}, `API_KEYS has no digest under "a"${rest}`],
    [{ sha256: 'ps_secret' }, `API_KEYS has no digest under "a"${rest}`],
    [{ sha256: { sha256: digest } }, `API_KEYS has no digest under "a"${rest}`],
    [{ origins: ['https://a.example'] }, `API_KEYS has no digest under "a"${rest}`],
    [{ sha256: digest, origin: 'https://a.example' }, fields],
    [{ sha256: digest, ps_secret: 1 }, fields],
    [{ sha256: digest, origins: [] }, origins],
    [{ sha256: digest, origins: null }, origins],
    [{ sha256: digest, origins: 'https://a.example' }, origins],
    [{ sha256: digest, origins: ['https://a.example', 5] }, origins],
    ...[
      '*',
      'null',
      '',
      'a.example',
      'https://*',
      'https://*.a.example',
      'https://a.example/',
      'https://a.example/path',
      'https://a.example:443',
      'HTTPS://a.example',
      'https://A.example',
      'https://bücher.example',
      'https://ps_secret@a.example',
      'https://a.example ',
      'ftp://a.example',
      'file://',
    ].map((origin): [object, string] => [{ sha256: digest, origins: [origin] }, origins]),
    [{ sha256: digest, collections: [] }, names],
    [{ sha256: digest, collections: 'hr' }, names],
    [{ sha256: digest, collections: ['HR'] }, names],
    [{ sha256: digest, collections: ['hr', ''] }, names],
    [{ sha256: digest, collections: ['/c/hr'] }, names],
    ...[[], 'hr', [''], [7]].map((groups): [object, string] => [{ sha256: digest, groups }, groupNames]),
    [{ sha256: digest, groups: ['hr'], origins: ['https://a.example'] }, publicGroups],
  ])('is refused with the key %j', (key, sentence) => {
    expect(() => readApiKeys(JSON.stringify({ ok: digest, a: key }))).toThrow(new Error(sentence));
  });

  test('contains browser keys and keys for collections', () => {
    const keys = readApiKeys(
      JSON.stringify({
        a: { sha256: digest },
        b: { sha256: digest, origins: ['https://a.example', 'http://localhost:3000'] },
        c: { sha256: digest, collections: ['hr', 'law-2'], origins: ['https://a.example'] },
      }),
    );
    expect(browserOrigins(keys)).toEqual(['https://a.example', 'http://localhost:3000']);
    expect([...(keys ?? [])].map(([, { origins, collections }]) => ({ origins, collections }))).toEqual([
      {},
      { origins: ['https://a.example', 'http://localhost:3000'] },
      { origins: ['https://a.example'], collections: ['hr', 'law-2'] },
    ]);
  });

  test('is read as it was written, for any keys', () => {
    const url = fc.tuple(fc.constantFrom('http', 'https'), fc.domain(), fc.option(fc.nat({ max: 65_535 })));
    const origin = url.map(
      ([scheme, host, port]) => new URL(`${scheme}://${host}${port === null ? '' : `:${port}`}`).origin,
    );
    const key = fc.record(
      {
        sha256: fc.stringMatching(/^[0-9a-f]{64}$/),
        origins: fc.array(origin, { minLength: 1 }),
        collections: fc.array(fc.stringMatching(/^[a-z0-9-]{1,32}$/), { minLength: 1 }),
      },
      { requiredKeys: ['sha256'] },
    );
    fc.assert(
      fc.property(fc.dictionary(fc.stringMatching(/^[\w-]{1,32}$/), key, { minKeys: 1 }), (written) => {
        const read = [...(readApiKeys(JSON.stringify(written)) ?? [])].map(
          ([name, { digest, ...limits }]) => [
            name,
            { sha256: Buffer.from(digest).toString('hex'), ...JSON.parse(JSON.stringify(limits)) },
          ],
        );
        expect(read).toEqual(Object.entries(written).map(([name, one]) => [name, { ...one }]));
      }),
    );
  });

  test('is read or refused without secrets in the message, for any text', () => {
    const name = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('a', 'ps_secret-key'.repeat(3)));
    const text = fc.oneof(
      fc.constantFrom(digest, 'ps_secret-key', 'https://secret.example/'),
      fc.jsonValue(),
    );
    const key = fc.dictionary(
      fc.constantFrom('sha256', 'origins', 'collections', 'ps_secret-key'),
      fc.oneof(text, fc.array(text)),
    );
    const value = fc.oneof(text, key);
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.dictionary(name, value).map((o) => JSON.stringify(o)),
        ),
        (text) => {
          try {
            expect(readApiKeys(text)?.size).toBeGreaterThan(0);
          } catch (error) {
            expect(error instanceof Error && error.message).toMatch(
              /^API_KEYS (is|has|contains) .*\. Add [^.]*\.$/,
            );
            expect(String(error)).not.toContain('secret');
          }
        },
      ),
    );
  });
});
