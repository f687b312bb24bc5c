/**
 * Gives the shapes of the contract their names in the OpenAPI document. The routes carry them written out; here every
 * place that is one of them becomes a reference, so that the document is read by people and clients get one type each.
 */
import * as accounts from '@nacre/contract/accounts';
import * as catalog from '@nacre/contract/catalog';
import * as chat from '@nacre/contract/chat';
import * as common from '@nacre/contract/common';
import * as orders from '@nacre/contract/orders';
import * as shops from '@nacre/contract/shops';
import * as shows from '@nacre/contract/shows';

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
type JsonObject = { [key: string]: Json };

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** As @fastify/swagger writes a schema down: one allowed value is a list of one. */
function asDocumented(schema: object): string {
  return JSON.stringify(schema, (_key, value: unknown) => {
    if (!isObject(value) || !('const' in value)) return value;
    const entries = Object.entries(value).map(([key, entry]) => (key === 'const' ? ['enum', [entry]] : [key, entry]));
    return Object.fromEntries(entries) as JsonObject;
  });
}

/** Written-out shape → name. Objects only: a named string or number hides more than it says. */
function namesOfShapes(): Map<string, string> {
  const names = new Map<string, string>();
  for (const module of [common, accounts, shops, catalog, shows, chat, orders]) {
    for (const [name, schema] of Object.entries(module)) {
      if (isObject(schema) && schema['type'] === 'object') names.set(asDocumented(schema), name);
    }
  }
  return names;
}

/** The same document with every shape of the contract under `components.schemas`. */
export function nameComponents<Document extends object>(document: Document): Document {
  const names = namesOfShapes();
  const found: JsonObject = {};

  function replaced(value: Json): Json {
    if (Array.isArray(value)) return value.map(replaced);
    if (!isObject(value)) return value;
    const name = names.get(JSON.stringify(value));
    if (name === undefined) return inside(value);
    if (found[name] === undefined) {
      found[name] = {};
      found[name] = inside(value);
    }
    return { $ref: `#/components/schemas/${name}` };
  }

  function inside(value: JsonObject): JsonObject {
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, replaced(entry)]));
  }

  const plain = JSON.parse(JSON.stringify(document)) as JsonObject;
  const components = isObject(plain['components']) ? plain['components'] : {};
  const schemas = isObject(components['schemas']) ? components['schemas'] : {};
  const paths = replaced(plain['paths'] ?? {});
  const sorted = Object.fromEntries(Object.entries({ ...schemas, ...found }).sort(([a], [b]) => (a < b ? -1 : 1)));
  return { ...plain, components: { ...components, schemas: sorted }, paths } as unknown as Document;
}
