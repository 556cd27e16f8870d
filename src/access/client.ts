/** What a client may ask for. None of them includes another. */
export const scopes = ['read', 'reprice', 'admin'] as const;

export type Scope = (typeof scopes)[number];

/** Whoever sends requests, as far as it is known. */
export interface Client {
  /** Of its token; undefined when it came without one. */
  readonly name?: string;
  readonly scopes: readonly Scope[];
  /** When given, the client's products are those whose ids begin with it. */
  readonly productPrefix?: string;
}

export interface Clients {
  /** The client that a token stands for, or that comes without one; undefined when it may not come in. */
  identify(token: string | undefined): Client | undefined;
}

/** Where no tokens are configured everyone may read and reprice; tokens that are sent are not looked at. */
export const anonymousClients: Clients = { identify: () => anonymous };

const anonymous: Client = { scopes: ['read', 'reprice'] };
