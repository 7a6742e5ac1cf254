/** @file Progress on long work: one live line on a terminal, a plain line now and then elsewhere. */
import { duration } from '../report/format.ts';

export interface Progress {
  /** `left`: seconds to go, where the caller knows better than what has passed tells. */
  update(done: number, of: number, now: string, left?: number): void;
  end(): void;
}

export const progressDefaults = { plainEverySeconds: 10, liveEverySeconds: 0.1 } as const;

/** Writes to stderr, so that stdout stays clean for results. */
export function createProgress(what: string, stream: NodeJS.WriteStream = process.stderr): Progress {
  const live = stream.isTTY === true && process.env.CI === undefined;
  const every = live ? progressDefaults.liveEverySeconds : progressDefaults.plainEverySeconds;
  const started = performance.now();
  let last = started;
  let shown = false;
  return {
    update(done, of, now, secondsLeft) {
      const time = performance.now();
      if ((time - last) / 1000 < every && done < of) return;
      if (!live && done >= of) return;
      last = time;
      shown = true;
      const elapsed = (time - started) / 1000;
      const seconds = secondsLeft ?? (elapsed * (of - done)) / done;
      const left = done > 0 && done < of && Number.isFinite(seconds) ? `, ${duration(seconds)} left` : '';
      const line = `${what}: ${Math.floor((100 * done) / Math.max(of, 1e-9))} %${left} (${now})`;
      stream.write(live ? `\r\x1b[2K${line}` : `${line}\n`);
    },
    end() {
      if (live && shown) stream.write('\r\x1b[2K');
    },
  };
}
