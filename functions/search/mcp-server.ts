import { McpServer } from '@modelcontextprotocol/server';
import { isInvalidRequest, isUnavailable, type Unavailable } from '../../index/store/store.ts';
import { type ToolContext, tools } from './mcp-tools.ts';
import { Problem } from './problems.ts';
import { version } from './version.ts';

/** Clients may cache the list of tools, which only a deployment changes. */
const CACHED = { ttlMs: 300_000, cacheScope: 'public' } as const;

/** What a host learns of the calls. */
export interface CallEvents {
  called?: (tool: (typeof tools)[number]['name']) => void;
  /** The store cannot be read now. The caller is told to try again; `cause` is for the log. */
  unavailable: (error: Unavailable) => void;
  /** An unexpected error. The SDK would send its message to the caller, and nothing to the log. */
  failed: (error: unknown) => void;
}

/** Makes an MCP server with the tools, for any transport. Wrong arguments are results with an error. */
export function createMcpServer(
  context: ToolContext,
  { called, unavailable, failed }: CallEvents,
): McpServer {
  const server = new McpServer(
    { name: 'polyseek', version },
    {
      // The tools never change while a server runs, so that clients need no open stream.
      capabilities: { tools: { listChanged: false } },
      cacheHints: { 'tools/list': CACHED, 'server/discover': CACHED },
    },
  );
  for (const { name, declaration, run } of tools) {
    server.registerTool(name, declaration, async (values) => {
      called?.(name);
      try {
        const structuredContent = await run(values, context);
        return { content: [{ type: 'text', text: JSON.stringify(structuredContent) }], structuredContent };
      } catch (error) {
        if (isUnavailable(error)) unavailable(error);
        if (error instanceof Problem || isInvalidRequest(error) || isUnavailable(error)) {
          return { content: [{ type: 'text', text: error.message }], isError: true };
        }
        failed(error);
        throw error;
      }
    });
  }
  return server;
}
