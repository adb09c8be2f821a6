import { resolve } from 'node:path';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import type { Command } from 'commander';
import { createMcpServer } from '../functions/search/mcp.ts';
import type { ToolContext } from '../functions/search/mcp-tools.ts';
import { noPassage } from '../functions/search/problems.ts';
import { truncateToLength } from '../functions/search/truncate.ts';
import { Polyseek } from '../functions/web/client/client.ts';
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

/** The tools over an index on this machine. Without an endpoint, a passage has no URL of its own. */
function localContext(search: ClosableSearch): ToolContext {
  return {
    find: async ({ maxCharacters, ...request }) =>
      truncateToLength(maxCharacters, await search.search(request)).answer,
    passage: async (id, context) => {
      const found = await search.passage(id, context);
      if (found) return found;
      throw noPassage();
    },
  };
}

function remoteContext(url: string, apiKey: string | undefined): ToolContext {
  const client = new Polyseek({ url, apiKey });
  return {
    find: (question) => client.search(question),
    passage: (id, context) => client.passage(id, { context }),
    base: url.replace(/\/+$/, ''),
  };
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
  const context = search ? localContext(search) : remoteContext(url ?? '', key);
  report(search ? `searching ${search.info.passages} passages of ${place}` : `searching ${url}`);
  const failed = (error: unknown) => report(messageOf(error));
  const unavailable = ({ message, cause }: Unavailable) => report(cause ? `${message} ${cause}` : message);
  const server = serveStdio(() => createMcpServer(context, { unavailable, failed }), { onerror: failed });
  await new Promise((ended) => process.stdin.once('end', ended).once('close', ended));
  await server.close();
  search?.close();
}
