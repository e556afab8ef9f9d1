import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Gauge, Registry } from 'prom-client';
import { describe, expect, test } from 'vitest';
import { metricsHandler } from './metrics-handler.ts';

async function request(register: Registry, method: string): Promise<Response> {
  await using server = createServer(metricsHandler(register)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const response = await fetch(`http://127.0.0.1:${port}/metrics`, { method, headers: { connection: 'close' } });
  return new Response(await response.text(), response);
}

function makeRegister(collect: (this: Gauge) => void): Registry {
  const register = new Registry();
  new Gauge({ name: 'answer', help: 'of all', registers: [register], collect });
  return register;
}

describe('metricsHandler', () => {
  const register = makeRegister(function () {
    this.set(42);
  });

  test('writes the registry in the text format', async () => {
    const response = await request(register, 'GET');
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(await response.text()).toBe('# HELP answer of all\n# TYPE answer gauge\nanswer 42\n');
  });

  test('answers HEAD without the text and refuses what would change something', async () => {
    const head = await request(register, 'HEAD');
    expect([head.status, await head.text()]).toEqual([200, '']);
    expect(head.headers.get('content-length')).toBe('51');
    const post = await request(register, 'POST');
    expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });

  test('tells nothing of why a metric could not be collected', async () => {
    const broken = makeRegister(() => {
      throw new Error('password hunter2');
    });
    const response = await request(broken, 'GET');
    expect(response.status).toBe(500);
    expect(await response.text()).toBe('A metric could not be collected.\n');
  });
});
