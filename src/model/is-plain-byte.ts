const quote = 0x22;
const backslash = 0x5c;

/** Whether a byte stands for itself in a JSON string: printable ASCII but quote and backslash. */
export function isPlainByte(byte: number): boolean {
  return byte >= 0x20 && byte < 0x7f && byte !== quote && byte !== backslash;
}
