// functions/web/client/examples/mcp.ts
// Searches through MCP: npx tsx functions/web/client/examples/mcp.ts [URL] [QUESTION]. Reads an API key from POLYSEEK_API_KEY.
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

const [url = 'http://localhost:8787/mcp', query = 'Ho diritto alle ferie pagate?'] = process.argv.slice(2);
const { POLYSEEK_API_KEY: apiKey } = process.env;

const client = new Client({ name: 'example', version: '1' }, { versionNegotiation: { mode: 'auto' } });
await client.connect(
  new StreamableHTTPClientTransport(new URL(url), {
    requestInit: apiKey ? { headers: { authorization: `Bearer ${apiKey}` } } : {},
  }),
);
const found = await client.callTool({ name: 'search', arguments: { query, k: 3 } });
console.log(JSON.stringify(found.structuredContent ?? found.content, null, 2));
await client.close();
