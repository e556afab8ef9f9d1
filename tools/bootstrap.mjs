// Behind `npm start` and `npm test`: needs nothing but the Node and npm that ran it. This file must parse on Nodes far too
// old for the rest (no imports, no await), so that they get a sentence instead of a syntax error.
const major = Number(process.versions.node.split('.')[0]);
if (major < 18) {
  process.stderr.write(
    `warmvm: Node ${process.versions.node} is too old to set up this checkout; use Node 18 or newer.\n`,
  );
  process.exitCode = 1;
} else {
  void import('./bootstrap/main.mjs').then(({ main }) => main(process.argv.slice(2)));
}
