import { spawn } from 'node:child_process';
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ENCODER } from '../../../index/embedding/encoder.ts';
import { compileEngine } from '../../../index/engine/compile-engine.ts';
import { headBytes } from '../../../index/format/container.ts';
import { temporaryFolder } from '../../fixtures/index.ts';
import { finished } from '../../fixtures/processes.ts';
import { encoderBytes, randomModel } from './random-model.ts';

const MEBIBYTE = 2 ** 20;

/** Loads the engine, and limits the process's address space to its present size plus a headroom in bytes. */
const PRELUDE = `
  const { execFileSync } = require('node:child_process');
  const { readFileSync, writeSync } = require('node:fs');
  const [, library, path, headroom] = process.argv;
  const engine = require(library);
  const head = readFileSync(path).subarray(16, ${headBytes(ENCODER.sections)});
  const sections = Float64Array.from({ length: 8 }, (_, i) => head.readDoubleLE(8 * i));
  // V8 moves a small array out of its heap on first use of its buffer. That fails without memory.
  sections.buffer;
  const print = (value) => writeSync(1, JSON.stringify(value));
  const limit = () => {
    // The first child process makes Node reserve memory for later ones.
    execFileSync('prlimit', ['--version']);
    const pages = Number(readFileSync('/proc/self/statm', 'utf8').split(' ')[0]);
    execFileSync('prlimit', ['--pid', process.pid, '--as=' + (pages * 4096 + Number(headroom))]);
  };
  const attempt = (call) => {
    try {
      return call() && 'success';
    } catch (error) {
      return error.message;
    }
  };`;

// RLIMIT_AS exists on Linux only. /proc/self/statm counts pages of 4096 bytes on these processors.
describe.skipIf(process.platform !== 'linux')('with little memory', () => {
  const folder = temporaryFolder();
  const path = join(folder, 'encoder.bin');

  /** Runs a script after the prelude, and returns what it prints. If V8 itself lacks memory, it ends the process: then tries again. */
  async function run(script: string, headroom: number): Promise<unknown> {
    const args = ['--single-threaded', '-e', `${PRELUDE}\n${script}`];
    for (let attempt = 0; attempt < 10; attempt++) {
      const child = spawn(process.execPath, [...args, await compileEngine(), path, String(headroom)]);
      const { code, stdout, stderr } = await finished(child);
      const endedByV8 =
        child.signalCode === 'SIGTRAP' || child.signalCode === 'SIGILL' || /heap out of memory/.test(stderr);
      if (endedByV8) continue;
      expect({ headroom, code, stderr }).toEqual({ headroom, code: 0, stderr: '' });
      return JSON.parse(stdout);
    }
    return undefined;
  }

  test('a text that does not fit gives an error, and the encoder remains usable', async () => {
    // 1,000 tokens require 16 MiB for intermediate numbers, 4 MiB for their bytes and less than 2 MiB for the rest.
    const sizes = { columns: 64, layers: 1, heads: 2, inner: 4096, axes: 0 };
    writeFileSync(path, encoderBytes(sizes, randomModel(sizes, 1), 1000));
    const script = `
      const encoder = engine.open(path, readFileSync(path), sections);
      const rows = Float32Array.from({ length: 64_000 }, (_, i) => Math.sin(i * i));
      const few = rows.subarray(0, 64);
      const expected = engine.run(encoder, few);
      limit();
      const long = [0, 1].map(() => attempt(() => engine.run(encoder, rows)));
      const same = engine.run(encoder, few).every((value, i) => value === expected[i]);
      print({ long, same });`;
    const sentence = 'Not enough memory to embed 1000 tokens. Give the process more memory.';
    // Node itself needs some: with less than 4 MiB it may end before the engine does.
    for (const headroom of [4, 6, 8, 12, 15])
      expect(await run(script, headroom * MEBIBYTE)).toEqual({ long: [sentence, sentence], same: true });
    expect(await run(script, 64 * MEBIBYTE)).toEqual({ long: ['success', 'success'], same: true });
  });

  test('a model that does not fit gives an error', async () => {
    // A sparse file of zeros: 4,000 layers of 30 KiB, whose table requires 1 MiB.
    const sizes = { columns: 64, layers: 4000, heads: 2, inner: 64, axes: 0 };
    const dense = [64 + 2 * 192, 64 + 2 * 64, 64 + 2 * 64, 64 + 2 * 64].reduce((a, b) => a + b);
    const floats = { length: 4 * (128 + sizes.layers * (dense + 4 * 64)) };
    const sums = { length: 4 * sizes.layers * (192 + 3 * 64) };
    const weights = { length: sizes.layers * 64 * (192 + 3 * 64) };
    const bytes = encoderBytes(sizes, { floats: [], sums: [], weights: [] });
    const view = new DataView(bytes.buffer);
    let end = bytes.length;
    [floats, sums, weights].forEach(({ length }, i) => {
      view.setFloat64(32 + 16 * i, end, true);
      view.setFloat64(40 + 16 * i, length, true);
      end += length;
    });
    view.setFloat64(8, end, true);
    writeFileSync(path, bytes);
    truncateSync(path, end);
    const script = `
      limit();
      let bytes;
      const mapped = attempt(() => (bytes = engine.map(path)).length);
      print([mapped, bytes && attempt(() => engine.open(path, bytes, sections))]);`;
    const unmapped = `${path}: cannot be mapped into memory (Cannot allocate memory). Give the process more memory.`;
    const full = `${path}: not enough memory to open it. Give the process more memory.`;
    for (const headroom of [4 * MEBIBYTE, Math.ceil(end / 2)])
      expect(await run(script, headroom)).toEqual([unmapped, null]);
    // Mapping the file needs some headroom, and its table needs more. Both depend on the free memory.
    const outcomes = [];
    for (let quarter = 1; quarter < 14; quarter++)
      outcomes.push(await run(script, end + (quarter * MEBIBYTE) / 4));
    expect(outcomes).toContainEqual(['success', full]);
    for (const outcome of outcomes.filter((one) => one !== undefined))
      expect([
        [unmapped, null],
        ['success', full],
        ['success', 'success'],
      ]).toContainEqual(outcome);
    expect(await run(script, 3 * end)).toEqual(['success', 'success']);
  });

  test('a path that does not fit gives an error', async () => {
    const script = `
      const long = Buffer.alloc(32 * 2 ** 20, 'x').toString('latin1');
      limit();
      print([attempt(() => engine.open(long, sections)), attempt(() => engine.map(long))]);`;
    expect(await run(script, 8 * MEBIBYTE)).toEqual([
      'open: the path must be a string of up to 4095 bytes.',
      'map: the path must be a string of up to 4095 bytes.',
    ]);
  });
});
