import { make } from '../../browser/dom.ts';
import type { Panel } from './panel.ts';

/** The name of a panel on its tab. */
export type Labelled = readonly [label: string, panel: Panel];

export interface Tabs {
  list: HTMLElement;
  /** The panel that is shown. */
  readonly shown: Panel;
  show(panel: Panel): void;
}

/** Shows one of several panels at a time, by the tabs pattern of the ARIA Authoring Practices Guide. */
export function createTabs(name: string, panels: readonly Labelled[]): Tabs {
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

  return {
    list,
    show,
    get shown() {
      return shown;
    },
  };
}
