import { defineConfig } from 'tsup';

export default defineConfig({
  entry: { index: 'src/index.ts' },
  format: 'esm',
  // Shipped sources use no `using` declarations (Node 22 cannot parse them), so nothing is left to lower.
  target: 'node22',
  sourcemap: true,
  clean: true,
  dts: false,
});
