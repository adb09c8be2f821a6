/** Processors of Lambda, by the names of CDK and AWS. */
export type Architecture = 'x86_64' | 'arm64';
