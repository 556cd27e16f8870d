import { type FieldProblem, RepricerError } from '../../errors.ts';

/** The most problems that one answer lists; a body of nothing but unknown fields has no end of them. */
const fieldProblemsMax = 32;

/** The longest name of an unknown field that is told back, in UTF-16 code units. */
const namedFieldLengthMax = 64;

/** The refusal of a request that breaks these rules, the first of them listed. */
export function refuseFields(detail: string, fields: readonly FieldProblem[]): RepricerError {
  return new RepricerError('BAD_REQUEST', detail, { fields: fields.slice(0, fieldProblemsMax) });
}

/** The refusal of a request for one of its headers; `detail` completes "The header …". */
export function refuseHeader(name: string, detail: string): RepricerError {
  return refuseFields(`The header ${name} ${detail}.`, [{ pointer: pointerTo([name]), detail }]);
}

/** The problem with a field that nobody knows; `path` leads to the object that it stands in. */
export function unknownField(path: readonly PropertyKey[], name: string): FieldProblem {
  return name.length > namedFieldLengthMax
    ? { pointer: pointerTo(path), detail: 'has a field that is not known, with a long name' }
    : { pointer: pointerTo([...path, name]), detail: 'is not known here' };
}

/** RFC 6901, section 6: a JSON pointer as a URI fragment. */
export function pointerTo(path: readonly PropertyKey[]): string {
  const tokens = path.map((key) => String(key).replaceAll('~', '~0').replaceAll('/', '~1'));
  return ['#', ...tokens.map((token) => encodeURIComponent(token.toWellFormed()))].join('/');
}
