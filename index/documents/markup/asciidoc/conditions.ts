const CONDITION = /^(ifdef|ifndef|endif|ifeval)::([^[\]\s]*)\[(.*)\]$/;

/** Follows `ifdef` and the like. What `ifeval` compares counts as false. */
export class Conditions {
  /** How many are open, of which the outermost false one is at `#falseAt`. */
  #open = 0;
  #falseAt: number | undefined;

  /** Whether the lines up to the next condition are left out. */
  get isFalse(): boolean {
    return this.#falseAt !== undefined;
  }

  /** The text that a condition in one line includes, if any. Undefined if the line is no condition. */
  follow(line: string, attributes: ReadonlyMap<string, string>): string | undefined {
    const [all, kind, names = '', content = ''] = line.includes('::') ? (CONDITION.exec(line) ?? []) : [];
    if (all === undefined) return undefined;
    if (kind === 'endif') {
      if (this.#open === this.#falseAt) this.#falseAt = undefined;
      this.#open = Math.max(0, this.#open - 1);
      return '';
    }
    const isDefined = names.split(/[,+]/).some((name) => attributes.has(name));
    const isTrue = kind === 'ifdef' ? isDefined : kind === 'ifndef' ? !isDefined : false;
    if (kind !== 'ifeval' && content !== '') return isTrue && !this.isFalse ? content : '';
    this.#open++;
    if (!isTrue) this.#falseAt ??= this.#open;
    return '';
  }
}
