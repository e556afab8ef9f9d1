#!/usr/bin/env bash
# Downloads the latest result that a run on the base branch has kept. None is no error: the first run has nothing to compare with.
set -euo pipefail

folder="$RUNNER_TEMP/warmvm-bench-base"
rm -rf "$folder"
# A fork may have a branch of the same name: only artifacts of this repository itself count.
query='[.artifacts[] | select(.expired | not) | .workflow_run
  | select(.head_branch == env.BASE and .head_repository_id == .repository_id)][0].id // empty'
if ! run="$(gh api --method GET "repos/$GITHUB_REPOSITORY/actions/artifacts" -f "name=$NAME" -F per_page=100 --jq "$query")"; then
  echo "::notice::Artifacts cannot be read (the job needs the permission 'actions: read'): nothing to compare with"
  exit 0
fi
if [ -z "$run" ]; then
  echo "::notice::No run on $BASE has kept a result named $NAME yet: nothing to compare with"
  exit 0
fi
gh run download "$run" --repo "$GITHUB_REPOSITORY" --name "$NAME" --dir "$folder"
if [ -f "$folder/bench.json" ]; then
  echo "file=$folder/bench.json" >> "$GITHUB_OUTPUT"
else
  echo "::notice::The result named $NAME of run $run has no bench.json: nothing to compare with"
fi
