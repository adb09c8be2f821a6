type Json = Record<string, unknown>;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const types: Record<string, (value: unknown) => boolean> = {
  object: isObject,
  array: Array.isArray,
  string: (value) => typeof value === 'string',
  boolean: (value) => typeof value === 'boolean',
  number: (value) => typeof value === 'number',
  integer: Number.isInteger,
};

/**
 * Lists the differences between a value and a JSON Schema, by path. `components` resolves references. A property without a
 * description in the schema is a difference. With a schema for additional properties, the listed properties must match it too.
 * Throws for unknown keywords.
 */
export function differences(value: unknown, schema: Json, components: Json, at = '$'): string[] {
  const found: string[] = [];
  const fail = (keyword: string) => found.push(`${at}: ${keyword}`);
  const properties = isObject(schema.properties) ? schema.properties : {};
  for (const [keyword, rule] of Object.entries(schema)) {
    if (keyword === '$ref') {
      const name = String(rule).replace('#/components/schemas/', '');
      const target = components[name];
      if (!isObject(target)) throw new Error(`No component ${name} at ${at}.`);
      found.push(...differences(value, target, components, at));
    } else if (keyword === 'type') {
      if (!types[String(rule)]!(value)) fail('type');
    } else if (keyword === 'required' && Array.isArray(rule)) {
      for (const name of rule) if (!isObject(value) || !Object.hasOwn(value, name)) fail(`required ${name}`);
    } else if (keyword === 'properties') {
      for (const [name, part] of Object.entries(isObject(value) ? value : {})) {
        const inner = properties[name];
        if (isObject(inner)) found.push(...differences(part, inner, components, `${at}.${name}`));
        else if (!isObject(schema.additionalProperties)) fail(`property ${name}`);
      }
    } else if (keyword === 'items' && isObject(rule)) {
      const list = Array.isArray(value) ? value : [];
      for (const [i, item] of list.entries()) {
        found.push(...differences(item, rule, components, `${at}[${i}]`));
      }
    } else if (keyword === 'additionalProperties' && isObject(rule)) {
      for (const [name, part] of Object.entries(isObject(value) ? value : {})) {
        found.push(...differences(part, rule, components, `${at}.${name}`));
      }
    } else if (keyword === 'anyOf' && Array.isArray(rule)) {
      if (!rule.some((option) => differences(value, option, components, at).length === 0)) fail('anyOf');
    } else if (keyword === 'const') {
      if (value !== rule) fail('const');
    } else if (keyword === 'enum' && Array.isArray(rule)) {
      if (!rule.includes(value)) fail('enum');
    } else if (keyword === 'minimum') {
      if (!(Number(value) >= Number(rule))) fail('minimum');
    } else if (keyword === 'maximum') {
      if (!(Number(value) <= Number(rule))) fail('maximum');
    } else if (keyword === 'minLength' || keyword === 'maxLength') {
      const { length } = String(value);
      if (keyword === 'minLength' ? length < Number(rule) : length > Number(rule)) fail(keyword);
    } else if (keyword === 'pattern') {
      if (!new RegExp(String(rule)).test(String(value))) fail('pattern');
    } else if (keyword === 'maxProperties') {
      if (Object.keys(Object(value)).length > Number(rule)) fail('maxProperties');
    } else if (keyword === 'minItems') {
      if (!(Array.isArray(value) && value.length >= Number(rule))) fail('minItems');
    } else if (keyword === 'maxItems') {
      if (!(Array.isArray(value) && value.length <= Number(rule))) fail('maxItems');
    } else if (!['description', 'default', 'propertyNames'].includes(keyword) && rule !== false) {
      throw new Error(`Unknown keyword ${keyword} at ${at}.`);
    }
  }
  return found;
}
