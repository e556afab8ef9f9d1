#!/usr/bin/env sh
'true' /* 2>/dev/null
# A shell reads from here to "exec", Node reads it as a comment. Node sets ignored signals back to their default before it runs anything,
# so that only who started Node can say which ones this process was to ignore, as nohup and shells ask for.
ignored=
for name in HUP INT TERM; do
  if { sh -c "kill -s $name \$\$"; } >/dev/null 2>&1; then ignored="$ignored $name"; fi
done
WARMVM_IGNORED_SIGNALS="$ignored" exec node "$0" "$@"
*/
// This file must parse on every Node that somebody may still have, so that all of them get a sentence instead of a syntax error.
var version = process.versions.node;
var parts = version.split('.').map(Number);
if (parts[0] < 22 || (parts[0] === 22 && parts[1] < 12)) {
  process.stderr.write(
    'warmvm needs Node 22.12 or newer, and this is Node ' + version + '. Install a newer one: https://nodejs.org/en/download\n'
  );
  process.exitCode = 1;
} else {
  import('../dist/main.js');
}
