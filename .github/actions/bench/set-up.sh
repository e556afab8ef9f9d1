#!/usr/bin/env bash
# Lets guests use KVM where there is any, and installs what the bench needs into the checkout that this action came with, unless the project
# has warmvm among its own packages.
set -euo pipefail

if [ -e /dev/kvm ] && [ ! -w /dev/kvm ]; then
  sudo chmod 0666 /dev/kvm || echo "::notice::/dev/kvm is there but cannot be opened up: guests run under emulation"
fi
if [ -f node_modules/warmvm/dist/main.js ]; then
  echo "the bench is that of the project's own warmvm"
  exit 0
fi
cd "$GITHUB_ACTION_PATH/../../.."
# Fetches the pinned pnpm and all packages; the gate itself takes no time.
npm run --silent check -- --only imports
# A comparison with a commit installs that commit too.
pnpm="$(find .toolchain -path '*/node_modules/@pnpm/*/pnpm' 2>/dev/null | head -n 1)"
if [ -n "$pnpm" ]; then dirname "$PWD/$pnpm" >> "$GITHUB_PATH"; fi
