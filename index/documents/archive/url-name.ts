/**
 * The name of a web page in the index: its host and path, `index.html` if the path ends with `/`, and the query. Readable characters
 * are decoded.
 */
export function urlName(url: URL): string {
  const path = url.pathname.endsWith('/') ? `${url.pathname}index.html` : url.pathname;
  return `${url.host}${decodePath(path)}${decodePath(url.search)}`;
}

/** Keeps what would have another meaning, such as `%2F`, and bytes that are not UTF-8. */
function decodePath(path: string): string {
  return path.replace(/(?:%[0-9a-f]{2})+/gi, (encoded) => {
    try {
      return decodeURI(encoded).replace(/[\p{Cc}\\]/gu, encodeURIComponent);
    } catch {
      return encoded;
    }
  });
}
