import type { Block, Document } from '../document.ts';
import type { Input } from '../input.ts';
import { type Fields, textOf } from '../records/values.ts';

/** Links to media and categories, in the languages with the largest Wikipedias. */
const NOT_TEXT =
  /^\s*(?:file|image|category|datei|bild|kategorie|fichier|catégorie|archivo|categoría|ficheiro|categoria|immagine|bestand|categorie|plik|kategoria|файл|категория|ملف|تصنيف|ファイル|画像|文件|分类|分類|파일|분류)\s*:/i;

/** The document of a page of a MediaWiki export. Undefined for redirects, and pages that are not articles. */
export function readPage({ source }: Input, fields: Fields): Document | undefined {
  const value = (name: string) => textOf(fields.get(name) ?? '');
  const text = fields.get('revision.text');
  // An export may contain all revisions: the last is the page.
  const latest = Array.isArray(text) ? (text.at(-1) ?? '') : textOf(text ?? '');
  if (value('ns') > '0' || value('redirect.title') !== '' || latest === '') return undefined;
  return {
    source,
    id: value('id') || undefined,
    title: value('title') || undefined,
    blocks: wikiBlocks(latest),
  };
}

/** Headings and paragraphs of wikitext, without templates, tables, notes and media. */
function wikiBlocks(wikitext: string): Block[] {
  const plain = links(withoutTemplates(withoutTags(wikitext)))
    .replace(/'{2,5}/g, '')
    .replace(/__[A-Z]{1,30}__/g, '');
  const blocks: Block[] = [];
  let lines: string[] = [];
  const flush = () => {
    if (lines.length > 0) blocks.push({ kind: 'paragraph', text: lines.join('\n') });
    lines = [];
  };
  for (const line of plain.split('\n').map((line) => line.trim())) {
    const signs = line.match(/^={1,6}/)?.[0].length ?? 0;
    const isHeading = signs > 0 && line.length > 2 * signs && line.endsWith('='.repeat(signs));
    if (line === '' || isHeading) flush();
    if (isHeading) {
      const text = line.slice(signs, -signs).trim();
      if (text !== '') blocks.push({ kind: 'heading', level: Math.max(2, signs), text });
    } else if (line !== '')
      lines.push(line.replace(/^[*#:;]{1,20}\s*/, (marks) => (/[*#]/.test(marks) ? '- ' : '')));
  }
  flush();
  return blocks;
}

/** Removes comments and notes with their content, and other tags without it. */
function withoutTags(text: string): string {
  const parts = text.split(/(<!--|-->|<ref\b[^<>]{0,500}>|<\/ref>)/i);
  let kept = '';
  let end: string | undefined;
  for (const part of parts) {
    const tag = part.toLowerCase();
    if (end === undefined && tag === '<!--') end = '-->';
    else if (end === undefined && tag.startsWith('<ref')) end = tag.endsWith('/>') ? undefined : '</ref>';
    else if (end !== undefined && tag === end) end = undefined;
    else if (end === undefined && tag !== '-->' && tag !== '</ref>') kept += part;
  }
  return kept.replace(/<\/?[a-z][^<>]{0,500}>/gi, '').replaceAll('&nbsp;', ' ');
}

/** Removes `{{templates}}` and `{| tables |}`, which nest. */
function withoutTemplates(text: string): string {
  let kept = '';
  let depth = 0;
  for (const part of text.split(/(\{\{|\}\}|\{\||\|\}(?!\}))/)) {
    if (part === '{{' || part === '{|') depth++;
    else if (part === '}}' || part === '|}') depth = Math.max(0, depth - 1);
    else if (depth === 0) kept += part;
  }
  return kept;
}

/** Replaces links by their labels. The links in the caption of a picture come first. */
function links(text: string): string {
  let replaced = text;
  for (let i = 0; i < 3; i++)
    replaced = replaced.replace(/\[\[([^[\]]{0,2000})\]\]/g, (_, link: string) =>
      NOT_TEXT.test(link) ? '' : link.slice(link.lastIndexOf('|') + 1),
    );
  return replaced.replace(/\[(?:https?:)?\/\/[^\s[\]]{1,2000}\s?([^[\]]{0,1000})\]/g, '$1');
}
