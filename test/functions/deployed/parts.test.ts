import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { unzipSync } from 'fflate';
import { afterEach, describe, expect, test } from 'vitest';
import { zipFolder } from '../../../functions/deployed/asset.ts';
import { describeReport, readReport } from '../../../functions/deployed/invoke.ts';
import { describeVersion, readDescription } from '../../../functions/deployed/version-description.ts';
import { versionTable } from '../../../functions/deployed/versions.ts';
import { temporaryFolder } from '../../fixtures/index.ts';

const held = fc.record({
  version: fc.stringMatching(/^[0-9a-f]{12}$/),
  passages: fc.nat(),
  model: fc.string({ unit: 'grapheme', maxLength: 60 }).filter((model) => model.length <= 200),
});

describe('the description of a version', () => {
  test('is a readable line', () => {
    expect(describeVersion({ version: '3d5495554cb3', passages: 439, model: 'e5' })).toBe(
      'index 3d5495554cb3, 439 passages, model e5',
    );
    expect(describeVersion({ version: '3d5495554cb3', passages: 1, model: 'e5' })).toBe(
      'index 3d5495554cb3, 1 passage, model e5',
    );
  });

  test('can be parsed', () => {
    fc.assert(
      fc.property(held, (parts) => {
        expect(readDescription(describeVersion(parts))).toEqual(parts);
      }),
    );
  });

  test('has at most 256 characters, and truncates a long model name', () => {
    fc.assert(
      fc.property(held, fc.string({ unit: 'binary', minLength: 200, maxLength: 600 }), (parts, model) => {
        const text = describeVersion({ ...parts, model });
        expect(text.length).toBeLessThanOrEqual(256);
        const read = readDescription(text)!;
        expect(read).toMatchObject({ version: parts.version, passages: parts.passages });
        expect(model.startsWith(read.model.replace(/…$/, ''))).toBe(true);
        expect(text.isWellFormed()).toBe(true);
      }),
    );
    expect(describeVersion({ version: 'a', passages: 5, model: 'x'.repeat(300) })).toHaveLength(256);
  });

  test('is not parsed from other texts', () => {
    expect(readDescription(undefined)).toBeUndefined();
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(readDescription(text)).toBeUndefined();
      }),
    );
    expect(readDescription('index a, many passages, model x')).toBeUndefined();
    expect(readDescription('My index a, 5 passages, model x')).toBeUndefined();
  });
});

const json = (metrics: object) =>
  JSON.stringify({
    time: '2026-11-24T02:14:00.000Z',
    type: 'platform.report',
    record: { requestId: '8f5c', metrics, status: 'success' },
  });

describe('the report of an invocation', () => {
  const report = { durationMs: 102.25, billedMs: 319, memoryMb: 113 };
  const metrics = { durationMs: 102.25, billedDurationMs: 319, memorySizeMB: 1769, maxMemoryUsedMB: 113 };

  test.each([
    ['after others', `{"level":"info"}\n${json(metrics)}\n`, report],
    [
      'of a cold start, truncated at its start',
      `vel":"info"}\n${json({ ...metrics, initDurationMs: 216.5 })}`,
      { ...report, initMs: 216.5 },
    ],
    ['none', '{"type":"platform.start"}\n', undefined],
    ['truncated in the middle', json(metrics).slice(30), undefined],
    ['incomplete', json({ ...metrics, billedDurationMs: undefined }), undefined],
    ['quoted by the function', JSON.stringify({ message: json(metrics) }), undefined],
  ])('%s', (_, log, expected) => {
    expect(readReport(log)).toEqual(expected);
  });

  test('never throws', () => {
    const parts = fc.constantFrom(json({}), '\n', '{', '"type"', 'null');
    fc.assert(
      fc.property(fc.array(fc.oneof(parts, fc.string())), (texts) => {
        expect(readReport(texts.join('')) ?? {}).toBeTypeOf('object');
      }),
    );
  });

  test('is a readable line', () => {
    expect(describeReport({ ...report, initMs: 216.5 })).toBe(
      'Lambda: 102.25 ms, billed 319 ms, memory 113 MB, cold start with an init of 216.5 ms',
    );
    expect(describeReport(report)).toBe('Lambda: 102.25 ms, billed 319 ms, memory 113 MB');
    expect(describeReport(undefined)).toMatch(/^Lambda reported no duration/);
  });
});

describe('a zip', () => {
  const zone = process.env.TZ;
  afterEach(() => {
    if (zone === undefined) delete process.env.TZ;
    else process.env.TZ = zone;
  });
  const hash = (folder: string) => createHash('sha256').update(zipFolder(folder)).digest('hex');
  const files = { 'b/c.txt': 'c', 'a.mjs': 'a'.repeat(5000), 'b/ü.bin': 'ü', 'b.txt': '' };

  function write(entries: [string, string][]): string {
    const folder = temporaryFolder();
    for (const [name, text] of entries) {
      mkdirSync(join(folder, name, '..'), { recursive: true });
      writeFileSync(join(folder, name), text);
    }
    return folder;
  }

  test('contains the files', () => {
    const found = unzipSync(zipFolder(write(Object.entries(files))));
    const texts = Object.entries(found).map(([name, bytes]) => [name, Buffer.from(bytes).toString()]);
    expect(texts).toEqual(Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1)));
  });

  test('has the same bytes for the same content, at any time and place, and in any order', () => {
    process.env.TZ = 'Pacific/Kiritimati';
    const first = write(Object.entries(files));
    const expected = hash(first);
    process.env.TZ = 'America/Anchorage';
    const second = write(Object.entries(files).reverse());
    utimesSync(join(second, 'a.mjs'), new Date(2001, 1, 1), new Date(2001, 1, 1));
    chmodSync(join(second, 'a.mjs'), 0o600);
    expect(hash(second)).toBe(expected);
    writeFileSync(join(second, 'b.txt'), 'x');
    expect(hash(second)).not.toBe(expected);
  });

  test('keeps executable flags, and is readable for everyone', () => {
    const folder = write([
      ['run', '#!/bin/sh'],
      ['text', ''],
    ]);
    chmodSync(join(folder, 'run'), 0o700);
    chmodSync(join(folder, 'text'), 0o600);
    const zip = Buffer.from(zipFolder(folder));
    // Records of the central directory (APPNOTE.txt 4.3.12): "made by" at 4, external attributes at 38, the name at 46.
    const modes = ['run', 'text'].map((name) => {
      const at = zip.lastIndexOf(name) - 46;
      expect(zip.readUInt32LE(at)).toBe(0x02014b50);
      expect(zip[at + 5]).toBe(3);
      return (zip.readUInt32LE(at + 38) >>> 16).toString(8);
    });
    expect(modes).toEqual(['755', '644']);
  });
});

test('versions are a table, with a note about leftover code', () => {
  const versions = [
    { version: '12', live: false, date: '2026-11-24T02:14:33.000Z' },
    {
      version: '3',
      live: true,
      index: { version: '3d5495554cb3', passages: 439, model: 'multilingual-e5-small' },
      date: '2026-11-23T22:00:00.000Z',
    },
  ];
  const table = [
    'version  live  index         passages  model                  published (UTC)',
    '12             ?             ?         ?                      2026-11-24 02:14',
    '3        live  3d5495554cb3  439       multilingual-e5-small  2026-11-23 22:00',
  ].join('\n');
  expect(versionTable({ live: '3', versions, aligned: true })).toBe(table);
  expect(versionTable({ live: '3', versions, aligned: false })).toMatch(
    /\n\n\$LATEST contains other code than version 3, .* npx polyseek rollback 3\.$/,
  );
});
