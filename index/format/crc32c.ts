/**
 * The assembled `crc32c.wat`. Its code is compiled before the first call. The same loop in JavaScript is interpreted first, and
 * takes 2 to 4 ms instead of 0.5 ms for the engine's library in a new process.
 */
export const MODULE = Buffer.from(
  'AGFzbQEAAAABCwJgAABgA39/fwF/AwMCAAEFAwEAAQcTAgZtZW1vcnkCAAZ1cGRhdGUAAQgBAAp5AkkBA38DQCAAIQFBCCECA0Ag' +
    'AUEBdkH49tiXeEEAIAFBAXFrcXMhASACQQFrIgINAAsgAEECdCABNgIAIABBAWoiAEGAAkkNAAsLLQADQCAAQQh2IAAgAS0AAHNB' +
    '/wFxQQJ0KAIAcyEAIAFBAWoiASACSQ0ACyAACw==',
  'base64',
);

/** The part of the WebAssembly API used here. TypeScript declares the API for browsers only. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (
    module: object,
  ) => {
    exports: { memory: { buffer: ArrayBuffer }; update(crc: number, at: number, end: number): number };
  };
};

/** The module's memory begins with its table. The rest is for bytes. */
const START = 1024;
const PIECE = 65536 - START;

let checksum: { memory: Uint8Array; update(crc: number, at: number, end: number): number } | undefined;

function instantiate() {
  const { memory, update } = new WebAssembly.Instance(new WebAssembly.Module(MODULE)).exports;
  return { memory: new Uint8Array(memory.buffer), update };
}

/** The CRC-32C of bytes (RFC 3720, 12.1). */
export function crc32c(bytes: Uint8Array): number {
  checksum ??= instantiate();
  let crc = -1;
  for (let at = 0; at < bytes.length; at += PIECE) {
    const piece = bytes.subarray(at, at + PIECE);
    checksum.memory.set(piece, START);
    crc = checksum.update(crc, START, START + piece.length);
  }
  return ~crc >>> 0;
}
