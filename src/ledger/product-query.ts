/** Which page of the products a client asks for. */
export interface ProductQuery {
  /** Their ids begin with it, compared code point by code point; empty for all. */
  readonly prefix: string;
  /** The place that the page before ended at; the beginning when undefined. */
  readonly after: string | undefined;
  readonly limit: number;
}
