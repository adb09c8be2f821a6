import { join } from 'node:path';
import { healthSchema } from '../../functions/search/schemas.ts';
import { locateFolder } from '../../index/format/drafts.ts';
import { Passages } from '../../index/format/passages-file.ts';
import { openLocal } from '../../index/local.ts';
import type { Search } from '../../index/search/answer.ts';
import { LIMITS } from '../../index/search/limits.ts';
import { ask, send } from './ask.ts';
import type { Remote } from './connect.ts';

/** A question whose answer is known: its passage's id must be among the first results. */
export interface Probe {
  question: string;
  id: string;
}

/** Results that a probe asks for. */
const FIRST = 3;
/** Passages tried for each probe. */
const TRIED = 20;

/**
 * First sentences of up to three passages, spread over an index, that find their own passage as the first result on this machine.
 * Text that stands in several passages finds another as well and proves nothing.
 */
export async function chooseProbes(index: string): Promise<Probe[]> {
  const search = await openLocal(index);
  const passages = new Passages(join(locateFolder(index), 'passages.bin'));
  const bounds = [0, 1, 2, 3].map((part) => Math.floor((passages.count * part) / 3));
  const probes: Probe[] = [];
  for (const part of [0, 1, 2]) {
    const [start, end] = [bounds[part]!, bounds[part + 1]!];
    const probe = await findProbe(search, passages, start, Math.min(end, start + TRIED));
    if (probe) probes.push(probe);
  }
  passages.close();
  return probes;
}

/** The first of the passages from `start` to `end` that its first sentence finds. */
async function findProbe(
  search: Search,
  passages: Passages,
  start: number,
  end: number,
): Promise<Probe | undefined> {
  for (let ordinal = start; ordinal < end; ordinal++) {
    const { id, text, sentences } = passages.get(ordinal);
    const question = sentences[0] ? text.slice(...sentences[0]) : '';
    if (question === '' || question.length > LIMITS.questionCharacters) continue;
    const { results } = await search.search({ q: question, k: 1, mode: 'hybrid' });
    if (results[0]?.id === id) return { question, id };
  }
  return undefined;
}

/**
 * Tries a version before it becomes live: it must hold the index of this version, find the passages of the probes and answer the
 * questions.
 * @throws for the first that fails, with what came
 */
export async function smoke(
  remote: Remote,
  version: string,
  index: string,
  probes: Probe[],
  questions: string[],
): Promise<void> {
  const health = await send(remote, { method: 'GET', path: '/health' }, version, healthSchema);
  const held = health.body.index.version;
  if (held !== index) throw new Error(`GET /health names the index ${held} where ${index} was pushed.`);
  for (const { question, id } of probes) {
    const { answer } = await ask(remote, { q: question, k: FIRST, mode: 'hybrid' }, version);
    const ids = answer.results.map((result) => result.id);
    if (!ids.includes(id))
      throw new Error(
        `${JSON.stringify(question)} must find its own passage ${id}, but found ${ids.join(', ') || 'nothing'}.`,
      );
  }
  for (const question of questions) {
    const { answer } = await ask(remote, { q: question, k: FIRST, mode: 'hybrid' }, version);
    const [best] = answer.results;
    if (!answer.answered)
      throw new Error(
        `${JSON.stringify(question)} must be answered, but ${best ? `the nearest passage is ${JSON.stringify(best.title)} (${best.id}) with confidence ${best.confidence.toFixed(2)}` : 'nothing was found'}.`,
      );
  }
}
