import type { Block, Document } from '../document.ts';
import type { Input } from '../input.ts';
import { fittingLanguage } from './language.ts';
import { noText } from './package.ts';

/**
 * The document of a file. Its blocks have the level of the file's heading plus 1; level 1 is text in the style Title. The title is that
 * text, else the title in the file's properties, else the first heading.
 * @param languages as for `fittingLanguage`
 * @throws Unreadable `no text`
 */
export function toDocument(
  input: Input,
  blocks: Block[],
  declaredTitle: string | undefined,
  languages: Iterable<string | undefined>,
): Document {
  if (blocks.length === 0) throw noText(input);
  const lang = fittingLanguage(languages, blocks);
  const title = blocks.find(({ level }) => level === 1)?.text ?? declaredTitle;
  if (title) return { source: input.source, title, lang, blocks };
  const lifted = blocks.map((block) => (block.level ? { ...block, level: block.level - 1 } : block));
  const heading = lifted.find(({ kind }) => kind === 'heading');
  return { source: input.source, title: heading?.text, lang, blocks: lifted };
}

/** A title for a file whose headings are not titles: its name without the extension. */
export function fileTitle({ source }: Input): string {
  const name = source.slice(source.lastIndexOf('/') + 1);
  return name.replace(/\.[^.]*$/, '') || name;
}
