import type { Input } from '../input.ts';
import type { ZipEntries } from '../zip-entries.ts';
import { type Attributes, readXml } from './xml.ts';

/** What a paragraph is by its style. */
export type Role = { level: number } | 'contents' | 'text';

/** The styles of a Word document. */
export interface WordStyles {
  roleOf(styleId: string | null | undefined): Role;
  /** The default languages: of Western, East Asian and right-to-left text. */
  languages: (string | undefined)[];
}

/** Names of heading styles. Word stores `heading 1` in every language, but other programs translate it. */
const HEADING =
  /^(?:heading|überschrift|titre|título|titolo|titulek|titel|kop|rubrik|overskrift|otsikko|nagłówek|nadpis|nadpisy|başlık|заголовок|επικεφαλίδα|כותרת|عنوان|سرعنوان|शीर्षक|หัวเรื่อง|đầu đề|見出し|标题|標題|제목)[ _-]?([1-9])$/iu;
/** Names of the style of a document's title. */
const TITLE =
  /^(?:title|titel|document title|título|titolo|tytuł|název|название|τίτλος|タイトル|表題|标题|標題|제목|العنوان)$/iu;
const CONTENTS =
  /^(?:toc ?(?:heading|[1-9])|table of figures|index ?(?:heading|[1-9])|contents ?(?:heading|[1-9]))$/i;

/** How many styles may be based on each other. */
const MAX_BASES = 20;

interface Style {
  name: string;
  base?: string;
  outline?: number;
}

/** Reads the styles part. Without one, the ids of styles are taken for their names. */
export async function readWordStyles(
  zip: ZipEntries,
  part: string | undefined,
  input: Input,
): Promise<WordStyles> {
  const styles = new Map<string, Style>();
  let languages: WordStyles['languages'] = [];
  let style: Style | undefined;
  let isDefault = false;
  const open = (name: string, attributes: Attributes) => {
    const value = attributes.get('w:val') ?? '';
    if (name === 'w:docDefaults') isDefault = true;
    else if (name === 'w:lang' && isDefault)
      languages = ['w:val', 'w:eastAsia', 'w:bidi'].map((key) => attributes.get(key));
    else if (name === 'w:style') {
      style = { name: '' };
      const id = attributes.get('w:styleId') ?? '';
      if (attributes.get('w:type') === 'paragraph' && !styles.has(id)) styles.set(id, style);
    } else if (style && name === 'w:name') style.name = value;
    else if (style && name === 'w:basedOn') style.base = value;
    else if (style && name === 'w:outlineLvl') style.outline = Number(value);
  };
  if (part !== undefined && zip.has(part)) {
    await readXml(zip.stream(part), input, {
      open: ({ name, attributes }) => open(name, attributes),
      close: (name) => {
        if (name === 'w:docDefaults') isDefault = false;
        if (name === 'w:style') style = undefined;
      },
    });
  }
  const roles = new Map<string, Role>();
  const roleOf = (styleId: string | null | undefined): Role => {
    if (!styleId) return 'text';
    const role = roles.get(styleId) ?? findRole(styles, styleId);
    roles.set(styleId, role);
    return role;
  };
  return { roleOf, languages };
}

/** A style without a telling name has the role of the style that it is based on. */
function findRole(styles: Map<string, Style>, styleId: string): Role {
  let id: string | undefined = styleId;
  for (let i = 0; i < MAX_BASES && id; i++) {
    const style: Style = styles.get(id) ?? { name: id };
    if (CONTENTS.test(style.name)) return 'contents';
    const heading = HEADING.exec(style.name);
    if (heading) return { level: Number(heading[1]) + 1 };
    if (TITLE.test(style.name)) return { level: 1 };
    if (style.outline !== undefined) return style.outline < 9 ? { level: style.outline + 2 } : 'text';
    id = style.base;
  }
  return 'text';
}
