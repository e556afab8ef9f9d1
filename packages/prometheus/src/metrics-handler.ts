import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Registry } from 'prom-client';

/** Answers one request; fits `http.createServer`, and frameworks that hand over Node's own request and response. */
export type MetricsHandler = (request: IncomingMessage, response: ServerResponse) => void;

async function answer(register: Registry, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.writeHead(405, { allow: 'GET, HEAD' }).end();
    return;
  }
  let text: string;
  try {
    text = await register.metrics();
  } catch {
    // Why is for the owner of the gauge that threw, and not for whoever reads a page.
    response.writeHead(500, { 'content-type': 'text/plain; charset=utf-8' }).end('A metric could not be collected.\n');
    return;
  }
  response.writeHead(200, {
    'content-type': register.contentType,
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
  });
  response.end(request.method === 'HEAD' ? undefined : text);
}

/** Writes what the registry holds, on whatever path it is mounted. It asks for no password: listen where only the scraper can reach it. */
export function metricsHandler(register: Registry): MetricsHandler {
  return (request, response) => void answer(register, request, response);
}
