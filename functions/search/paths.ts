/** The start of pages' requests. API Gateway throttles it apart. */
export const BROWSER_PREFIX = '/browser';

/** Decodes the path of a URL. Escapes that are not UTF-8 stay as they are, and dot segments too: an id may contain them. */
export function decodePath(path: string): string {
  return path.replace(/(?:%[0-9a-f]{2})+/gi, (escapes) => {
    try {
      return decodeURIComponent(escapes);
    } catch {
      return escapes;
    }
  });
}

/** A request's path, split into what comes before the route, and the route. */
export interface SplitPath {
  /** `/browser`, `/c/NAME`, `/browser/c/NAME`, or nothing. */
  prefix: string;
  /** Whether the path is for pages: it starts with `/browser`. */
  browser: boolean;
  /** The name after `/c/`, which may be of no collection; undefined for the default index. */
  collection: string | undefined;
  /** The rest, which a route must match. Starts with `/`. */
  path: string;
}

const PREFIX = new RegExp(`^(${BROWSER_PREFIX}(?![^/]))?(?:/c/([^/]+))?`);

/** Splits a decoded path. The prefix occurs once and in this order: the rest of `/c/a/browser/search` matches no route. */
export function splitPath(path: string): SplitPath {
  const [prefix = '', browser, collection] = PREFIX.exec(path) ?? [];
  return { prefix, browser: browser !== undefined, collection, path: path.slice(prefix.length) || '/' };
}

const collectionPattern = /^[a-z0-9-]{1,32}$/;

/** Form of a collection's name, for error messages. */
export const collectionExpected = '1 to 32 of the characters a-z, 0-9 and -';

export const isCollectionName = (name: string) => collectionPattern.test(name);
