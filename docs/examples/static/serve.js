// Serves the page and the client's modules. Any web server can: copy them, and write the endpoint's URL into the page.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

const { POLYSEEK_URL = 'http://localhost:8787', PORT = '3000' } = process.env;

const page = readFileSync(new URL('index.html', import.meta.url), 'utf8').replace(
  'POLYSEEK_URL',
  POLYSEEK_URL,
);
const read = (name) => readFileSync(new URL(name, import.meta.resolve('polyseek-client')));

const files = new Map([
  ['/', ['text/html', page]],
  ['/client.js', ['text/javascript', read('client.js')]],
  ['/call.js', ['text/javascript', read('call.js')]],
]);

createServer(({ url }, response) => {
  const [type, content] = files.get(url) ?? [];
  if (type) response.setHeader('content-type', `${type}; charset=utf-8`).end(content);
  else response.writeHead(404).end();
}).listen(PORT, 'localhost', () => console.log(`http://localhost:${PORT}`));
