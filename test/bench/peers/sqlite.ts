type Value = string | number | null;

/** What is used of Node's own SQLite, whose types are those of a later Node. */
export interface Sqlite {
  exec(sql: string): void;
  prepare(sql: string): {
    get(...values: readonly Value[]): Record<string, Value> | undefined;
    run(...values: readonly Value[]): unknown;
  };
}

interface SqliteModule {
  readonly DatabaseSync: new (file: string) => Sqlite;
}

/** Whether this Node has it: from 22.13, without a flag. */
export function hasSqlite(): boolean {
  return process.getBuiltinModule('node:sqlite') !== undefined;
}

export function openSqlite(file: string): Sqlite {
  const { DatabaseSync } = process.getBuiltinModule('node:sqlite') as SqliteModule;
  return new DatabaseSync(file);
}
