import {
  createMcpHandler,
  isLegacyRequest,
  McpServer,
  WebStandardStreamableHTTPServerTransport,
} from '@modelcontextprotocol/server';
import { InvalidRequest } from '../../index/search/answer.ts';
import type { AddToLog, HttpRequest, HttpResponse } from './http.ts';
import { type ToolContext, tools } from './mcp-tools.ts';
import { Problem } from './problems.ts';
import { readBody } from './requests.ts';
import { version } from './version.ts';

/** Clients may cache the list of tools, which only a deployment changes. */
const CACHED = { ttlMs: 300_000, cacheScope: 'public' } as const;

/** The headers that MCP uses. `Headers` refuses values that are not Latin-1. */
function headersOf({ headers }: HttpRequest): [string, string][] {
  return Object.entries(headers).flatMap(([name, value]): [string, string][] =>
    value !== undefined && /^(accept|content-type|mcp-.*)$/.test(name)
      ? [[name, value.replace(/[^\x20-\x7e]/g, '?')]]
      : [],
  );
}

/**
 * Answers a message of the Model Context Protocol, revision 2026-07-28 or older, with JSON. There are no sessions: each
 * message gets its own server.
 * Throws a `Problem` for a wrong body, and any unexpected error of a tool.
 */
export async function answerMcp(
  request: HttpRequest,
  addToLog: AddToLog,
  context: ToolContext,
): Promise<HttpResponse> {
  const message = await readBody(request);
  // Only revision 2025-03-26 has batches. They would allow a hundred searches in one request.
  if (message.trimStart().startsWith('[')) {
    throw new Problem(400, 'The body is a batch of messages. Send each message in a separate request.');
  }
  const server = new McpServer(
    { name: 'polyseek', version },
    {
      // The tools never change while a function runs, so that clients need no open stream.
      capabilities: { tools: { listChanged: false } },
      cacheHints: { 'tools/list': CACHED, 'server/discover': CACHED },
    },
  );
  let failure: { error: unknown } | undefined;
  for (const { name, declaration, run } of tools) {
    server.registerTool(name, declaration, async (values) => {
      addToLog({ tool: name });
      try {
        const structuredContent = await run(values, context);
        return { content: [{ type: 'text', text: JSON.stringify(structuredContent) }], structuredContent };
      } catch (error) {
        if (error instanceof Problem || error instanceof InvalidRequest) {
          return { content: [{ type: 'text', text: error.message }], isError: true };
        }
        failure = { error };
        throw error;
      }
    });
  }
  const response = await respond(
    server,
    new Request(request.url, { method: 'POST', headers: headersOf(request), body: message }),
  );
  const body = await response.text();
  // The SDK would send an error's message to the caller, and nothing to the log.
  if (failure) throw failure.error;
  return {
    status: response.status,
    headers: { ...Object.fromEntries(response.headers), 'cache-control': 'no-store' },
    body,
  };
}

async function respond(server: McpServer, request: Request): Promise<Response> {
  if (!(await isLegacyRequest(request))) {
    return createMcpHandler(() => server, { legacy: 'reject' }).fetch(request);
  }
  // Like the SDK's own handler for clients of 2025, but with JSON instead of a stream.
  const transport = new WebStandardStreamableHTTPServerTransport({ enableJsonResponse: true });
  await server.connect(transport);
  return transport.handleRequest(request);
}
