/**
 * The encoding that a page declares, by the `encoding` of an XML declaration or a `<meta>` element. `start` is the start of the file
 * as Latin-1. HTML's own rule looks at the first 1,024 bytes.
 */
export function declaredCharset(start: string): string | undefined {
  const head = start.slice(0, 1024).replace(/<!--[\s\S]*?(?:-->|$)/g, '');
  const xml = /^\s*<\?xml\s[^>]*?encoding\s*=\s*["']([\w.:-]+)["']/.exec(head);
  if (xml) return xml[1];
  for (const [tag] of head.matchAll(/<meta\s[^>]*/gi)) {
    const name = /\bcharset\s*=\s*["']?\s*([\w.:-]+)/i.exec(tag);
    if (name) return name[1];
  }
  return undefined;
}
