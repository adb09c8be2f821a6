// How a cold process tells that it has answered. Loaded after the answer, so that it costs nothing before.
import { readFileSync } from 'node:fs';

/** Writes what `ColdReport` in processes.ts has. */
export function report(answered, steps) {
  // The kernel's high-water mark of this program; resourceUsage would count the memory of the process it was forked from.
  const [, rssKb] = /VmHWM:\s*(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'));
  process.stderr.write(JSON.stringify({ answered, rssKb: Number(rssKb), steps }));
}
