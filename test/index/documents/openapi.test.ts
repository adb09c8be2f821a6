import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { outline, readBytes } from '../../fixtures/read.ts';

const API = {
  openapi: '3.1.0',
  info: { title: 'Harbour API', description: 'Ships and berths.\n\nFor harbour masters.', version: '1' },
  paths: {
    '/ships/{id}': {
      parameters: [{ $ref: '#/components/parameters/id' }],
      get: {
        operationId: 'getShip',
        summary: 'Returns a ship',
        description: 'Also ships that left.',
        tags: ['ships'],
        parameters: [{ name: 'lang', in: 'query', description: 'The language.' }],
        responses: {
          200: {
            description: 'The ship.',
            content: { 'application/json': { schema: { $ref: '#/components/schemas/Ship' } } },
          },
          404: { description: 'No such ship.' },
        },
      },
      delete: { deprecated: true, responses: { 204: { description: 'Gone.' } } },
    },
    '/ships': {
      post: {
        summary: 'Adds a ship',
        requestBody: {
          description: 'The new ship.',
          content: { 'application/json': { schema: { $ref: '#/components/schemas/Ship' } } },
        },
      },
    },
  },
  components: {
    parameters: { id: { name: 'id', in: 'path', required: true, description: 'The number of the ship.' } },
    schemas: {
      Ship: {
        properties: { name: { description: 'Its name.' }, next: { $ref: '#/components/schemas/Ship' } },
      },
    },
  },
};

describe('an OpenAPI document', () => {
  it.each([
    ['a.json', JSON.stringify(API)],
    ['a.yaml', stringify(API)],
    ['a.yml', `# The interface.\n${stringify(API)}`],
  ])('is a document an operation: %s', async (name, content) => {
    const { documents, notices } = await readBytes(name, content);
    expect(notices).toEqual([]);
    expect(documents.map(({ id, title, metadata }) => [id, title, metadata])).toEqual([
      ['info', 'Harbour API', undefined],
      [
        'GET /ships/{id}',
        'GET /ships/{id} - Returns a ship',
        { method: 'GET', path: '/ships/{id}', tags: ['ships'], operationId: 'getShip' },
      ],
      [
        'DELETE /ships/{id}',
        'DELETE /ships/{id}',
        { method: 'DELETE', path: '/ships/{id}', deprecated: true },
      ],
      ['POST /ships', 'POST /ships - Adds a ship', { method: 'POST', path: '/ships' }],
    ]);
    expect(documents.map((document) => outline([document]))).toEqual([
      'Ships and berths.\nFor harbour masters.',
      [
        'Also ships that left.',
        'Parameter | In | Description',
        'id | path, required | The number of the ship.',
        'lang | query | The language.',
        'Response | Description',
        '200 | The ship. name: Its name.',
        '404 | No such ship.',
      ].join('\n'),
      'DELETE /ships/{id}\nParameter | In | Description\nid | path, required | The number of the ship.\nResponse | Description\n204 | Gone.',
      'Adds a ship\nRequest body: The new ship.\nname: Its name.',
    ]);
  });

  it('of Swagger has bodies as parameters', async () => {
    const value = {
      swagger: '2.0',
      paths: {
        '/ships': {
          post: {
            parameters: [
              { name: 'ship', in: 'body', schema: { properties: { name: { description: 'Its name.' } } } },
            ],
            responses: { 200: { description: 'Done.' } },
          },
        },
      },
    };
    expect(outline((await readBytes('a.json', JSON.stringify(value))).documents)).toContain(
      'ship | body | name: Its name.',
    );
  });

  it('may refer to itself, or to nothing', async () => {
    const value = {
      openapi: '3.0.0',
      paths: {
        '/a': {
          get: { summary: 'A', parameters: [{ $ref: '#/paths/~1a/get/parameters/0' }, { $ref: '#/x' }] },
        },
      },
    };
    expect((await readBytes('a.json', JSON.stringify(value))).documents).toMatchObject([
      { title: 'GET /a - A' },
    ]);
  });

  it('without operations is reported', async () => {
    const { notices } = await readBytes('a.json', '{"openapi":"3.1.0","paths":{}}');
    expect(notices).toMatchObject([{ kind: 'failed', place: 'a.json', reason: 'no text' }]);
  });
});

describe('other YAML', () => {
  it('is read as JSON is', async () => {
    const { documents } = await readBytes(
      'a.yaml',
      '- title: A\n  text: B.\n- title: C\n  text: |\n    D\n    E.\n',
    );
    expect(documents.map(({ title }) => title)).toEqual(['A', 'C']);
    expect(outline(documents)).toBe('B.\nD\nE.');
    expect(
      outline((await readBytes('a.yaml', 'title: A\ntext: B.\n---\ntitle: C\ntext: D.\n')).documents),
    ).toBe('B.\nD.');
  });

  it.each([
    ['a: [', 'not valid YAML'],
    ['>\r:\x1a\n', 'not valid YAML'],
    ['', 'no text'],
    ['#'.repeat(5 * 2 ** 20), 'too large'],
    [
      `a: &a [x,x,x,x,x,x,x,x,x]\n${[...'bcdefgh'].map((name, i) => `${name}: &${name} [${`*${'abcdefgh'[i]},`.repeat(9)}]`).join('\n')}`,
      'damaged',
    ],
    [`a: ${'['.repeat(5000)}`, 'not valid YAML'],
  ])('that is damaged is reported: %.10s', async (content, reason) => {
    const { notices } = await readBytes('a.yaml', content);
    expect(notices).toMatchObject([{ kind: 'failed', place: 'a.yaml', reason }]);
    expect(notices[0]!.fix).not.toMatch(/\p{Cc}/u);
  });
});
