import { readFileSync } from 'node:fs';

/** One run of bytes in one direction. */
export interface GoldenFrame {
  readonly from: 'client' | 'daemon';
  readonly bytes: Buffer;
}

const recorded = JSON.parse(readFileSync(new URL('../fixtures/golden-session.json', import.meta.url), 'utf8')) as {
  readonly frames: readonly { readonly from: 'client' | 'daemon'; readonly hex: string }[];
};

/** The recorded session, in order. */
export const goldenSession: readonly GoldenFrame[] = recorded.frames.map(({ from, hex }) => ({
  from,
  bytes: Buffer.from(hex, 'hex'),
}));

/** Everything the daemon sent in the recorded session. */
export const goldenDaemonBytes: Buffer = Buffer.concat(
  goldenSession.filter(({ from }) => from === 'daemon').map(({ bytes }) => bytes),
);
