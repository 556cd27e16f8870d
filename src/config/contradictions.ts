import { isLoopback } from '../access/loopback.ts';
import type { Config } from './options.ts';

/** Rules that bind two options; a value that already broke its own rule breaks none of these. */
export function contradictions(values: Partial<Config>): readonly string[] {
  const {
    port,
    backplanePort,
    host,
    tokensFile,
    allowAnonymous,
    corsOrigin = [],
    queueMax = 0,
    backlogRecordsMax = queueMax,
  } = values;
  const problems: string[] = [];
  if (port !== undefined && port !== 0 && port === backplanePort) {
    problems.push(`--backplane-port ${backplanePort} must differ from --port`);
  }
  if (backlogRecordsMax < queueMax) {
    problems.push(
      `--backlog-records-max ${backlogRecordsMax} must be at least --queue-max ${queueMax}, ` +
        'or a full batch would never find room',
    );
  }
  if (tokensFile !== undefined && tokensFile !== '' && allowAnonymous === true) {
    problems.push('--allow-anonymous and --tokens-file exclude each other');
  }
  if (tokensFile === '' && allowAnonymous === false && host !== undefined && !isLoopback(host)) {
    problems.push(
      `--host ${host} is an address that others can reach: give --tokens-file, or ` +
        '--allow-anonymous to let everyone read and reprice',
    );
  }
  if (corsOrigin.includes('*') && tokensFile === '' && allowAnonymous === false) {
    problems.push(
      '--cors-origin * would let every page that is opened on this machine reprice: name the ' +
        'origins, or give --tokens-file',
    );
  }
  return problems;
}
