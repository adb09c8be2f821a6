// functions/client/examples/mcp.ts
// Asks an endpoint by MCP: npx tsx functions/client/examples/mcp.ts [URL] [QUESTION]; a key is taken from the variable API_KEY.
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

const [url = 'http://localhost:8787/mcp', query = 'Ho diritto alle ferie pagate?'] = process.argv.slice(2);
const { API_KEY } = process.env;

const client = new Client({ name: 'example', version: '1' }, { versionNegotiation: { mode: 'auto' } });
await client.connect(
  new StreamableHTTPClientTransport(new URL(url), {
    requestInit: API_KEY ? { headers: { authorization: `Bearer ${API_KEY}` } } : {},
  }),
);
const found = await client.callTool({ name: 'search', arguments: { query, k: 3 } });
console.log(JSON.stringify(found.structuredContent ?? found.content, null, 2));
await client.close();
