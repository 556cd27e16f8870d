/**
 * What `npm start` and the image give to Node. The young objects of some hundred requests at a time outgrow
 * Node's 16 MiB for them, and are then copied where only a full collection finds them: see docs/performance.md.
 */
export const nodeFlags: readonly string[] = ['--enable-source-maps', '--max-semi-space-size=32'];
