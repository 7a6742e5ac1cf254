/** The user pressed Ctrl-C (or the process was asked to end): what is finished is kept. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

/** A signal that aborts on the first Ctrl-C or SIGTERM; the second one ends the process at once. */
export function interruptSignal(message: string): { signal: AbortSignal; dispose(): void } {
  const controller = new AbortController();
  const onSignal = () => {
    if (controller.signal.aborted) process.exit(130);
    process.stderr.write('\nstopping after the current pass (again to stop at once)\n');
    controller.abort(new Interrupted(message));
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return {
    signal: controller.signal,
    dispose() {
      process.off('SIGINT', onSignal);
      process.off('SIGTERM', onSignal);
    },
  };
}
