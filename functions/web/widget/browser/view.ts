import { make } from '../../browser/dom.ts';
import { createEndpoint } from '../../browser/endpoint.ts';
import { createTexts } from '../../browser/texts.ts';
import { createChatPanel } from './chat-panel.ts';
import { createDialog } from './dialog.ts';
import type { Emit } from './events.ts';
import { icon } from './icons.ts';
import { languagesOf, readOptions } from './options.ts';
import type { PanelContext } from './panel.ts';
import { createSearchPanel } from './search-panel.ts';
import { createTabs } from './tabs.ts';

/** What an element shows for one set of attributes. */
export interface View {
  root: HTMLElement;
  open(): void;
  close(): void;
  search(q: string): void;
  /** Aborts requests. */
  stop(): void;
}

/** Creates the content of an element from its attributes. */
export function createView(host: Element, emit: Emit): View {
  const options = readOptions(host);
  const texts = createTexts(languagesOf(host));
  const isDialog = options.mode === 'dialog';
  const context: PanelContext = {
    options,
    texts,
    emit,
    endpoint: createEndpoint({ base: options.api, key: () => options.key }),
    followed: close,
    // With a key, the page would ask each visitor for one too.
    ...(!options.key && { permalinkOf: (id: string) => `${options.page}#p=${encodeURIComponent(id)}` }),
  };

  const search = createSearchPanel(context);
  const chat = options.chat ? createChatPanel(context) : undefined;
  const tabs =
    chat &&
    createTabs(texts.of('search'), [
      [texts.of('search'), search],
      [texts.of('widget.chat'), chat],
    ]);
  const closer = make(
    'button',
    { type: 'button', class: 'icon', part: 'close', 'aria-label': texts.of('widget.close') },
    icon('close'),
  );
  closer.addEventListener('click', close);
  const title = tabs?.list ?? make('h2', { class: 'title' }, texts.of('search'));
  const head = make('div', { class: 'head' }, title, ...(isDialog ? [closer] : []));
  const panel = make(
    'div',
    { class: isDialog ? 'panel' : 'panel inline', part: 'panel' },
    ...(isDialog || tabs ? [head] : []),
    search.element,
    ...(chat ? [chat.element] : []),
  );
  const showsHotkey = host.getAttribute('hotkeys') !== 'off';
  const dialog = isDialog ? createDialog(panel, texts, showsHotkey, focus) : undefined;
  const root = make(
    'div',
    { class: 'root', lang: texts.lang, dir: texts.dir },
    ...(dialog?.nodes ?? [panel]),
  );

  let isLoaded = false;
  panel.addEventListener('focusin', () => {
    if (!isLoaded) void search.load();
    isLoaded = true;
  });
  search.field.addEventListener('keydown', (event) => {
    if (isDialog || event.key !== 'Escape' || event.isComposing) return;
    event.preventDefault();
    search.search('');
  });

  function focus(): void {
    const { field } = tabs?.shown ?? search;
    field.focus();
    field.select();
  }

  function close(): void {
    dialog?.close();
  }

  return {
    root,
    open: () => (dialog ? dialog.open() : focus()),
    close,
    search(q) {
      tabs?.show(search);
      search.search(q);
    },
    stop() {
      search.stop();
      chat?.stop();
    },
  };
}
