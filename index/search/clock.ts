/** Milliseconds since the start of the process. For `performance`, Node would load a module: 1 ms of a cold start. */
export const now = (): number => process.uptime() * 1000;
