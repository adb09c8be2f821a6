/** `encoder.bin`: an encoder with 8-bit weights for the native engine. FORMAT.md describes its layout. */
export const ENCODER = { magic: 'PSEN', version: 1, sections: 4 } as const;
