// The plain function behind Node's HTTP server, on a free port, which it prints.
import { createServer } from 'node:http';

const { handler } = await import(process.argv[2]);
const server = createServer(async (request, response) => {
  const { searchParams } = new URL(request.url, 'http://localhost');
  const { statusCode, body } = await handler({ queryStringParameters: Object.fromEntries(searchParams) });
  response.writeHead(statusCode, { 'content-type': 'application/json' }).end(body);
});
server.listen(0, '127.0.0.1', () => console.log(`Searching at http://127.0.0.1:${server.address().port}`));
