/** Checks of parsed JSON. A schema library would take longer to load in a cold start than the files themselves. */
export type Check = (value: unknown) => boolean;

export const isText: Check = (value) => typeof value === 'string';
export const isBoolean: Check = (value) => typeof value === 'boolean';
export const isNumber: Check = (value) => Number.isFinite(value);

export function isWhole(min: number, max: number = Number.MAX_SAFE_INTEGER): Check {
  return (value) => Number.isSafeInteger(value) && Number(value) >= min && Number(value) <= max;
}

export function isListOf(check: Check): Check {
  return (value) => Array.isArray(value) && value.every(check);
}

export function isRecordOf(check: Check): Check {
  return (value) => isObject(value) && Object.values(value).every(check);
}

export function isOptional(check: Check): Check {
  return (value) => value === undefined || check(value);
}

/** An object with these keys. Others are ignored. */
export function isShaped(shape: Record<string, Check>): Check {
  return (value) => isObject(value) && invalidKey(value, shape) === undefined;
}

export function invalidKey(value: object, shape: Record<string, Check>): string | undefined {
  return Object.keys(shape).find((key) => !shape[key]!((value as Record<string, unknown>)[key]));
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
