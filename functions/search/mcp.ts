import {
  createMcpHandler,
  isLegacyRequest,
  McpServer,
  WebStandardStreamableHTTPServerTransport,
} from '@modelcontextprotocol/server';
import { InvalidRequest } from '../../index/search/answer.ts';
import type { HttpRequest, HttpResponse, Note } from './http.ts';
import { type ToolContext, tools } from './mcp-tools.ts';
import { Problem } from './problems.ts';
import { readBody } from './requests.ts';
import { version } from './version.ts';

/** How long clients may keep the list of tools, which changes with a deployment at most. */
const CACHED = { ttlMs: 300_000, cacheScope: 'public' } as const;

const isLoopback = (hostname: string) => /^(localhost|127\.0\.0\.1|\[::1\])$/.test(hostname);

/**
 * Whether a page of this origin may call. Its own name proves nothing over http, as whoever owns a name can point it
 * at this machine (DNS rebinding); over https, a certificate proves it.
 */
function mayCall(origin: string, url: URL, origins: readonly string[]): boolean {
  if (origins.includes('*') || origins.includes(origin)) return true;
  if (url.protocol === 'https:') return origin === url.origin;
  return URL.canParse(origin) && isLoopback(new URL(origin).hostname) && isLoopback(url.hostname);
}

/** The headers that mean something to MCP, as `Headers` takes them: it refuses what is not Latin-1. */
function headersOf({ headers }: HttpRequest): [string, string][] {
  return Object.entries(headers).flatMap(([name, value]): [string, string][] =>
    value !== undefined && /^(accept|content-type|mcp-.*)$/.test(name)
      ? [[name, value.replace(/[^\x20-\x7e]/g, '?')]]
      : [],
  );
}

/**
 * Answers a message of the Model Context Protocol, revision 2026-07-28 or older, with JSON. Each is answered by a
 * server of its own, as there are no sessions.
 * Throws a `Problem` for a wrong origin or body, and whatever a tool fails with unforeseen.
 * @param origins those besides its own whose pages may call; `*` for any
 */
export async function answerMcp(
  request: HttpRequest,
  note: Note,
  context: ToolContext,
  origins: readonly string[],
): Promise<HttpResponse> {
  const { origin } = request.headers;
  if (origin !== undefined && !mayCall(origin, request.url, origins)) {
    throw new Problem(
      403,
      `Pages of the origin ${JSON.stringify(origin)} may not call: list it in the setting cors, or CORS_ORIGINS of npm start.`,
    );
  }
  const message = await readBody(request);
  // Revision 2025-03-26 alone knows batches, with which one request could ask for a hundred searches.
  if (message.trimStart().startsWith('[')) {
    throw new Problem(400, 'The body is a batch of messages: send each in a request of its own.');
  }
  const server = new McpServer(
    { name: 'polyseek', version },
    {
      // The tools never change while a function runs, so there is nothing to keep a stream open for.
      capabilities: { tools: { listChanged: false } },
      cacheHints: { 'tools/list': CACHED, 'server/discover': CACHED },
    },
  );
  let failure: { error: unknown } | undefined;
  for (const { name, declaration, run } of tools) {
    server.registerTool(name, declaration, async (values) => {
      note({ tool: name });
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
  // The SDK would show the caller what a failure says, and the log nothing.
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
  // As the SDK's own way for clients of 2025, but with JSON in place of a stream.
  const transport = new WebStandardStreamableHTTPServerTransport({ enableJsonResponse: true });
  await server.connect(transport);
  return transport.handleRequest(request);
}
