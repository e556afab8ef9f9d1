import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import { WarmvmError } from './error.ts';
import { JoinedJobs } from './joined-jobs.ts';

function manualWork(): {
  readonly work: (signal: AbortSignal) => Promise<string>;
  readonly signals: AbortSignal[];
  readonly resolve: (value: string) => void;
  readonly reject: (error: unknown) => void;
} {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const signals: AbortSignal[] = [];
  const work = (signal: AbortSignal): Promise<string> => {
    signals.push(signal);
    return promise;
  };
  return { work, signals, resolve, reject };
}

describe('JoinedJobs', () => {
  test('does the work once for all who join meanwhile', async () => {
    const jobs = new JoinedJobs<string>();
    const { work, signals, resolve } = manualWork();
    const joined = [jobs.join('a', undefined, work), jobs.join('a', undefined, work)];
    resolve('done');
    expect(await Promise.all(joined)).toEqual(['done', 'done']);
    expect(signals).toHaveLength(1);
  });

  test('does the work of different keys apart', async () => {
    const jobs = new JoinedJobs<string>();
    const work = async (): Promise<string> => 'done';
    let started = 0;
    const counted = (): Promise<string> => {
      started += 1;
      return work();
    };
    await Promise.all([jobs.join('a', undefined, counted), jobs.join('b', undefined, counted)]);
    expect(started).toBe(2);
  });

  test('starts anew for one who comes after the end', async () => {
    const jobs = new JoinedJobs<number>();
    let count = 0;
    const work = async (): Promise<number> => {
      count += 1;
      return count;
    };
    expect(await jobs.join('a', undefined, work)).toBe(1);
    expect(await jobs.join('a', undefined, work)).toBe(2);
  });

  test('gives its failure to everyone and forgets it', async () => {
    const jobs = new JoinedJobs<string>();
    const { work, reject } = manualWork();
    const joined = [jobs.join('a', undefined, work), jobs.join('a', undefined, work)];
    const failure = new Error('no disk');
    reject(failure);
    for (const result of await Promise.allSettled(joined)) expect(result).toMatchObject({ reason: failure });
    expect(await jobs.join('a', undefined, async () => 'again')).toBe('again');
  });

  test('takes a synchronous throw for a failure', async () => {
    const jobs = new JoinedJobs<string>();
    const failure = new Error('no disk');
    const joined = jobs.join('a', undefined, () => {
      throw failure;
    });
    await expect(joined).rejects.toBe(failure);
  });

  test('lets one leave by its signal while the work goes on for the others', async () => {
    const jobs = new JoinedJobs<string>();
    const { work, signals, resolve } = manualWork();
    const controller = new AbortController();
    const leaving = jobs.join('a', controller.signal, work);
    const staying = jobs.join('a', undefined, work);
    const reason = new Error('left');
    controller.abort(reason);
    await expect(leaving).rejects.toBe(reason);
    expect(signals[0]!.aborted).toBe(false);
    resolve('done');
    expect(await staying).toBe('done');
  });

  test('aborts the work when the last one has left, and starts anew for the next', async () => {
    const jobs = new JoinedJobs<string>();
    const { work, signals, reject } = manualWork();
    const controllers = [new AbortController(), new AbortController()];
    const leaving = controllers.map((controller) => jobs.join('a', controller.signal, work));
    controllers[0]!.abort(new Error('first'));
    await Promise.allSettled([leaving[0]]);
    expect(signals[0]!.aborted).toBe(false);
    const last = new Error('last');
    controllers[1]!.abort(last);
    reject(new Error('given up'));
    await Promise.allSettled(leaving);
    expect(signals[0]!.reason).toBe(last);
    expect(await jobs.join('a', undefined, async () => 'again')).toBe('again');
  });

  test('lets the last one leave only when the aborted work has taken back what it made', async () => {
    const jobs = new JoinedJobs<string>();
    const { work, signals, reject } = manualWork();
    const controller = new AbortController();
    let settled = false;
    const joined = jobs.join('a', controller.signal, work).finally(() => {
      settled = true;
    });
    const rejected = expect(joined).rejects.toThrow('left');
    controller.abort(new Error('left'));
    await new Promise(setImmediate);
    expect([signals[0]?.aborted, settled]).toEqual([true, false]);
    reject(new Error('cleaned up'));
    await rejected;
  });

  test('gives the last one to leave the error of a work that left something behind', async () => {
    const jobs = new JoinedJobs<string>();
    const { work, reject } = manualWork();
    const controller = new AbortController();
    const joined = jobs.join('a', controller.signal, work);
    controller.abort(new Error('left'));
    const error = new WarmvmError('WARMVM_HOST_LOST', 'lost', { details: { leftBehind: ['golden-1'] } });
    reject(error);
    await expect(joined).rejects.toBe(error);
  });

  test('starts nothing for one whose signal was aborted before', async () => {
    const jobs = new JoinedJobs<string>();
    const { work, signals } = manualWork();
    const reason = new Error('left');
    await expect(jobs.join('a', AbortSignal.abort(reason), work)).rejects.toBe(reason);
    expect(signals).toHaveLength(0);
  });

  test('leaves no listener on the signal', async () => {
    const jobs = new JoinedJobs<string>();
    const { signal } = new AbortController();
    await jobs.join('a', signal, async () => 'done');
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });
});
