import { defineConfig } from 'tsup';

export default defineConfig({
  // The guardian is a program of its own, which the driver starts by its name next to its own.
  entry: ['src/index.ts', 'src/guardian-main.ts'],
  format: 'esm',
  // Shipped sources use no `using` declarations (Node 22 cannot parse them), so nothing is left to lower.
  target: 'node22',
  sourcemap: true,
  clean: true,
  dts: false,
});
