import { Command } from 'commander';
import type { SettingsFlags } from '../config/settings.ts';
import type { Output } from '../output.ts';
import { withSettingsOptions } from '../settings-options.ts';

/** Options of `warmvm doctor`. */
export interface DoctorOptions extends SettingsFlags {
  readonly fix?: true;
  readonly yes?: true;
  readonly json?: true;
}

/** `warmvm doctor`. */
export function doctorCommand(output: Output): Command {
  return withSettingsOptions(
    new Command('doctor')
      .description('say what this computer can do, what is wrong with it, and how to mend that')
      .option('--fix', 'mend what can be mended from here; asks first')
      .option('-y, --yes', 'with --fix, do not ask')
      .option('--json', 'the findings as JSON'),
  ).action(async (options: DoctorOptions) => {
    const { runDoctor } = await import('./index.ts');
    process.exitCode = await runDoctor(options, output);
  });
}
