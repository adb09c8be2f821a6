/** The value of a JSON text, or of its bytes in UTF-8; undefined if it is not JSON. */
export function parseJson(text: string | Uint8Array | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(
      typeof text === 'string' ? text : Buffer.from(text.buffer, text.byteOffset, text.byteLength).toString(),
    );
  } catch {
    return undefined;
  }
}
