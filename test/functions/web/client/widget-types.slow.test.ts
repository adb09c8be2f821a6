import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { root, temporaryFolder } from '../../../fixtures/index.ts';

const compiler = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');

/** Compiles a program for browsers that imports the widget. Returns the compiler's messages. */
async function compile(program: string): Promise<string> {
  const file = join(temporaryFolder(), 'program.ts');
  writeFileSync(file, `import ${JSON.stringify(join(root, 'functions/web/client/widget.js'))};\n${program}`);
  const options =
    '--noEmit --strict --target es2023 --lib es2023,es2024.string,dom --module nodenext --types node'.split(
      ' ',
    );
  const config = [
    '--allowImportingTsExtensions',
    '--ignoreConfig',
    '--typeRoots',
    join(root, 'node_modules/@types'),
  ];
  return promisify(execFile)(process.execPath, [compiler, ...options, ...config, file], { cwd: root }).then(
    ({ stdout }) => stdout,
    (error: { stdout: string }) => error.stdout,
  );
}

test('types the element and its events', async () => {
  const messages = await compile(`
    const element = document.querySelector('polyseek-search')!;
    element.open();
    element.search('passports');
    element.addEventListener('polyseek-search', ({ detail }) => {
      const verdict: 'answered' | 'possible' | 'none' = detail.answer.verdict;
      console.log(detail.q, verdict);
    });
    document.addEventListener('polyseek-select', () => {});
    element.addEventListener('polyseek-select', (event) => {
      event.preventDefault();
      const position: number = event.detail.position;
      console.log(position, event.detail.url, event.detail.result.source);
    });`);
  expect(messages).toBe('');
});

test('rejects wrong uses of the element', async () => {
  const messages = await compile(`
    const element = document.querySelector('polyseek-search')!;
    element.search(1);
    element.addEventListener('polyseek-search', ({ detail }) => console.log(detail.results));`);
  expect(messages.match(/error TS\d+/g)).toHaveLength(2);
});
