/**
 * How requests are held against their schemas.
 *
 * Invariants: what comes in a JSON body has the type it has, and nothing is made of it that was not sent; query and
 * path, which are text by nature, are turned into numbers and booleans. No text gets in that no database can keep. A
 * schema is compiled when its route is first asked: compiling all of them was half of the server's start.
 */
import AjvCompiler from '@fastify/ajv-compiler';
import SerializerSelector from '@fastify/fast-json-stringify-compiler';
import type { FastifyRequest } from 'fastify';
import { Refusal } from '../lib/refusal.ts';

type Compile = ReturnType<AjvCompiler.BuildCompilerFromPool>;
type Validate = ReturnType<Compile>;

/** What is common to both: unknown fields are refused where the schema says so, never dropped in silence. */
const OPTIONS = { removeAdditional: false, useDefaults: true, allErrors: false } as const;

/** One for all groups of routes, whose schemas are the same: each of its own would compile JSON Schema itself first. */
const compilers = AjvCompiler();
const serializers = SerializerSelector();

export interface Compilers {
  buildValidator: AjvCompiler.BuildCompilerFromPool;
  buildSerializer: SerializerSelector.SerializerFactory;
}

/** Two validators, chosen by the part of the request. With coercion a body's null would become an empty text. */
const buildValidator: AjvCompiler.BuildCompilerFromPool = (schemas) => {
  const asSent = compilers(schemas, { customOptions: { ...OPTIONS, coerceTypes: false } });
  const fromText = compilers(schemas, { customOptions: { ...OPTIONS, coerceTypes: 'array' } });
  return ((route: { httpPart?: string }, meta?: boolean) =>
    (route.httpPart === 'body' ? asSent : fromText)(route, meta)) as Compile;
};

/** When a route is added: a wrong schema is told at once, by the name of its route. */
export const EAGER: Compilers = { buildValidator, buildSerializer: serializers };

/** When a route is first asked. */
export const LAZY: Compilers = {
  buildValidator: (schemas) => {
    const build = buildValidator(schemas);
    return ((route: object, meta?: boolean) => {
      let compiled: Validate | undefined;
      const validate = (data: unknown): unknown => {
        compiled ??= build(route, meta);
        const answer = compiled(data);
        validate.errors = compiled.errors;
        return answer;
      };
      validate.errors = undefined as Validate['errors'];
      return validate;
    }) as unknown as Compile;
  },
  buildSerializer: (schemas, options) => {
    const build = serializers(schemas, options);
    return (route) => {
      let compiled: SerializerSelector.Serializer | undefined;
      return (document) => (compiled ??= build(route))(document);
    };
  },
};

/** Deeper is no body of ours; without an end a body of brackets would end the stack. */
const DEPTH_MAX = 50;

/** What JSON, a query or a path becomes; not bytes or a stream. */
function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return Array.isArray(value) || prototype === Object.prototype || prototype === null;
}

/** Whether PostgreSQL can keep all texts of the value, names included: no U+0000, no half of a surrogate pair. */
export function isKeepable(value: unknown, depth = 0): boolean {
  if (typeof value === 'string') return !value.includes('\0') && value.isWellFormed();
  if (!isPlain(value)) return true;
  if (depth === DEPTH_MAX) return false;
  const members = value as Record<string, unknown>;
  return Object.keys(members).every((key) => isKeepable(key) && isKeepable(members[key], depth + 1));
}

/** A hook before validation. @throws Refusal `request.invalid` for text that cannot be kept */
export async function refuseUnkeepableText(request: FastifyRequest): Promise<void> {
  for (const field of ['body', 'query', 'params'] as const) {
    const value = request[field];
    // Copied, because query and path come in objects of a kind of their own.
    if (isKeepable(field === 'body' ? value : { ...value as object })) continue;
    throw new Refusal('request.invalid', { details: { field, reason: 'text that cannot be kept' } });
  }
}
