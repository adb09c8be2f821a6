import { Embedder, type QuestionEmbedder } from '../../../index/embedding/embedder.ts';
import { memoize } from '../../../index/embedding/memoize.ts';
import { questionKey, readSet } from '../../../index/evaluate/set.ts';
import { type MetadataValue, type Passage, withTitle } from '../../../index/format/passage.ts';
import { quantized } from '../../../index/format/sentences-file.ts';
import { sentences } from '../../../index/ingest/passages/sentences.ts';
import { type IndexContents, setFolder, smallModel } from '../../fixtures/index.ts';

/** A passage before its places are known. */
interface Draft {
  id: string;
  text: string;
  lang: string;
  title?: string;
}

/** A document: its passages, in reading order. */
interface DraftDocument {
  source: string;
  metadata?: Record<string, MetadataValue>;
  passages: Draft[];
}

/** Copies of one passage: more than an answer lists. */
const COPIES = 12;
/** Sentences of the longest passage: more than fit into the metadata of a vector in S3 Vectors. */
const LONG = 130;

/** Questions that the passages answer, and others. */
export const QUESTIONS = [
  'How often does the light of the Korvane lighthouse flash?',
  'How many items can I borrow from the Haldrin City Library?',
  'Was bedeutet der Fehler K-204 in Nimbora?',
  '哪种动物长大后完全不进食？',
  'Which ships are named in entry 77 of the register?',
  'ok',
];

/** The model that embeds passages and questions. */
export const openEmbedder = async () => memoize(await Embedder.open(smallModel().dir, { verify: false }));

/**
 * Documents in three languages, of several passages each, few enough that every passage is a candidate of every question. German
 * documents are records of one source. Passages with the same text, one with many sentences, and documents without metadata are included.
 */
async function documents(): Promise<DraftDocument[]> {
  const [en, de, zh] = await Promise.all(
    ['en', 'de', 'zh'].map(async (lang) => (await readSet(setFolder(lang))).passages),
  );
  const topicOf = ({ id }: { id: string }) => questionKey(id).replace(/-\d$/, '');
  const topics = [...new Set(en!.map(topicOf))];
  const lighthouse = en!.find(({ id }) => id === 'en-lighthouse-1')!;
  const boat = de!.at(-1)!;
  const long = Array.from({ length: LONG }, (_, i) => `Entry ${i} of the register names a ship.`).join(' ');
  return [
    ...topics.map((topic, number) => ({
      source: `en/guides/${topic}.md`,
      metadata: { topic, number, first: number === 0, tags: ['guide', number % 2 === 0 ? 'even' : 'odd'] },
      passages: en!.filter((one) => topicOf(one) === topic),
    })),
    ...topics.map((topic, number) => {
      const passages = de!.filter((one) => topicOf(one) === topic).slice(0, number === 3 ? 1 : 3);
      const idOf = (i: number) => (passages.length === 1 ? `de/${topic}` : `de/${topic}#${i + 1}`);
      return {
        source: 'de/topics.jsonl',
        metadata: { topic, number },
        passages: passages.map((one, i) => ({ ...one, id: idOf(i), lang: number < 5 ? 'de' : 'de-AT' })),
      };
    }),
    ...topics.slice(0, 4).map((topic) => ({
      source: `zh/${topic}.md`,
      metadata: { topic },
      passages: zh!.filter((one) => topicOf(one) === topic),
    })),
    ...Array.from({ length: COPIES }, (_, i) => ({
      source: `copies/${i}.txt`,
      passages: [{ ...lighthouse, id: `copy-${i}` }],
    })),
    { source: 'copies/boat.txt', passages: [{ ...boat, id: 'copy-boat' }] },
    { source: 'register.txt', passages: [{ id: 'register', lang: 'en', text: long }] },
  ];
}

/** An index's contents, and the document of each passage. */
export interface StoreContents extends IndexContents {
  /** For each passage the number of its document. */
  documentOf: number[];
}

let known: Promise<StoreContents> | undefined;

/** The contents of an index for the contract of stores. Embedded once. */
export function storeContents(embedder: QuestionEmbedder): Promise<StoreContents> {
  known ??= embedAll(embedder);
  return known;
}

async function embedAll(embedder: QuestionEmbedder): Promise<StoreContents> {
  const all = await documents();
  const documentOf: number[] = [];
  const passages = all.flatMap((document, number) =>
    document.passages.map(({ id, text, lang, title = '' }, position): Passage => {
      documentOf.push(number);
      const { source, metadata } = document;
      const url = `https://example.org/${source}`;
      const rest = { ...(number % 3 > 0 && { url }), ...(metadata && { metadata }) };
      return { id, text, title, source, position, lang, ...rest, sentences: sentences(text, lang) };
    }),
  );
  const contents: StoreContents = {
    documents: all.length,
    documentOf,
    passages,
    vectors: [],
    sentences: [],
    tokens: [],
    duplicates: groupsOf(passages),
  };
  for (const passage of passages) {
    const { vector, codes } = await embedder.byToken!.passage(withTitle(passage).text);
    contents.vectors.push(vector);
    contents.tokens!.push(codes);
    const parts = passage.sentences.map(([start, end]) => passage.text.slice(start, end));
    const embedded: Int8Array[] = [];
    for (const part of parts) embedded.push(quantized(await embedder.embed(part, 'passage')));
    contents.sentences.push(embedded);
  }
  return contents;
}

/** The ordinals of passages with the same text, for each text that several have. */
function groupsOf(passages: readonly Passage[]): number[][] {
  const groups = new Map<string, number[]>();
  for (const [i, { text }] of passages.entries()) groups.set(text, [...(groups.get(text) ?? []), i]);
  return [...groups.values()].filter((group) => group.length > 1);
}
