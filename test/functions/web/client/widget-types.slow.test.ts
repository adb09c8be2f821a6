import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { root, temporaryFolder } from '../../../fixtures/index.ts';

const compiler = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');

const widget = JSON.stringify(join(root, 'functions/web/client/widget.js'));

/** Compiles a program for browsers that imports the widget. Returns the compiler's messages. */
async function compile(program: string): Promise<string> {
  const file = join(temporaryFolder(), 'program.tsx');
  writeFileSync(file, `import ${widget};\n${program}`);
  const options =
    '--noEmit --strict --target es2023 --lib es2023,es2024.string,dom --module nodenext --jsx react --types node'.split(
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

test('types the element in TSX by the declarations of docs/widget.md', async () => {
  const [, declarations] = /```ts\n(import type .+?)```/s.exec(
    readFileSync(join(root, 'docs/widget.md'), 'utf8'),
  )!;
  const folder = temporaryFolder();
  // The parts of React's types that the declarations name.
  writeFileSync(
    join(folder, 'react.ts'),
    `export type HTMLAttributes<T> = { className?: string; onClick?: (event: T) => void };
    export type DetailedHTMLProps<E, T> = E & { ref?: (element: T | null) => void };
    export declare function createElement(...parts: unknown[]): JSX.Element;
    export declare namespace JSX { interface Element {} interface IntrinsicElements { p: {} } }`,
  );
  const react = JSON.stringify(join(folder, 'react.ts'));
  const own = declarations!.replaceAll(`'react'`, react).replace(`'polyseek/widget.js'`, widget);
  const messages = await compile(`${own}
    import * as React from ${react};
    <polyseek-search api-key="psb_1" mode="inline" k={5} chat className="a" ref={(element) => element?.open()} />;
    <polyseek-search mode="window" />;
    <polyseek-search colour="red" />;`);
  expect(messages.match(/TS\d+: .*/g)).toEqual([
    expect.stringContaining(`'"window"' is not assignable to type '"dialog" | "inline" | undefined'`),
    expect.stringContaining('{ colour: string; }'),
  ]);
});
