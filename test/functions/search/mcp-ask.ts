import type { Client } from '@modelcontextprotocol/client';
import type { App } from '../../../functions/search/http.ts';
import { connect, REVISIONS } from '../../fixtures/mcp.ts';
import { post, request } from './ask.ts';

const [current] = REVISIONS;

interface ClientOptions {
  revision?: string;
  headers?: Record<string, string>;
  /** The part of the path that a gateway removed. */
  prefix?: string;
}

/** Connects the official client to an app without a network. */
export function clientOf(
  app: App,
  { revision = current, headers = {}, prefix }: ClientOptions = {},
): Promise<Client> {
  const fetch = (url: string | URL, init?: RequestInit) => request(app, String(url), init, prefix);
  return connect('http://localhost/mcp', revision, { fetch, requestInit: { headers } });
}

/** Sends any message in the way of a client. */
export function send(
  app: App,
  message: unknown,
  headers: Record<string, string> = {},
  address = 'http://localhost',
): Promise<Response> {
  const init = post(message);
  const accept = 'application/json, text/event-stream';
  return request(app, `${address}/mcp`, { ...init, headers: { ...init.headers, accept, ...headers } });
}

/** Sends a message of a revision since 2026-07-28, with the client's description and the matching headers. */
export function sendCurrent(
  app: App,
  method: string,
  params: object = {},
  revision: string = current,
): Promise<Response> {
  const meta = {
    'io.modelcontextprotocol/protocolVersion': revision,
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  const message = { jsonrpc: '2.0', id: 1, method, params: { ...params, _meta: meta } };
  return send(app, message, { 'mcp-protocol-version': revision, 'mcp-method': method });
}
