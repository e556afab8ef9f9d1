import { defineConfig } from 'tsup';

export default defineConfig({
  entry: [
    'src/index.ts',
    'src/names.ts',
    // What runs in processes of its own.
    'src/run-apart-main.ts',
    'src/host/process-watch-main.ts',
    'src/pool-engine/task-main.ts',
  ],
  format: 'esm',
  target: 'node22',
  sourcemap: true,
  clean: true,
  dts: false,
});
