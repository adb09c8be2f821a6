import { inspect } from 'node:util';
import {
  createMcpHandler,
  isLegacyRequest,
  type McpServer,
  WebStandardStreamableHTTPServerTransport,
} from '@modelcontextprotocol/server';
import type { AddToLog, HttpRequest, HttpResponse } from './http.ts';
import { createMcpServer } from './mcp-server.ts';
import type { ToolContext } from './mcp-tools.ts';
import { Problem } from './problems.ts';
import { readBody } from './requests.ts';

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
  let failure: { error: unknown } | undefined;
  const server = createMcpServer(context, {
    called: (tool) => addToLog({ tool }),
    unavailable: (error) => addToLog({ error: inspect(error) }),
    failed: (error) => {
      failure = { error };
    },
  });
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
