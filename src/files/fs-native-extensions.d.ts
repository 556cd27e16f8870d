/** The one function used of the package, which ships no types. */
declare module 'fs-native-extensions' {
  /** Takes an exclusive lock on the open file without waiting; false when another holder has it. */
  export function tryLock(fd: number): boolean;
}
