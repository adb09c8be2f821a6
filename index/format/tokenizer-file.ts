/** `tokenizer.bin`: a Unigram tokenizer. FORMAT.md describes its layout. */
export const TOKENIZER = { magic: 'PSTK', version: 1, sections: 6 } as const;

/** A token that stands for itself in a text, such as `</s>`. */
export interface SpecialToken {
  id: number;
  content: string;
  /** Takes the white space before it along. */
  lstrip: boolean;
}
