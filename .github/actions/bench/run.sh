#!/usr/bin/env bash
# Runs the bench and writes its files. A gate that fails is told by the exit-code output, so that reports are kept all the same.
set -euo pipefail

if [[ ! "$NAME" =~ ^[A-Za-z0-9._-]+$ ]]; then
  echo "::error::name is '$NAME', expected letters, digits, dots, dashes and underscores"
  exit 2
fi
# What the project itself has installed is what it uses; else the bench of the checkout that this action came with.
installed="$PWD/node_modules/warmvm/dist/main.js"
if [ -f "$installed" ]; then
  program=("$installed")
else
  root="$(cd "$GITHUB_ACTION_PATH/../../.." && pwd)"
  program=(--conditions=@warmvm/source --no-warnings "$root/apps/cli/src/main.ts")
fi
folder="$RUNNER_TEMP/warmvm-bench-$NAME"
rm -rf "$folder"
mkdir -p "$folder"

# shellcheck disable=SC2153
read -r -a suites <<< "$SUITES"
arguments=("${suites[@]}" --driver "$DRIVER")
if [ -n "$SAMPLES" ]; then arguments+=(--samples "$SAMPLES"); fi
if [ -n "$TARGETS" ]; then arguments+=(--targets "$TARGETS"); fi
if [ "$GATE" = true ]; then arguments+=(--gate); fi
case "$COMPARE" in
  artifact)
    # Runners differ from job to job: what differs is told in the report instead of ending the run.
    if [ -n "$BASE_FILE" ]; then arguments+=(--compare "$BASE_FILE" --across-hosts); fi
    ;;
  interleaved)
    commit="$(git merge-base "origin/$BASE" HEAD)"
    arguments=(compare "$commit" "${arguments[@]}")
    ;;
  none) ;;
  *)
    echo "::error::compare is '$COMPARE', expected artifact, interleaved or none"
    exit 2
    ;;
esac
arguments+=(--json "$folder/bench.json" --html "$folder/bench.html" --markdown "$folder/bench.md")

command=(node "${program[@]}" bench "${arguments[@]}")
# Drivers of a real hypervisor use the system's daemon, which takes root.
if [ "$DRIVER" != fake ] && [ "$(id -u)" != 0 ]; then
  command=(sudo --preserve-env=CI env "PATH=$PATH" "${command[@]}")
fi
exit_code=0
"${command[@]}" || exit_code=$?

if [ ! -s "$folder/bench.json" ]; then
  echo "::error::the bench ended with $exit_code and without a result"
  if [ "$exit_code" = 0 ]; then exit_code=1; fi
  exit "$exit_code"
fi
cat "$folder/bench.md" >> "$GITHUB_STEP_SUMMARY"
{
  echo "folder=$folder"
  echo "json=$folder/bench.json"
  echo "html=$folder/bench.html"
  echo "markdown=$folder/bench.md"
  echo "exit-code=$exit_code"
} >> "$GITHUB_OUTPUT"
