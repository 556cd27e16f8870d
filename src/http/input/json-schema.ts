/** A JSON Schema of the draft 2020-12, which is the one that OpenAPI 3.1 knows. */
export type JsonSchema = Readonly<Record<string, unknown>>;
