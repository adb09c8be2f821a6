type Json = Record<string, unknown>;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const comment = ({ description }: Json) =>
  typeof description === 'string' ? `/** ${description.replaceAll('*/', '* /')} */\n` : '';

/** Converts a JSON Schema to a TypeScript type. Throws an `Error` for an unknown kind of schema. */
function typeOf(schema: unknown): string {
  if (!isObject(schema)) throw new Error(`${JSON.stringify(schema)} is not a JSON Schema.`);
  const { $ref, type, anyOf, items, minItems, maxItems, properties, additionalProperties } = schema;
  if (typeof $ref === 'string') return $ref.split('/').at(-1)!;
  if ('const' in schema) return JSON.stringify(schema.const);
  if (Array.isArray(schema.enum)) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  if (Array.isArray(anyOf)) return anyOf.map(typeOf).join(' | ');
  if (type === 'array' && typeof minItems === 'number' && minItems === maxItems)
    return `[${Array(minItems).fill(typeOf(items)).join(', ')}]`;
  if (type === 'array') return `(${typeOf(items)})[]`;
  if (type === 'integer' || type === 'number') return 'number';
  if (type === 'string' || type === 'boolean') return type;
  if (type !== 'object') throw new Error(`No TypeScript type is known for ${JSON.stringify(schema)}.`);
  if (isObject(additionalProperties)) return `Record<string, ${typeOf(additionalProperties)}>`;
  const required = new Set(Array.isArray(schema.required) ? schema.required : []);
  const fields = Object.entries(isObject(properties) ? properties : {}).map(
    ([name, field]) =>
      `${comment(isObject(field) ? field : {})}${name}${required.has(name) ? '' : '?'}: ${typeOf(field)};\n`,
  );
  return `{\n${fields.join('')}}`;
}

/** Named JSON Schemas, which may refer to each other by the last part of a `$ref`, as exported types of TypeScript. */
export function toTypeScript(schemas: Json): string {
  const types = Object.entries(schemas).map(
    ([name, schema]) =>
      `${comment(isObject(schema) ? schema : {})}export type ${name} = ${typeOf(schema)};\n`,
  );
  return types.join('\n');
}
