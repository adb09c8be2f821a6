/** The codes of built-in number formats that change how a number reads. Dates differ by country, and are written as ISO dates. */
const BUILT_IN: Record<number, string> = {
  1: '0',
  2: '0.00',
  3: '#,##0',
  4: '#,##0.00',
  9: '0%',
  10: '0.00%',
  37: '#,##0',
  38: '#,##0',
  39: '#,##0.00',
  40: '#,##0.00',
};
const DATES = [14, 15, 16, 17, 22, 27, 28, 29, 30, 31, 36, 50, 51, 52, 53, 54, 55, 56, 57, 58];
const TIMES = [18, 19, 20, 21, 32, 33, 34, 35, 45];

for (const id of DATES) BUILT_IN[id] = 'yyyy-mm-dd';
for (const id of TIMES) BUILT_IN[id] = 'hh:mm';

/** Days from the start of Excel's calendar to 1970. */
const DAYS_TO_1970 = 25_569;
/** Excel counts 29 February 1900, which did not exist. */
const FALSE_LEAP_DAY = 60;
const DAYS_TO_1904 = 1_462;
/** 31 December 9999. */
const LAST_DAY = 2_958_465;
const DAY = 86_400_000;
const MAX_DECIMALS = 10;
const MAX_CODE_LENGTH = 255;

/** The code of a built-in number format; undefined for the general format. */
export function builtInFormat(id: number): string | undefined {
  return BUILT_IN[id];
}

/**
 * A number as its format shows it: dates and times in ISO form, percentages, fixed decimals. Groups of thousands, currencies and other
 * decoration are left out.
 */
export function formatNumber(raw: string, code: string | undefined, is1904: boolean): string {
  const value = Number(raw);
  if (raw.trim() === '' || !Number.isFinite(value)) return raw;
  // Sections are for positive, negative, zero and text; what is quoted, escaped or in brackets is no placeholder.
  const pattern = code
    ?.slice(0, MAX_CODE_LENGTH)
    .replace(/"[^"]*"|\\.|_.|\*./g, '')
    .replace(/\[[^\]]*\]/g, '')
    .split(';')[0];
  if (!pattern || /general/i.test(pattern)) return plain(value);
  if (/[ymdhs]/i.test(pattern)) return formatDate(value, pattern, is1904) ?? plain(value);
  const decimals = Math.min(MAX_DECIMALS, pattern.match(/\.([0#?]+)/)?.[1]?.length ?? 0);
  const isPadded = /\.0/.test(pattern);
  const show = (number: number) =>
    isPadded ? number.toFixed(decimals) : plain(Number(number.toFixed(decimals)));
  if (pattern.includes('%')) return `${show(value * 100)}%`;
  return /^[^0#?]*[0#?,]+(?:\.[0#?]+)?[^0#?]*$/.test(pattern) ? show(value) : plain(value);
}

/** Excel shows 15 digits. */
function plain(value: number): string {
  return String(Number(value.toPrecision(15)));
}

function formatDate(value: number, pattern: string, is1904: boolean): string | undefined {
  const serial = value + (is1904 ? DAYS_TO_1904 : 0);
  if (serial < 0 || serial > LAST_DAY) return undefined;
  const days = serial - DAYS_TO_1970 + (serial < FALSE_LEAP_DAY && !is1904 ? 1 : 0);
  const iso = new Date(Math.round((days * DAY) / 1000) * 1000).toISOString();
  const date = iso.slice(0, 10);
  const time = iso.slice(11, iso.slice(17, 19) === '00' ? 16 : 19);
  const isTime = !/[yd]/i.test(pattern) && /[hs]/i.test(pattern);
  if (isTime && value < 1) return time;
  return time === '00:00' ? date : `${date} ${time}`;
}
