import { defineConfig } from 'tsup';

export default defineConfig({
  entry: { main: 'src/main.ts', index: 'src/index.ts' },
  format: 'esm',
  target: 'node22',
  // The words of the bench are part of every help text: one module less to find at each start. The version of the bench is exact for that.
  noExternal: ['@warmvm/bench/names'],
  sourcemap: true,
  clean: true,
  dts: false,
});
