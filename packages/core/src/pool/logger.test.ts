import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import { WarmvmError } from '../driver/error.ts';
import { VirtualClock } from '../testing/index.ts';
import { EventHub } from './event-hub.ts';
import { makeReadyPool } from './fixtures/pool-fixture.ts';
import { type Logger, logSink } from './logger.ts';

type Line = Readonly<Record<string, unknown>>;

/** A real pino, and what it wrote, parsed. */
function makePino(): { logger: Logger; lines: Line[]; written: () => string } {
  const texts: string[] = [];
  const lines: Line[] = [];
  const write = (text: string): void => {
    texts.push(text);
    lines.push(JSON.parse(text) as Line);
  };
  const logger: Logger = pino({ level: 'debug', base: null }, { write });
  return { logger, lines, written: () => texts.join('') };
}

describe('the logger', () => {
  test('gets every event at the level it deserves, and may throw', async () => {
    const lines: string[] = [];
    const write =
      (level: string) =>
      (_fields: object, message: string): void => {
        lines.push(`${level} ${message}`);
        throw new Error('disk full');
      };
    const logger: Logger = { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
    const { pool, driver, settle } = await makeReadyPool({ max: 1, logger, breaker: { failures: 1 } });
    const lease = await pool.acquire();
    driver.answer('dispose', (index) => (index === 0 ? { reject: new Error('stuck') } : 'resolve'));
    driver.answer('fork', { reject: new Error('no') });
    driver.forked[0]?.change('crashed');
    await settle();
    expect(lease.status).toBe('lost');
    pool.resize({ max: 2 });
    await settle();
    await pool.close();
    expect(lines).toEqual(
      expect.arrayContaining([
        'debug pool default: slot-changed',
        'warn pool default: machine-lost',
        'error pool default: quarantined',
        'warn pool default: phase-ended',
        'warn pool default: creation-failed',
        'error pool default: breaker-changed',
        'info pool default: closed',
      ]),
    );
  });

  test('may be a pino: each event is a line with its fields and the numbers of pino for the level', async () => {
    const { logger, lines } = makePino();
    const { pool, settle } = await makeReadyPool({ max: 1, logger, name: 'ci' });
    await (await pool.acquire()).discard('dirty');
    await settle();
    await pool.close();
    expect(lines).toContainEqual(
      expect.objectContaining({
        level: 20,
        msg: 'pool ci: lease-ended',
        event: 'lease-ended',
        pool: 'ci',
        host: 'stub',
        turn: 1,
        status: 'discarded',
        reason: 'dirty',
      }),
    );
    expect(lines).toContainEqual(expect.objectContaining({ level: 30, event: 'closed' }));
  });

  test('is told errors with code and causes, and never what else hangs on them', () => {
    const { logger, lines, written } = makePino();
    const hub = new EventHub('ci', new VirtualClock(), [logSink(logger)]);
    const refused = Object.assign(new Error('login refused'), {
      code: 'EAUTH',
      password: 'hunter2',
      config: { privateKey: 'hunter2' },
    });
    const error = new WarmvmError('WARMVM_HOST_DENIED', 'The host refused this user.', {
      details: { host: 'north' },
      cause: Object.assign(new Error('ssh', { cause: refused }), { env: { TOKEN: 'hunter2' } }),
    });
    hub.emit({ type: 'creation-failed', host: 'north', error, failuresInARow: 1, retryInMs: 500 });
    expect(written()).not.toContain('hunter2');
    expect(lines[0]).toMatchObject({
      level: 40,
      event: 'creation-failed',
      error: {
        code: 'WARMVM_HOST_DENIED',
        message: 'The host refused this user.',
        retryable: false,
        details: { host: 'north' },
        cause: { message: 'ssh', cause: { code: 'EAUTH', message: 'login refused' } },
      },
    });
  });

  test('is told only so much of what has no end', () => {
    const { logger, lines, written } = makePino();
    const hub = new EventHub('ci', new VirtualClock(), [logSink(logger)]);
    const first = new Error('first');
    first.cause = new Error('second', { cause: first });
    hub.emit({ type: 'sweep-failed', host: 'north', error: first });
    hub.emit({ type: 'host-down', host: 'north', error: new Map([['password', 'hunter2']]) });
    hub.emit({ type: 'host-down', host: 'north', error: () => 'hunter2' });
    expect(written().match(/"message":"first"/g)).toHaveLength(3);
    expect(written()).toContain('[deeper]');
    expect(lines.slice(1).map((line) => line.error)).toEqual(['[object Map]', '[function]']);
  });
});
