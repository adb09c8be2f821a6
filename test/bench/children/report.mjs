// Reports a cold process's first answer. Loaded after the answer, so it costs nothing before.
/** Writes a `ColdReport`, as in processes.ts. */
export function report(answered, steps) {
  // An import would load streams and add to the peak.
  const { readFileSync } = process.getBuiltinModule('node:fs');
  // The kernel's peak for this program. resourceUsage would include the memory of the forking process.
  const [, rssKb] = /VmHWM:\s*(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'));
  process.stderr.write(JSON.stringify({ answered, rssKb: Number(rssKb), steps }));
}
