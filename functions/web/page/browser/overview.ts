import type { Overview } from '../../../../index/format/overview-types.ts';
import type { IndexInfo } from '../../../../index/search/answer.ts';
import type { Texts } from '../../browser/texts.ts';

/** One line about what is searched. */
export function describeIndex(
  { index, documents, languages }: Overview & { index: IndexInfo },
  texts: Texts,
): string {
  const [language] = languages;
  return texts.of('page.about', {
    passages: texts.of('page.aboutPassages', { count: index.passages }),
    languages:
      languages.length === 1
        ? texts.of('page.aboutLanguage', { language: texts.languageName(language!.value) })
        : texts.of('page.aboutLanguages', { count: languages.length }),
    documents: texts.of('page.aboutDocuments', { count: documents }),
  });
}

/** Name of the collection in the page's path, as in `/prod/c/hr/`, or ''. */
export function collectionIn(path: string): string {
  const [, name = ''] = /\/c\/([^/]+)\/?$/.exec(path) ?? [];
  return decodeURIComponent(name);
}
