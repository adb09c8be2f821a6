/** A declared language as a tag with hyphens: `pt_BR` is `pt-BR`. Names of languages are none. */
export function languageTag(declared: string | undefined): string | undefined {
  return declared !== undefined && /^[a-z]{2,3}(?:[-_][a-z\d]{1,8})*$/i.test(declared)
    ? declared.replaceAll('_', '-')
    : undefined;
}
