/** Processors of Lambda, as CDK and AWS name them. */
export type Architecture = 'x86_64' | 'arm64';
