/** Single-byte encodings that files without a declaration have. */
const SINGLE_BYTE =
  'windows-1250 windows-1251 windows-1252 windows-1253 windows-1254 windows-1255 windows-1256 windows-1257 windows-1258 ' +
  'TIS-620 ISO-8859-1 ISO-8859-2 ISO-8859-5 ISO-8859-6 ISO-8859-7 ISO-8859-9 ISO-8859-15 KOI8-R KOI8-U MacRoman ' +
  'MacCyrillic IBM866 IBM855';
/** The encodings of East Asian versions of Windows and Unix. */
export const EAST_ASIAN = ['GB18030', 'Big5', 'Shift_JIS', 'CP932', 'EUC-JP', 'EUC-KR', 'CP949'];

const CANDIDATES = [...SINGLE_BYTE.split(' '), ...EAST_ASIAN];

/** This many bytes above 127 tell the encoding. More would only take time. */
const ENOUGH = 1500;

/**
 * The encoding in which bytes are the most probable text. There should be a byte above 127.
 * @param candidates names of encodings
 */
export async function detectEncoding(bytes: Buffer, candidates = CANDIDATES): Promise<string> {
  // Its models take 60 MB of memory, and most files are in UTF-8.
  const { detect } = await import('jschardet');
  // It takes control characters, such as the colours of a terminal, for binary data.
  const sample = bytes.subarray(0, sampleEnd(bytes)).map((byte) => (isControl(byte) ? 0x20 : byte));
  const { encoding } = detect(sample, { detectEncodings: [...candidates, 'windows-1252'] });
  return encoding ?? 'windows-1252';
}

function isControl(byte: number): boolean {
  return byte < 0x20 && byte !== 9 && byte !== 10 && byte !== 13;
}

/** The end of the part that is needed. */
function sampleEnd(bytes: Buffer): number {
  let high = 0;
  for (let at = 0; at < bytes.length; at++) if (bytes[at]! > 0x7f && ++high === ENOUGH) return at;
  return bytes.length;
}
