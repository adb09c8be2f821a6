import { join } from 'node:path';
import { readFolder } from '../../index/format/drafts.ts';
import { Passages } from '../../index/format/passages-file.ts';
import { openLocal } from '../../index/ingest/open-local.ts';
import type { ClosableSearch, Search } from '../../index/search/answer.ts';
import { openSearch } from '../../index/search/index-search.ts';
import { LIMITS } from '../../index/search/limits.ts';
import { healthSchema } from '../search/answer-schemas.ts';
import type { Remote } from './connect.ts';
import { ask, send } from './invoke.ts';

/** A question with a known answer: the passage with this id must be among the first results. */
export interface Probe {
  question: string;
  id: string;
}

/** Number of results that a probe requests. */
const PROBE_RESULTS = 3;
/** Maximum number of passages tried for each probe. */
const MAX_TRIED = 20;

/**
 * Chooses the first sentences of up to three passages, spread over an index, each of which finds its own passage first on this machine.
 * Sentences that occur in several passages may find another one, so they prove nothing.
 * @param model folder of the index's compiled model; default: the one found on this machine
 */
export async function chooseProbes(index: string, model?: string): Promise<Probe[]> {
  const close = ({ search, passages }: { search?: ClosableSearch; passages: Passages }) => {
    passages.close();
    search?.close();
  };
  const open = async (folder: string) => {
    const passages = new Passages(join(folder, 'passages.bin'));
    try {
      const search = model
        ? await openSearch({ index: folder, model, verify: true })
        : await openLocal(folder);
      return { search, passages };
    } catch (error) {
      close({ passages });
      throw error;
    }
  };
  const opened = await readFolder(index, open, close);
  const { search, passages } = opened;
  try {
    const bounds = [0, 1, 2, 3].map((part) => Math.floor((passages.count * part) / 3));
    const probes: Probe[] = [];
    for (const part of [0, 1, 2]) {
      const [start, end] = [bounds[part]!, bounds[part + 1]!];
      const probe = await findProbe(search, passages, start, Math.min(end, start + MAX_TRIED));
      if (probe) probes.push(probe);
    }
    return probes;
  } finally {
    close(opened);
  }
}

/** A probe for the first passage from `start` to `end` whose first sentence finds it. */
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
 * Tests a version before it becomes live: it must contain this index, find the passages of the probes, and answer the questions.
 * @param index version of the index
 * @throws at the first failure, with the actual result
 */
export async function smoke(
  remote: Remote,
  version: string,
  index: string,
  probes: Probe[],
  questions: string[],
): Promise<void> {
  const health = await send(remote, { method: 'GET', path: '/health' }, version, healthSchema);
  const found = health.body.index.version;
  if (found !== index) throw new Error(`GET /health reports index ${found}, but ${index} was pushed.`);
  const answerTo = async (q: string) =>
    (await ask(remote, { q, k: PROBE_RESULTS, mode: 'hybrid' }, version)).answer;
  for (const { question, id } of probes) {
    const ids = (await answerTo(question)).results.map((result) => result.id);
    if (!ids.includes(id))
      throw new Error(
        `Check failed: ${JSON.stringify(question)} should return ${id} but returned ${ids.join(', ') || 'nothing'}.`,
      );
  }
  for (const question of questions) {
    const { answered, verdict, results } = await answerTo(question);
    if (answered) continue;
    const [best] = results;
    const closest = best
      ? `Closest passage: ${JSON.stringify(best.title)} (${best.id}), confidence ${best.confidence.toFixed(2)}`
      : 'No passage was found';
    const kind = verdict === 'possible' ? 'sure answer' : 'answer';
    throw new Error(`${JSON.stringify(question)} has no ${kind}. ${closest}.`);
  }
}
