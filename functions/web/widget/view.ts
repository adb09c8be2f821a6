import { buttonOf, make } from '../browser/dom.ts';
import { createEndpoint, type Endpoint } from '../browser/endpoint.ts';
import { transientText } from '../browser/results.ts';
import { createTexts, type Texts } from '../browser/texts.ts';
import { PolyseekError } from '../client/call.ts';
import { createChatPanel } from './chat-panel.ts';
import { createDialog, icon } from './dialog.ts';
import { languagesOf, readOptions, type WidgetOptions } from './options.ts';
import type { Emit, Panel, PanelContext } from './panel.ts';
import { createSearchPanel } from './search-panel.ts';

/** What an element shows for one set of attributes. */
export type View = ReturnType<typeof createView>;

export function createView(host: Element, emit: Emit) {
  const options = readOptions(host);
  const texts = createTexts(languagesOf(host));
  const isDialog = !options.isInline;
  const context: PanelContext = {
    options,
    texts,
    emit,
    endpoint: createNeutralEndpoint(options, texts),
    followed: close,
    // With a key, the page would ask each visitor for one too.
    ...(!options.key && {
      addressOf: (id: string, q: string) =>
        `${options.page}?${new URLSearchParams({ q })}#p=${encodeURIComponent(id)}`,
    }),
  };

  const closer = buttonOf('icon', '', close);
  closer.part.add('close');
  closer.ariaLabel = texts.of('widget.close');
  closer.append(icon('close'));
  const closers = isDialog ? [closer] : [];

  // Without tabs, the field is at the top.
  const search = createSearchPanel(context, ...(options.chat ? [] : closers));
  const chat = options.chat ? createChatPanel(context) : undefined;
  const tabs =
    chat &&
    createTabs(texts.of('search'), [
      [texts.of('search'), search],
      [texts.of('widget.chat'), chat],
    ]);
  const panel = make(
    'div',
    { class: isDialog ? 'panel' : 'panel inline', part: 'panel' },
    ...(tabs ? [make('div', { class: 'head' }, tabs.list, ...closers)] : []),
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
    const { field } = tabs?.shown() ?? search;
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
    search(q: string): void {
      tabs?.show(search);
      search.search(q);
    },
    stop(): void {
      close();
      search.stop();
      chat?.stop();
    },
  };
}

/** An endpoint whose refusals, which no visitor can remedy, have a neutral text. The console has the cause and the remedy. */
function createNeutralEndpoint({ api, key }: WidgetOptions, texts: Texts): Endpoint {
  const { get, post, ...rest } = createEndpoint(api, () => key);
  const refused = (error: unknown): never => {
    if (!(error instanceof PolyseekError) || transientText(error)) throw error;
    console.error(`polyseek-search: ${error.message}`);
    throw new Error(texts.of('unavailable'));
  };
  return {
    ...rest,
    get: (path, signal) => get<never>(path, signal).catch(refused),
    post: (path, body, signal) => post<never>(path, body, signal).catch(refused),
  };
}

/** Shows one of several panels, each with the label of its tab, by the tabs pattern of the ARIA Authoring Practices Guide. */
function createTabs(name: string, panels: readonly (readonly [label: string, panel: Panel])[]) {
  const list = make('div', { role: 'tablist', 'aria-label': name });
  const buttons = new Map(
    panels.map(([label, panel], i) => {
      const attributes = { id: `tab-${i}`, 'aria-controls': `panel-${i}` };
      panel.element.id = `panel-${i}`;
      panel.element.role = 'tabpanel';
      panel.element.setAttribute('aria-labelledby', `tab-${i}`);
      return [panel, make('button', { type: 'button', role: 'tab', part: 'tab', ...attributes }, label)];
    }),
  );
  let shown = panels[0]![1];

  function show(panel: Panel): void {
    shown = panel;
    for (const [other, button] of buttons) {
      button.ariaSelected = String(other === panel);
      button.tabIndex = other === panel ? 0 : -1;
      other.element.hidden = other !== panel;
    }
  }

  for (const [panel, button] of buttons) {
    button.addEventListener('click', () => {
      show(panel);
      panel.field.focus();
    });
  }
  list.addEventListener('keydown', (event) => {
    if (event.key !== 'ArrowLeft' && event.key !== 'ArrowRight') return;
    event.preventDefault();
    const forward = getComputedStyle(list).direction === 'rtl' ? 'ArrowLeft' : 'ArrowRight';
    const all = [...buttons.keys()];
    const step = event.key === forward ? 1 : all.length - 1;
    show(all[(all.indexOf(shown) + step) % all.length]!);
    buttons.get(shown)!.focus();
  });
  list.append(...buttons.values());
  show(shown);

  return { list, show, shown: () => shown };
}
