import { readFile } from 'node:fs/promises';
import type { CheckRequest, CheckResult } from '../checker.ts';
import type { Operation } from '../operation.ts';
import { checkDerived } from './check-derived.ts';
import { checkHistory } from './check-history.ts';
import { readJournal } from './read-journal.ts';
import { readStore } from './stored-files.ts';

/**
 * Checks a store and a history against the promise and the format as the README gives them, sharing no
 * code with the program. Undefined `logs` and `operations` leave the history unchecked.
 */
export async function checkStore(request: CheckRequest): Promise<CheckResult> {
  const files = await readStore(request.store);
  const journal = readJournal(files, request.state);
  const derived = checkDerived(files, journal, request.state);
  const operations = await operationsOf(request);
  const history = operations && checkHistory(operations, journal.records, request.filledUpTo);
  return {
    records: journal.records.length,
    acknowledged: history?.acknowledged ?? 0,
    unknown: history?.unknown ?? 0,
    lost: history?.lost ?? 0,
    phantom: history?.phantom ?? 0,
    violations: [...journal.violations, ...derived, ...(history?.violations ?? [])].slice(0, 100),
  };
}

async function operationsOf(request: CheckRequest): Promise<readonly Operation[] | undefined> {
  const { logs, operations } = request;
  if (logs === undefined) return operations;
  const texts = await Promise.all(logs.map((log) => readFile(log, 'utf8')));
  const lines = texts.flatMap((text) => text.split('\n').filter((line) => line !== ''));
  return [...lines.map((line) => JSON.parse(line) as Operation), ...(operations ?? [])];
}
