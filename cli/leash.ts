/**
 * Loaded into every child before its own code: when the channel to the supervisor closes, the child has three
 * seconds to end by itself, even if it had not come to listen for that yet.
 */
const ORPHAN_GRACE_MS = 3_000;

process.on('disconnect', () => {
  setTimeout(() => process.exit(1), ORPHAN_GRACE_MS).unref();
});
// Listening must not keep a child alive that has nothing left to do.
process.channel?.unref();
