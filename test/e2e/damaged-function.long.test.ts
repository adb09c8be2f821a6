import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from 'vitest';
import { packageFunction } from '../../functions/package/package-function.ts';
import { buildTopics, randomNumbers, temporaryFolder } from '../fixtures/index.ts';
import { HTTP_API, httpEvent } from '../fixtures/lambda-events.ts';

/** Flips and cuts of each file. `DAMAGE=1000 npx vitest run test/e2e/damaged-function.long.test.ts` makes a long run. */
const TRIES = Number(process.env.DAMAGE ?? 4);
/** A function starts and answers in a fraction of this. */
const HANG_MS = 30_000;

const folder = temporaryFolder();
const [index, packaged, script] = [
  join(folder, 'index'),
  join(folder, 'function'),
  join(folder, 'script.mjs'),
];
/** Code cannot verify itself: Lambda has verified the archive. Nothing reads the rest. */
const isNoData = (name: string) => /\.mjs$|NOTICES|sbom/.test(name);

const EVENTS = [
  {
    path: `/search?${new URLSearchParams({ q: 'How often does the light of the Korvane lighthouse flash?' })}`,
  },
  { path: `/search?${new URLSearchParams({ q: 'Wer hat die Brücke gebaut?', mode: 'semantic' })}` },
  { path: '/search?q=Korvane&mode=lexical&lang=en' },
  { path: '/overview' },
  { path: '/', headers: { accept: 'text/html' } },
  { path: '/widget.js' },
].map((request) => httpEvent(HTTP_API, request));

interface Outcome {
  answers: { statusCode: number; body: string }[];
  log: string;
}

/** Starts the function, and asks it everything. */
async function ask(): Promise<Outcome> {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [script], {
    timeout: HANG_MS,
    killSignal: 'SIGKILL',
    maxBuffer: 2 ** 26,
  });
  const answers = (JSON.parse(stderr) as Outcome['answers']).map(({ statusCode, body }) => ({
    statusCode,
    body: body.replace(/"took":\{[^}]*\}/, ''),
  }));
  return { answers, log: stdout };
}

beforeAll(async () => {
  await buildTopics(index, ['en', 'de']);
  await packageFunction(index, packaged);
  writeFileSync(
    script,
    `import { writeSync } from 'node:fs';
    const { handler } = await import(${JSON.stringify(join(packaged, 'lambda.mjs'))});
    const answers = [];
    for (const event of ${JSON.stringify(EVENTS)}) answers.push(await handler(event, { awsRequestId: 'id' }));
    writeSync(2, JSON.stringify(answers));`,
  );
});

test('any damage to a file of data or to the library gives the same answers, or an error that names the file', async () => {
  const expected = await ask();
  expect(expected.answers.map(({ statusCode }) => statusCode)).toEqual(EVENTS.map(() => 200));
  const files = readdirSync(packaged, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !isNoData(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
  expect(files.length).toBe(18);
  const random = randomNumbers(15);
  const found = { damaged: 0, same: 0 };

  async function attempt(file: string, damage: string): Promise<void> {
    const { answers, log } = await ask().catch((error: Error) => {
      throw new Error(`${file}, ${damage}: the function ended.`, { cause: error });
    });
    answers.forEach(({ statusCode, body }, i) => {
      if (statusCode === 200) expect(body, `${file}, ${damage}`).toBe(expected.answers[i]!.body);
      else expect(JSON.parse(body), `${file}, ${damage}`).toMatchObject({ status: 500 });
    });
    const errors = log
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line))
      .filter(({ status }) => status === 500);
    // Each names a file, and what to do.
    for (const { error } of errors)
      expect(error, `${file}, ${damage}`).toMatch(
        /^Error: \S+ (is damaged: .+|is missing, .+|has (version|format) .+|was built with .+|is not an? .+)/,
      );
    found[errors.length > 0 ? 'damaged' : 'same']++;
  }

  for (const file of files) {
    const bytes = readFileSync(file);
    for (let i = 0; i < TRIES; i++) {
      // Half of the flips are in the first bytes, where the head and the tables of a file are.
      const at = Math.floor(random() * (i % 2 ? bytes.length : Math.min(512, bytes.length)));
      const bit = Math.floor(random() * 8);
      writeFileSync(file, bytes.with(at, bytes[at]! ^ (1 << bit)));
      await attempt(file, `bit ${bit} of byte ${at} flipped`);
      const length = Math.floor(random() * bytes.length);
      writeFileSync(file, bytes);
      truncateSync(file, length);
      await attempt(file, `cut at byte ${length}`);
    }
    writeFileSync(file, bytes);
  }
  // All cuts are found, and flips of what these questions read.
  expect(found.damaged).toBeGreaterThan(files.length * TRIES);
  expect((await ask()).answers).toEqual(expected.answers);
}, 6_000_000);
