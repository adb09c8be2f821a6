import type { Overview } from '../../../../index/format/overview-types.ts';
import type { IndexInfo } from '../../../../index/search/answer.ts';
import type { Texts } from '../../browser/texts.ts';

/** One line about what is searched. */
export function describeIndex(
  { index, languages, sources }: Overview & { index: IndexInfo },
  texts: Texts,
): string {
  const [language] = languages;
  return texts.of('about', {
    passages: texts.of('aboutPassages', { count: index.passages }),
    languages:
      languages.length === 1
        ? texts.of('aboutLanguage', { language: texts.languageName(language!.value) })
        : texts.of('aboutLanguages', { count: languages.length }),
    sources: texts.of('aboutSources', { count: sources.length }),
  });
}

/** Name of the collection in the page's path, as in `/prod/c/hr/`, or ''. */
export function collectionIn(path: string): string {
  const [, name = ''] = /\/c\/([^/]+)\/?$/.exec(path) ?? [];
  return decodeURIComponent(name);
}
