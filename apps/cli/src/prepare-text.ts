import type { PrepareProgress } from '@warmvm/core';

const PREPARE_TEXTS: Readonly<Record<PrepareProgress['step'], string>> = {
  reuse: 'golden snapshot is there already',
  upload: 'uploading the image to the host',
  boot: 'booting the one machine that all others are forked from',
  agent: 'waiting for its guest agent',
  'warm-up': 'warming it up',
  quiesce: 'quiescing it',
  snapshot: 'taking the snapshot of its memory and disk',
};

/** What the making of a golden snapshot is at, for people. */
export function prepareText({ step, fraction }: PrepareProgress): string {
  const text = PREPARE_TEXTS[step];
  return fraction === undefined || fraction === 1 ? text : `${text} (${Math.round(fraction * 100)} %)`;
}
