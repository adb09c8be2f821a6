/** The confidence from which a question counts as answered, unless the request sets another. */
export const ANSWERED = 0.7;

/** The limits of a request, for schemas, flags, clients, the page and the docs. */
export const LIMITS = {
  /** Characters (UTF-16 code units) of a question. */
  questionCharacters: 2000,
  /** Model tokens of a question, including the model's prefix. The history uses the remaining tokens. */
  questionTokens: 256,
  /** Results. */
  k: { min: 1, max: 100, default: 10 },
  /** Passages before and after each result. */
  context: { min: 0, max: 5, default: 0 },
  /** Characters (UTF-16 code units) of an answer as JSON. GPT Actions refuse answers of 100,000 or more. */
  answerCharacters: { min: 1, max: 1_000_000, default: 99_999 },
  /** Turns of a history, and characters of each. */
  turns: 10,
  turnCharacters: 8000,
  /** Fields of a filter, and values of each. */
  filterFields: 20,
  filterValues: 100,
} as const;
