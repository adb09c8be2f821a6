/** Replaces control characters, which could manipulate a terminal, one for one. */
export function printable(text: string): string {
  return text.replace(/[^\P{Cc}\n\t]/gu, '\uFFFD');
}

/** Escapes the control characters that JSON may contain: C1 codes, of which one starts a terminal's commands. */
export function printableJson(json: string): string {
  return json.replace(/[^\P{Cc}\n]/gu, (code) => `\\u00${code.charCodeAt(0).toString(16)}`);
}
