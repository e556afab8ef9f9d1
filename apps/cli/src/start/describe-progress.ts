/** What goes on while an image is built, for people. */
export function describeProgress(progress: unknown): string {
  if (typeof progress === 'string') return progress;
  const { step, detail } = progress as { step?: string; detail?: string };
  return [step, detail].filter((text) => text !== undefined).join(' ');
}
