#!/usr/bin/env bash
# Keeps one comment of each name on a pull request: the next run writes over it.
set -euo pipefail

export MARKER="<!-- warmvm bench: $NAME -->"
body="$RUNNER_TEMP/warmvm-bench-comment.md"
{
  echo "$MARKER"
  cat "$MARKDOWN"
  echo
  echo "<sub>[The page with every sample is an artifact of this run]($RUN_URL)</sub>"
} > "$body"

comments="repos/$GITHUB_REPOSITORY/issues/$PULL_REQUEST/comments"
# Anybody can begin a comment with the marker; only one of a bot is written over.
mine='.[] | select(.user.type == "Bot" and (.body | startswith(env.MARKER))) | .id'
refused() {
  echo "::warning::No comment: the token may not write it (the job needs the permission 'pull-requests: write'). The summary is on the job's page."
  exit 0
}
found="$(gh api --paginate "$comments" --jq "$mine")" || refused
found="${found%%$'\n'*}"
if [ -n "$found" ]; then
  gh api --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$found" -F "body=@$body" --silent || refused
else
  gh api --method POST "$comments" -F "body=@$body" --silent || refused
fi
