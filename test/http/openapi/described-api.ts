import type http from 'node:http';
import { Ajv2020, type AnySchemaObject, type ValidateFunction } from 'ajv/dist/2020.js';
import type { Answer } from '../http-fixture.ts';

/** The parts of an OpenAPI document that requests and answers are held against. */
export interface ApiDocument {
  readonly servers: readonly { readonly url: string }[];
  readonly paths: Readonly<Record<string, PathItem>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, AnySchemaObject>>;
    readonly responses: Readonly<Record<string, DescribedResponse>>;
  };
}

interface PathItem {
  readonly servers?: readonly { readonly url: string }[];
  readonly get?: DescribedOperation;
  readonly post?: DescribedOperation;
}

export interface DescribedOperation {
  readonly operationId: string;
  readonly parameters: readonly DescribedParameter[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, DescribedResponse | { readonly $ref: string }>>;
}

interface DescribedParameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required: boolean;
  readonly schema: AnySchemaObject;
  readonly example?: unknown;
}

interface DescribedResponse {
  readonly headers: Readonly<Record<string, DescribedHeader>>;
  readonly content?: Content;
}

interface DescribedHeader {
  readonly required: boolean;
  readonly schema: AnySchemaObject;
}

type Content = Readonly<
  Record<string, { readonly schema: AnySchemaObject; readonly example?: unknown }>
>;

/** An operation with the place where it stands in the document. */
export interface PlacedOperation {
  readonly method: 'get' | 'post';
  readonly path: string;
  /** What stands before the path, without a slash at the end. */
  readonly prefixes: readonly string[];
  readonly described: DescribedOperation;
}

/** A request in the terms of the document. */
export interface DescribedCall {
  readonly path?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string | readonly string[]>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Headers that HTTP itself has, which OpenAPI leaves out. */
const headersOfHttp = new Set([
  'connection',
  'content-length',
  'content-type',
  'date',
  'keep-alive',
  'transfer-encoding',
  'vary',
]);

const dateTime = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/;

/** Holds what is sent and answered against an OpenAPI document; every method tells what does not fit. */
export class DescribedApi {
  readonly #document: ApiDocument;
  readonly #json: Ajv2020;
  /** For what is sent as text: numbers and booleans are read first. */
  readonly #text: Ajv2020;

  constructor(document: ApiDocument) {
    this.#document = document;
    const options = { strict: false, formats: { 'date-time': dateTime, 'uri-reference': /^/ } };
    this.#json = new Ajv2020(options);
    this.#text = new Ajv2020({ ...options, coerceTypes: true });
    for (const ajv of [this.#json, this.#text]) ajv.addSchema({ $id: 'document', ...document });
  }

  get operations(): readonly PlacedOperation[] {
    return Object.entries(this.#document.paths).flatMap(([path, item]) =>
      (['get', 'post'] as const).flatMap((method) => {
        const described = item[method];
        const servers = item.servers ?? this.#document.servers;
        const prefixes = servers.map(({ url }) => url.replace(/\/$/, ''));
        return described === undefined ? [] : [{ method, path, prefixes, described }];
      }),
    );
  }

  faultsInRequest({ described }: PlacedOperation, call: DescribedCall): readonly string[] {
    const given = { path: call.path ?? {}, query: call.query ?? {}, header: call.headers ?? {} };
    const { parameters } = described;
    return [
      ...parameters.flatMap((parameter) => {
        const value = given[parameter.in][parameter.name];
        if (value === undefined) return parameter.required ? [`${parameter.name} is missing`] : [];
        return this.#faults(this.#text, parameter.schema, listFor(parameter.schema, value));
      }),
      ...(['path', 'query'] as const).flatMap((place) =>
        Object.keys(given[place])
          .filter((name) => !parameters.some((known) => known.in === place && known.name === name))
          .map((name) => `${name} is not known in the ${place}`),
      ),
      ...this.#faultsInBody(
        described.requestBody?.content,
        given.header['Content-Type'],
        call.body,
      ),
    ];
  }

  faultsInAnswer({ described }: PlacedOperation, answer: Answer): readonly string[] {
    const found = described.responses[answer.status];
    if (found === undefined) return [`status ${answer.status} is not described`];
    const response = this.#responseAt(found);
    return [
      ...Object.entries(response.headers).flatMap(([name, header]) => {
        const value = answer.headers[name.toLowerCase()];
        if (value === undefined) return header.required ? [`${name} is missing`] : [];
        return this.#faults(this.#text, header.schema, value);
      }),
      ...unknownHeaders(response, answer.headers),
      ...this.#faultsInBody(response.content, answer.headers['content-type'], answer.text),
    ];
  }

  /** Whether every example in the document is one. */
  faultsInExamples(): readonly string[] {
    return [
      ...this.operations.flatMap(({ described }) => [
        ...described.parameters.flatMap(({ schema, example }) =>
          example === undefined ? [] : this.#faults(this.#json, schema, example),
        ),
        ...[
          described.requestBody,
          ...Object.values(described.responses).map((r) => this.#responseAt(r)),
        ]
          .flatMap((message) => Object.entries(message?.content ?? {}))
          .flatMap(([type, { schema, example }]) =>
            valuesOf(type, example).flatMap((value) => this.#faults(this.#json, schema, value)),
          ),
      ]),
      ...schemasIn(this.#document).flatMap((schema) =>
        schema.examples.flatMap((example) => this.#faults(this.#json, schema, example)),
      ),
    ];
  }

  #responseAt(response: DescribedResponse | { readonly $ref: string }): DescribedResponse {
    if (!('$ref' in response)) return response;
    const name = response.$ref.replace('#/components/responses/', '');
    const named = this.#document.components.responses[name];
    if (named === undefined) throw new Error(`${response.$ref} leads nowhere`);
    return named;
  }

  #faultsInBody(content: Content | undefined, type = '', body = ''): readonly string[] {
    if (body === '' && type === '') return [];
    const mediaType = type.split(';', 1)[0] ?? '';
    const schema = content?.[mediaType]?.schema;
    if (schema === undefined) return [`a body of ${mediaType} is not described`];
    return valuesOf(mediaType, body).flatMap((value) => this.#faults(this.#json, schema, value));
  }

  #faults(ajv: Ajv2020, schema: AnySchemaObject, value: unknown): readonly string[] {
    const validate = this.#compiled(ajv, schema);
    if (validate({ value })) return [];
    return [`${JSON.stringify(value)}: ${ajv.errorsText(validate.errors)}`];
  }

  readonly #validators = new Map<Ajv2020, Map<AnySchemaObject, ValidateFunction>>();

  /** The value stands in an object, so that it can be coerced. */
  #compiled(ajv: Ajv2020, schema: AnySchemaObject): ValidateFunction {
    const known = this.#validators.get(ajv) ?? new Map<AnySchemaObject, ValidateFunction>();
    this.#validators.set(ajv, known);
    const validate =
      known.get(schema) ?? ajv.compile({ properties: { value: inDocument(schema) } });
    known.set(schema, validate);
    return validate;
  }
}

/** A schema of the document that is looked at outside it. */
function inDocument(schema: AnySchemaObject): AnySchemaObject {
  const text = JSON.stringify(schema).replaceAll('"$ref":"#/', '"$ref":"document#/');
  return JSON.parse(text) as AnySchemaObject;
}

function listFor(schema: AnySchemaObject, value: string | readonly string[]): unknown {
  return schema['type'] === 'array' ? [value].flat() : value;
}

/** What a text of this media type holds: of lines, each of them. */
function valuesOf(mediaType: string, body: unknown): readonly unknown[] {
  if (typeof body !== 'string' || mediaType.startsWith('text/'))
    return body === undefined ? [] : [body];
  const isLines = /jsonl|ndjson/.test(mediaType);
  const texts = isLines ? body.split('\n').filter((line) => line !== '') : [body];
  return texts.map(parsed);
}

/** Text that is no JSON fits no schema. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return Symbol.for('no JSON');
    throw error;
  }
}

function unknownHeaders(
  response: DescribedResponse,
  headers: http.IncomingHttpHeaders,
): readonly string[] {
  const known = new Set(Object.keys(response.headers).map((name) => name.toLowerCase()));
  return Object.keys(headers)
    .filter((name) => !known.has(name) && !headersOfHttp.has(name))
    .map((name) => `the header ${name} is not described`);
}

type SchemaWithExamples = AnySchemaObject & { readonly examples: readonly unknown[] };

/** Every schema with examples, wherever it stands. */
function schemasIn(value: unknown): readonly SchemaWithExamples[] {
  if (typeof value !== 'object' || value === null) return [];
  const below = Object.values(value).flatMap(schemasIn);
  const hasExamples = 'examples' in value && Array.isArray(value.examples);
  return hasExamples ? [value as SchemaWithExamples, ...below] : below;
}
