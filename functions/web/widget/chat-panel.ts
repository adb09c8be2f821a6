import { LIMITS } from '../../../index/search/limits.ts';
import { make } from '../browser/dom.ts';
import { errorNodes, isLink } from '../browser/results.ts';
import { inLanguage } from '../browser/texts.ts';
import { findCited, quotesOf } from '../client/cite.ts';
import type { Answer, Question, Result } from '../client/types.ts';
import type { PolyseekSelectDetail } from '../client/widget.d.ts';
import { createAskForm, type Panel, type PanelContext, reportLinks } from './panel.ts';

/** Answers questions with quotations and their sources, without a language model. Earlier answers help follow-up questions. */
export function createChatPanel(context: PanelContext): Panel {
  const { options, texts, endpoint } = context;
  const send = make('button', { class: 'strong', part: 'send' }, texts.of('widget.send'));
  const { form, field } = createAskForm(context, undefined, send);
  const log = make('div', { class: 'log', part: 'log', role: 'log', 'aria-label': texts.of('widget.chat') });
  const note = make('p', { class: 'note' }, texts.of('widget.chatNote'));
  const restart = make('button', { type: 'button', hidden: '' }, texts.of('widget.newChat'));
  const body = make('div', { class: 'body' }, note, log, restart);
  const element = make('div', { class: 'part chat' }, body, form);

  const history: NonNullable<Question['history']> = [];
  const cited = new WeakMap<HTMLAnchorElement, Omit<PolyseekSelectDetail, 'url'>>();
  let current: AbortController | undefined;

  async function answer(q: string, reply: HTMLElement): Promise<void> {
    stop();
    current = new AbortController();
    const { signal } = current;
    reply.replaceChildren(make('p', { class: 'note' }, texts.of('searching')));
    try {
      const filter = {
        ...(options.langs.length > 0 && { lang: options.langs }),
        ...(options.sources.length > 0 && { source: options.sources }),
      };
      const search = (question: Question) => endpoint.post<Answer>('search', question, signal);
      const before = { history: history.slice(-LIMITS.turns) };
      const { verdict, passages } = await findCited(search, { q, ...filter }, before);
      const quoted = verdict === 'none' ? [] : passages;
      const quotes = quotesOf(quoted);
      const preface = { answered: [], possible: ['close'], none: ['none'] } as const;
      reply.replaceChildren(
        ...preface[verdict].map((name) => make('p', {}, texts.of(name))),
        ...quoted.map((passage, i) => quotation(q, passage, quotes[i]!, i + 1)),
      );
      if (quoted.length > 0) {
        const content = quotes.join('\n').slice(0, LIMITS.turnCharacters);
        history.push({ role: 'user', content: q }, { role: 'assistant', content });
      }
    } catch (error) {
      if (!signal.aborted) reply.replaceChildren(...errorNodes(error, texts, () => void answer(q, reply)));
    }
    reply.scrollIntoView({ block: 'nearest' });
  }

  /** A passage's words, and its source with the number of the citation. */
  function quotation(q: string, passage: Result, quote: string, position: number): HTMLElement {
    const { id, title, source, url, lang } = passage;
    const name = make('bdi', inLanguage(lang), title || source);
    const href = isLink(url) ? url : context.addressOf?.(id, q);
    const place = href === undefined ? name : make('a', { href }, name);
    if (place instanceof HTMLAnchorElement) cited.set(place, { q, result: passage, position });
    return make(
      'figure',
      { part: 'quotation' },
      make('blockquote', inLanguage(lang), quote),
      make('figcaption', {}, `[${texts.number(position)}] `, place),
    );
  }

  function stop(): void {
    current?.abort();
  }

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const q = field.value.trim();
    if (!q) return;
    field.value = '';
    note.hidden = true;
    restart.hidden = false;
    const reply = make('div', { class: 'reply', part: 'reply' });
    log.append(make('p', { class: 'said', part: 'question', dir: 'auto' }, q), reply);
    void answer(q, reply);
  });
  restart.addEventListener('click', () => {
    stop();
    history.length = 0;
    log.replaceChildren();
    note.hidden = false;
    restart.hidden = true;
    field.focus();
  });
  reportLinks(log, context, (link) => cited.get(link));

  return { element, field, stop };
}
