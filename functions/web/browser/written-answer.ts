import { eventsOf } from '../client/call.ts';
import { UNSUPPORTED } from '../client/chat.ts';
import type { Question, Result } from '../client/types.ts';
import { buttonOf, make } from './dom.ts';
import { errorNodes, type ResultContext } from './results.ts';

/** What `POST /answer` sends: sentences, and at the end the passages or an error. */
type Event = { part: string } | { passages: Result[] } | { error: string };

const MARKS = /(\[(?:\?|[\d, ]+)\])/;

/** A panel in which a language model of the endpoint writes an answer, once the reader asks for it: it may cost time and money. */
export function writtenAnswer(question: Question, { endpoint, texts, permalinkOf }: ResultContext): Element {
  const button = buttonOf('quiet', texts.of('page.write'), () => void write());
  const panel = make('section', { class: 'written', 'aria-live': 'polite' }, button);

  async function write(): Promise<void> {
    let [text, passages]: [string, Result[]] = ['', []];
    panel.replaceChildren(make('p', {}, texts.of('searching')));
    try {
      for await (const event of ask()) {
        // The reader asks something else.
        if (!panel.isConnected) return;
        if ('error' in event) throw new Error(event.error);
        if ('part' in event) text += event.part;
        else passages = event.passages;
        const legend = `${UNSUPPORTED} ${texts.of('page.unsupported')}`;
        panel.replaceChildren(
          make('p', { dir: 'auto' }, ...nodesOf(text, passages)),
          ...(text.includes(UNSUPPORTED) ? [make('p', { class: 'summary' }, legend)] : []),
        );
      }
    } catch (error) {
      panel.replaceChildren(...errorNodes(error, texts, () => void write()));
    }
  }

  async function* ask(): AsyncGenerator<Event> {
    const response = await fetch(`${endpoint.base}answer`, {
      method: 'POST',
      headers: { ...endpoint.headers(), 'content-type': 'application/json' },
      body: JSON.stringify(question),
    });
    if (!response.ok || !response.body) throw new Error(response.statusText);
    for await (const data of eventsOf(response.body)) yield JSON.parse(data);
  }

  /** Links the numbers of citations to the passages, and marks sentences without one. */
  function nodesOf(text: string, passages: readonly Result[]): (Node | string)[] {
    return text.split(MARKS).flatMap<Node | string>((piece, i) => {
      if (i % 2 === 0) return [piece];
      if (piece === UNSUPPORTED) return [make('mark', {}, piece)];
      return piece.split(/(\d+)/).map((number) => {
        const passage = passages[Number(number) - 1];
        const href = passage && permalinkOf?.(passage.id);
        return href ? make('a', { href }, number) : number;
      });
    });
  }

  return panel;
}
