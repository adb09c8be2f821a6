import { resolve } from 'node:path';
import type { CallToolResult, McpServer } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import type { Command } from 'commander';
import { type CallTool, callerOf, createMcpServer } from '../functions/search/mcp.ts';
import type { Question } from '../functions/search/requests.ts';
import { truncateToLength } from '../functions/search/truncate.ts';
import { call } from '../functions/web/client/call.ts';
import type { Overview } from '../index/format/overview-types.ts';
import { openFollowing } from '../index/ingest/open-local.ts';
import { messageOf } from '../index/kit/errors.ts';
import type { ClosableSearch } from '../index/search/answer.ts';
import { isAddress } from '../index/store/s3vectors/address.ts';
import type { Unavailable } from '../index/store/store.ts';
import { Tool } from './kit/command.ts';
import { addEndpoint, chosenUrl, type EndpointFlags, searchedIndexOption, wrongValue } from './kit/flags.ts';

export const command = addEndpoint(
  new Tool(
    'mcp',
    'Serve the tools of an index or an endpoint to an MCP client, over standard input and output.',
  ),
)
  .addOption(searchedIndexOption())
  .examples(
    'npx polyseek mcp --index /home/ada/docs/.polyseek/index',
    'npx polyseek mcp --url https://abcde12345.execute-api.eu-central-1.amazonaws.com',
  )
  .action(serve);

/** Makes a server for a client, which may connect twice. */
type Factory = () => Promise<McpServer>;

/** The tools over an index on this machine. Without an endpoint, a passage has no URL of its own. */
function localServer(search: ClosableSearch): Factory {
  const failed = (error: unknown) => report(messageOf(error));
  const unavailable = ({ message, cause }: Unavailable) => report(cause ? `${message} ${cause}` : message);
  const find = async ({ maxCharacters, ...request }: Question) =>
    truncateToLength(maxCharacters, await search.search(request)).answer;
  const callTool = callerOf({ index: async () => search, find }, { unavailable, failed });
  return async () => createMcpServer(await search.overview().catch(() => undefined), callTool);
}

/** The tools of an endpoint. It gets each call as a message, so that results are the same as over HTTP. */
function remoteServer(url: string, key: string | undefined): Factory {
  const accept = 'application/json, text/event-stream';
  const headers = () => ({ accept, ...(key && { authorization: `Bearer ${key}` }) });
  const limits = { timeoutMs: 30_000, retries: 3, longestWaitMs: 20_000 };
  const connection = { url: url.replace(/\/+$/, ''), headers, ...limits, fetch };
  const callTool: CallTool = async ({ name }, values) => {
    const params = { name, arguments: values };
    try {
      const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params };
      const { result, error } = await call<Called>(connection, '/mcp', message);
      if (result) return result;
      throw new Error(error?.message);
    } catch (error) {
      return { content: [{ type: 'text', text: messageOf(error) }], isError: true };
    }
  };
  const overview = () => call<Overview>(connection, '/overview').catch(() => undefined);
  return async () => createMcpServer(await overview(), callTool);
}

/** What an endpoint answers to a call of a tool (JSON-RPC). */
interface Called {
  result?: CallToolResult;
  error?: { message: string };
}

/** Clients show standard error in their log. */
const report = (message: string) => console.error(`polyseek: ${message}`);

async function serve(flags: EndpointFlags & { index: string }, command: Command): Promise<void> {
  const { index, key } = flags;
  const url = chosenUrl(command, 'index');
  if (url !== undefined && !URL.canParse(url))
    throw wrongValue('--url', url, 'a URL such as https://search.example.com');
  // Standard output belongs to the protocol, whatever a library prints.
  console.log = console.error;
  // A missing index ends the command here, before the client waits for answers.
  const place = isAddress(index) ? index : resolve(index);
  const search = url ? undefined : await openFollowing(place, report);
  report(search ? `searching ${search.info.passages} passages of ${place}` : `searching ${url}`);
  const factory = search ? localServer(search) : remoteServer(url ?? '', key);
  const onerror = (error: unknown) => report(messageOf(error));
  const server = serveStdio(factory, { onerror });
  await new Promise((ended) => process.stdin.once('end', ended).once('close', ended));
  await server.close();
  search?.close();
}
