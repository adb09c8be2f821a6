import type { Answer, Result } from './types.js';

/** Detail of the event `polyseek-search`: an answer is shown. */
export interface PolyseekSearchDetail {
  q: string;
  answer: Answer;
}

/** Detail of the event `polyseek-select`: a person follows a link of a result. `preventDefault` leaves that to the page. */
export interface PolyseekSelectDetail {
  q: string;
  result: Result;
  /** Place of the result in the list that the visitor sees, from 1. */
  position: number;
  /** Address of the link. */
  url: string;
}

/** The attributes of `<polyseek-search>`, for the types of templates. docs/widget.md describes them. */
export interface PolyseekAttributes {
  endpoint?: string;
  'api-key'?: string;
  collection?: string;
  mode?: 'dialog' | 'inline';
  chat?: boolean;
  placeholder?: string;
  k?: number | string;
  langs?: string;
  source?: string;
  ui?: string;
  hotkeys?: 'ctrl-k' | 'off';
  theme?: 'light' | 'dark' | 'auto';
}

/** The element `<polyseek-search>`, which importing this module defines. */
export declare class PolyseekSearch extends HTMLElement {
  /** Opens the dialog. Inline, moves the focus to the field. */
  open(): void;
  close(): void;
  /** Opens the element and searches. The event `polyseek-search` reports the answer. */
  search(q: string): void;
}

declare global {
  interface HTMLElementTagNameMap {
    'polyseek-search': PolyseekSearch;
  }
  interface HTMLElementEventMap {
    'polyseek-search': CustomEvent<PolyseekSearchDetail>;
    'polyseek-select': CustomEvent<PolyseekSelectDetail>;
  }
}
