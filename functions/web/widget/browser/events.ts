import type { PolyseekSearchDetail, PolyseekSelectDetail } from '../../client/widget.d.ts';

/** Details of the element's events. */
export interface WidgetEvents {
  'polyseek-search': PolyseekSearchDetail;
  'polyseek-select': PolyseekSelectDetail;
}

/** Sends an event that also leaves the shadow roots around the element. Returns false if a listener called `preventDefault`. */
export type Emit = <Name extends keyof WidgetEvents>(name: Name, detail: WidgetEvents[Name]) => boolean;

/**
 * Reports each link to a result that a person follows. A listener that calls `preventDefault` opens the result itself.
 * @param resultOf finds the result of a link, with its position, or undefined for other links
 * @param followed called before the link is followed in this tab
 */
export function reportLinks(
  container: HTMLElement,
  emit: Emit,
  resultOf: (link: HTMLAnchorElement) => Omit<PolyseekSelectDetail, 'url'> | undefined,
  followed: () => void,
): void {
  container.addEventListener('click', (event) => {
    const link = event.target instanceof Element && event.target.closest('a');
    const chosen = link && resultOf(link);
    if (!chosen) return;
    if (!emit('polyseek-select', { ...chosen, url: link.href })) event.preventDefault();
    // With these keys, the link opens elsewhere.
    if (!event.ctrlKey && !event.metaKey && !event.shiftKey) followed();
  });
}
