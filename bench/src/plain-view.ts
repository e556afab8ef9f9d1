import type { BenchProgress, ProgressListener } from './progress.ts';
import { environmentText, figureTable, targetTable } from './report.ts';

/** Lines for logs and files: what a run tells, as it comes. */
export function plainView(write: (text: string) => void): ProgressListener {
  return (progress) => write(textOf(progress));
}

function textOf(progress: BenchProgress): string {
  switch (progress.type) {
    case 'suite-started':
      return `${progress.suite} (${progress.driver}): ${progress.what}\n`;
    case 'step':
      return `  ${progress.text}\n`;
    case 'rounds':
      return `  round ${progress.done} of ${progress.of}\n`;
    case 'suite-ended':
      return `${environmentText(progress.result)}\n${figureTable(progress.result)}\n\n`;
    case 'run-ended':
      return `${targetTable(progress.result.verdicts)}\n`;
    case 'run-started':
      return '';
  }
}
