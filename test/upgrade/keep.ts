import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Template } from 'aws-cdk-lib/assertions';
import { Builds } from '../../functions/builder/builds.ts';
import { LOCK, takeLock } from '../../functions/builder/lock.ts';
import { version } from '../../functions/search/version.ts';
import { Bucket } from '../../index/aws/s3.ts';
import { compileModel } from '../../index/compile/compile.ts';
import { Embedder } from '../../index/embedding/embedder.ts';
import { readManifest } from '../../index/format/manifest.ts';
import { buildFromSources } from '../../index/ingest/build-from-sources.ts';
import { FolderSource } from '../../index/ingest/sources/folder.ts';
import { openSearch } from '../../index/search/index-search.ts';
import { parseAddress } from '../../index/store/s3vectors/address.ts';
import { writeCurrent, writeGeneration } from '../../index/store/s3vectors/generation.ts';
import { record, takeJournal } from '../../index/store/s3vectors/publish/journal.ts';
import { Service } from '../../index/store/s3vectors/publish/service.ts';
import { startAws } from '../fixtures/aws.ts';
import { createBucket } from '../fixtures/aws-setup.ts';
import { tinyModel, writeModel } from '../fixtures/models/tiny-model.ts';
import { stackOf } from '../infra/templates.ts';
import { STACKS } from './stacks.ts';

// Keeps what this version writes, for the versions after it: npx tsx test/upgrade/keep.ts. A release keeps its folder for ever.

const out = join(import.meta.dirname, 'kept', version);
const QUESTIONS = ['lighthouse', 'bridge', 'leave'];
const DOCUMENTS = {
  'lighthouse.html':
    '<title>Lighthouse</title><h1>Light</h1><p>The lighthouse of Korvane flashes every 12 seconds.</p>',
  'bridge.html':
    '<title>Bridge</title><h1>Bridge</h1><p>The bridge of Temse was built in 1931. It is long.</p>',
  'leave.txt': 'Employees get 25 days of leave a year.',
};
const CONFIG = {
  sources: [
    'docs',
    {
      path: 'more',
      include: ['*.md'],
      exclude: ['drafts/'],
      baseUrl: 'https://docs.example/',
      lang: 'de',
      plain: true,
    },
    { stdin: true, fields: { id: 'id', title: 'name', text: ['a', 'b'], url: 'link', lang: 'language' } },
    { sitemap: 'https://docs.example/sitemap.xml', requestsPerSecond: 1 },
    { s3: 's3://bucket/prefix' },
    { sqlite: 'faq.db', query: 'SELECT * FROM faq ORDER BY id', name: 'faq.jsonl' },
    { postgres: 'DATABASE_URL', query: 'SELECT * FROM faq ORDER BY id' },
  ],
  plain: false,
  lang: 'en',
  fields: { text: 'body' },
  include: ['*'],
  exclude: ['old/'],
  baseUrl: 'https://docs.example/',
  urlSuffix: '.html',
  access: ['staff'],
  index: '.polyseek/index',
  cache: '.polyseek/cache',
  model: '.polyseek/model-sources/other',
  tokens: 'auto',
  tuning: { slope: 1.2, intercept: 0.3 },
};

rmSync(out, { recursive: true, force: true });
const put = (name: string, content: string | Uint8Array | object) => {
  mkdirSync(dirname(join(out, name)), { recursive: true });
  const plain = typeof content === 'string' || content instanceof Uint8Array;
  writeFileSync(join(out, name), plain ? content : `${JSON.stringify(content, null, 1)}\n`);
};

for (const [name, text] of Object.entries(DOCUMENTS)) put(`documents/${name}`, text);
put('polyseek.config.json', CONFIG);
for (const [name, settings] of Object.entries(STACKS)) {
  const folder = mkdtempSync(join(import.meta.dirname, 'cdk-'));
  put(`stacks/${name}.json`, Template.fromStack(stackOf(folder, settings)).toJSON());
  rmSync(folder, { recursive: true });
}
put('settings.json', STACKS);

const model = writeModel(tinyModel({ positions: 128 }));
const compiled = compileModel(model);
put('model.json', readFileSync(join(compiled, 'model.json')));
const index = join(out, 'index');
await buildFromSources([new FolderSource(join(out, 'documents'))], index, {
  model,
  strict: true,
  cache: join(out, 'cache'),
});
const embedder = await Embedder.open(compiled, { verify: true });
const search = await openSearch({ index, model: embedder, verify: true });
const answers = [];
for (const q of QUESTIONS) {
  const { results } = await search.search({ q, k: 3, mode: 'hybrid' });
  answers.push({ q, found: results.map(({ id, text }) => ({ id, text })) });
}
put('answers.json', answers);

const {
  model: named,
  dimensions,
  counts,
  fields,
  version: indexVersion,
} = readManifest(index, undefined, true);
const file = { bytes: 8, crc32: '00000000' };
const since = '2026-01-01T00:00:00.000Z';
put(
  's3vectors/manifest.json',
  writeGeneration({
    generation: 1,
    created: since,
    version: indexVersion,
    model: named,
    dimensions,
    counts,
    fields,
    languages: [['en', counts.passages]],
    segments: [
      {
        id: '0000000a',
        rows: counts.passages,
        goneRows: 0,
        files: { 'lookup.bin': file, 'hashes.bin': file },
      },
    ],
    files: { 'languages.bin': file, 'overview.json': file, 'order.bin': file },
  }),
);
put('s3vectors/current.json', writeCurrent({ generation: 1, since, replaced: [] }));

const aws = await startAws();
try {
  await createBucket(aws, 'kept');
  Object.assign(process.env, aws.env);
  const bucket = new Bucket('kept', aws.s3);
  const { lock } = await takeLock(bucket, 'a');
  await lock!.release(null);
  put('builder/lock.json', (await bucket.find(LOCK))!.bytes.toString());
  const id = '20260101T000000000Z-0000';
  await new Builds(bucket).write({
    id,
    started: since,
    ended: since,
    status: 'succeeded',
    cause: 'events',
    documents: 3,
    passages: 3,
    embedded: 3,
    unchanged: 0,
    index: indexVersion,
    live: '1',
    notices: [],
  });
  put('builder/build.json', (await bucket.find(`builder/builds/${id}.json`))!.bytes.toString());
  const service = new Service(parseAddress('s3vectors://kept/passages'));
  const abandoned = [{ generation: 2, segment: '0000000b', rows: 5, written: 3 }];
  const journal = await takeJournal(service, { owner: 'process 1 on host' });
  await record(journal, { abandoned, removing: [1] });
  await journal.release();
  put('s3vectors/journal.json', (await service.objects.find('journal.json'))!.bytes);
  service.close();
} finally {
  await aws.stop();
}
process.exit();
