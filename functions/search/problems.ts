/** A wrong parameter or field, and what to change. */
export type FieldError = { field: string; detail: string };

const titles = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  // nginx's status for the log: no answer reaches a client that closed its connection.
  499: 'Client Closed Request',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};

/** An error whose message is safe to show to the caller, with the answer's status. */
export class Problem extends Error {
  readonly status: keyof typeof titles;
  readonly errors: FieldError[] | undefined;
  /** Further headers of the answer. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: keyof typeof titles,
    detail: string,
    { errors, headers = {} }: { errors?: FieldError[]; headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(detail);
    this.status = status;
    this.errors = errors;
    this.headers = headers;
  }
}

/** The error for the id of a passage that the index does not contain. */
export const noPassage = (): Problem =>
  new Problem(404, 'No passage has this id. Its document may have changed: search again.');

/** The error response of a problem (RFC 9457), with further members of its JSON. */
export function problemResponse(
  { status, message, errors, headers }: Problem,
  requestId: string,
  members: Readonly<Record<string, string>> = {},
) {
  const title = titles[status];
  const body = { type: 'about:blank', title, status, detail: message, errors, requestId, ...members };
  return {
    status,
    headers: {
      'content-type': 'application/problem+json; charset=utf-8',
      'cache-control': 'no-store',
      ...headers,
    },
    body: JSON.stringify(body),
  };
}
