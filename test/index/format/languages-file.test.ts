import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { writeSections } from '../../../index/format/container.ts';
import { LANGUAGES, Languages } from '../../../index/format/languages-file.ts';
import { languagesFile } from '../../fixtures/files.ts';
import { temporaryFolder } from '../../fixtures/index.ts';

const path = join(temporaryFolder(), 'languages.bin');
const question = Float32Array.of(1, 0);

/** Writes a file with each passage's language number and rows of two dimensions. */
function write(numbers: number[], rows: number[]): void {
  const sections = [Uint16Array.from(numbers), Float32Array.from(rows)];
  writeFileSync(
    path,
    writeSections(
      LANGUAGES,
      sections.map(({ buffer }) => new Uint8Array(buffer)),
    ),
  );
}

test('compares a question with the row of the index and the row of each passage’s language', () => {
  const vectors = [Float32Array.of(1, 0), Float32Array.of(0, 1)];
  const sentences = vectors.map((vector) => [Int8Array.from(vector, (value) => 127 * value)]);
  writeFileSync(path, languagesFile(['en', 'de'], vectors, sentences));
  const { index, ofLanguage } = new Languages(path, 2, 2).typicality(question);
  // One passage weighs 1 / (1 + 16); its cosine counts twice, as a passage and as a sentence.
  expect(ofLanguage(0)).toBeCloseTo(2 / 17, 6);
  expect(ofLanguage(1)).toBe(0);
  expect(index).toBeCloseTo(1 / 17, 6);
});

test('refuses a passage whose language has no row', () => {
  write([0, 1], [1, 0, 1, 0]);
  const { ofLanguage } = new Languages(path, 2, 2).typicality(question);
  expect(ofLanguage(0)).toBe(1);
  expect(() => ofLanguage(1)).toThrow(`${path} is damaged: it has no row 2. Run npx polyseek index again.`);
});

test.each<[string, number[], number[]]>([
  ['too few passages', [0], [1, 0, 1, 0]],
  ['half a row', [0, 0], [1, 0, 1]],
  ['no rows', [0, 0], []],
])('refuses a file with %s', (_, numbers, rows) => {
  write(numbers, rows);
  expect(() => new Languages(path, 2, 2)).toThrow(
    `${path} is damaged: its sections have ${2 * numbers.length} and ${4 * rows.length} bytes, but 2 passages need 4 and a multiple of 8.`,
  );
});
