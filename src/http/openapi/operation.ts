import type { Scope } from '../../access/client.ts';
import type { ErrorCode } from '../../errors.ts';
import type { JsonSchema } from '../input/json-schema.ts';

/** One method of one path, as the API's description tells it. */
export interface Operation {
  /** A name that stays, for generated clients. */
  readonly id: string;
  readonly method: 'get' | 'post';
  /** With its parameters in braces; below both versions of the API, or of the host itself. */
  readonly path: `/${string}`;
  readonly below: 'api' | 'host';
  /** What a token needs for it; none where it is open to everyone. */
  readonly scope?: Scope;
  readonly tag: 'Prices' | 'Products' | 'Records' | 'Clients' | 'Documentation';
  readonly summary: string;
  readonly description: string;
  readonly parameters: readonly Parameter[];
  readonly body?: RequestBody;
  readonly answers: readonly Answer[];
  /** The refusals and failures beside those that any request can meet. */
  readonly problems: readonly ClientErrorCode[];
}

/** The codes that a client can meet; the others end a start of the service. */
export type ClientErrorCode = Exclude<ErrorCode, 'DIRECTORY_LOCKED' | 'INVALID_CONFIG'>;

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly description: string;
  readonly required: boolean;
  readonly schema: JsonSchema;
  readonly example?: string | number | boolean | readonly string[] | undefined;
}

export interface RequestBody {
  readonly description: string;
  readonly content: Content;
}

export interface Answer {
  readonly status: number;
  readonly description: string;
  readonly headers: readonly Header[];
  /** Nothing where the answer has no body. */
  readonly content?: Content;
}

export interface Header {
  readonly name: string;
  readonly description: string;
  /** Whether the answer always has it. */
  readonly required: boolean;
  readonly schema: JsonSchema;
}

/** Schema and example by media type. Of the line-by-line types it is the schema of one line. */
export type Content = Readonly<Record<string, MediaType>>;

export interface MediaType {
  readonly schema: JsonSchema;
  readonly example?: unknown;
}
