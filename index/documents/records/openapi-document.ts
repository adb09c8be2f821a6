import { type Block, type Document, type MetadataValue, tableText } from '../document.ts';
import type { Input } from '../input.ts';
import { paragraphs } from './records.ts';

const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace', 'query'];
/** References to references. */
const MAX_REFERENCES = 10;

type Json = Readonly<Record<string, unknown>>;

/** Whether a value is an OpenAPI (or Swagger) document. */
export function isOpenApi(value: object): boolean {
  return (
    ('openapi' in value || 'swagger' in value) &&
    ('paths' in value || 'webhooks' in value || 'components' in value)
  );
}

/** A document from each operation, after one about the interface. */
export async function* readOpenApi(input: Input, value: object): AsyncGenerator<Document> {
  const api = value as Json;
  const { title, description, summary } = object(api.info);
  const about = [text(summary), text(description)].flatMap(paragraphs);
  const { source } = input;
  if (about.length > 0) yield { source, id: 'info', title: text(title) || undefined, blocks: about };
  let count = about.length;
  for (const paths of [api.paths, api.webhooks])
    for (const [path, item] of Object.entries(object(paths))) {
      const shared = resolve(api, item);
      for (const method of METHODS) {
        const operation = shared[method];
        if (typeof operation !== 'object' || operation === null) continue;
        count++;
        yield { source, ...operationOf(api, method.toUpperCase(), path, shared, operation as Json) };
      }
    }
  if (count === 0) throw input.failure('no text', 'It describes no operation.');
}

/** @param shared what all operations of the path have */
function operationOf(api: Json, method: string, path: string, shared: Json, operation: Json) {
  const call = `${method} ${path}`;
  const summary = text(operation.summary) || text(shared.summary);
  const blocks = paragraphs(text(operation.description) || text(shared.description) || summary || call);
  const parameters = [shared.parameters, operation.parameters].flatMap(list);
  addTable(blocks, ['Parameter', 'In', 'Description'], parametersOf(api, parameters));
  const body = resolve(api, operation.requestBody);
  const bodyText = joined([text(body.description), fieldsText(api, contentSchema(api, body))], '\n');
  if (bodyText !== '') blocks.push(paragraph(`Request body: ${bodyText}`));
  addTable(blocks, ['Response', 'Description'], responsesOf(api, operation.responses));
  const tags = list(operation.tags).map(text).filter(Boolean);
  const operationId = text(operation.operationId);
  const metadata: Record<string, MetadataValue> = {
    method,
    path,
    ...(tags.length > 0 && { tags }),
    ...(operationId !== '' && { operationId }),
    ...(operation.deprecated === true && { deprecated: true }),
  };
  return { id: call, title: joined([call, summary], ' - '), metadata, blocks };
}

function parametersOf(api: Json, parameters: unknown[]): string[][] {
  return parameters.map((item) => {
    const parameter = resolve(api, item);
    const fields = parameter.in === 'body' ? fieldsText(api, resolve(api, parameter.schema)) : '';
    const place = `${text(parameter.in)}${parameter.required === true ? ', required' : ''}`;
    return [text(parameter.name), place, joined([text(parameter.description), fields], ' ')];
  });
}

function responsesOf(api: Json, responses: unknown): string[][] {
  return Object.entries(object(responses)).map(([status, item]) => {
    const response = resolve(api, item);
    const schema = contentSchema(api, response);
    const fields = fieldsText(api, schema).replaceAll('\n', '; ');
    return [status, joined([text(response.description), fields], ' ')];
  });
}

/** The schema of a body's first kind of content. */
function contentSchema(api: Json, body: Json): Json {
  const content = Object.values(object(body.content))[0];
  const schema = resolve(api, object(content).schema ?? body.schema);
  return schema.items === undefined ? schema : resolve(api, schema.items);
}

/** A line for each field of an object that has a description. */
function fieldsText(api: Json, schema: Json): string {
  return Object.entries(object(schema.properties))
    .map(([name, property]) => [name, oneLine(text(resolve(api, property).description))])
    .filter(([, description]) => description !== '')
    .map(([name, description]) => `${name}: ${description}`)
    .join('\n');
}

function addTable(blocks: Block[], header: string[], rows: string[][]): void {
  if (rows.length === 0) return;
  blocks.push(paragraph(tableText([header, ...rows].map((cells) => cells.map(oneLine)))));
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ');
}

/** Joins the texts that are not empty. */
function joined(texts: string[], separator: string): string {
  return texts.filter((one) => one !== '').join(separator);
}

function paragraph(text: string): Block {
  return { kind: 'paragraph', text };
}

/** The object that a value is, or refers to in the same document. */
function resolve(api: Json, value: unknown): Json {
  let found = object(value);
  for (let i = 0; i < MAX_REFERENCES && typeof found.$ref === 'string'; i++) {
    const parts = found.$ref.startsWith('#/') ? found.$ref.slice(2).split('/') : undefined;
    if (!parts) return {};
    let target: unknown = api;
    for (const part of parts) {
      const key = decode(part).replaceAll('~1', '/').replaceAll('~0', '~');
      target = Object.hasOwn(object(target), key) ? object(target)[key] : undefined;
    }
    found = object(target);
  }
  return found;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function object(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function text(value: unknown): string {
  return typeof value === 'string' ? value.trim() : '';
}
