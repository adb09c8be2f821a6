/** A parameter or field that was wrong, and what to change. */
export interface FieldError {
  field: string;
  detail: string;
}

const titles = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  500: 'Internal Server Error',
};

export type ProblemStatus = keyof typeof titles;

/** An error whose message may be shown to the caller, with the status to answer. */
export class Problem extends Error {
  readonly status: ProblemStatus;
  readonly errors: FieldError[] | undefined;

  constructor(status: ProblemStatus, detail: string, errors?: FieldError[]) {
    super(detail);
    this.status = status;
    this.errors = errors;
  }
}

/** Headers of every error answer. */
export const problemHeaders = {
  'content-type': 'application/problem+json; charset=utf-8',
  'cache-control': 'no-store',
};

/** JSON text of an error answer (RFC 9457). */
export function problemJson({ status, message, errors }: Problem, requestId: string): string {
  return JSON.stringify({
    type: 'about:blank',
    title: titles[status],
    status,
    detail: message,
    errors,
    requestId,
  });
}
