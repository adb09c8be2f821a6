import { assembleWidget } from './assemble-widget.ts';

/** The widget, assembled at the first import of this module. */
export const script: string = await assembleWidget();
