// Reports, as `report.mjs` does, what Node itself takes. CommonJS, as in `node -e 0`: modules would load more of Node.
const answered = Date.now();
const [, rssKb] = /VmHWM:\s*(\d+)/.exec(require('node:fs').readFileSync('/proc/self/status', 'utf8'));
process.stderr.write(JSON.stringify({ answered, rssKb: Number(rssKb) }));
