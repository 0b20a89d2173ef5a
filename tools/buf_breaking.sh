#!/bin/sh
# Compares the contracts with those of the previous commit that changed them, so that no release breaks
# a caller. In a working tree with changes the comparison is with HEAD.
set -eu
if ! git rev-parse --quiet --verify HEAD >/dev/null 2>&1; then
  echo "buf breaking: skipped, this is not a git checkout"
  exit 0
fi
if git diff --quiet HEAD -- protos && git rev-parse --quiet --verify 'HEAD~1' >/dev/null; then
  base=$(git rev-parse HEAD~1)
else
  base=$(git rev-parse HEAD)
fi
if ! git cat-file -e "$base:buf.yaml" 2>/dev/null; then
  echo "buf breaking: skipped, the commit before has no contracts"
  exit 0
fi
old=$(mktemp -d)
trap 'rm -rf "$old"' EXIT
git archive "$base" buf.yaml protos | tar -x -C "$old"
buf breaking --against "$old"
echo "buf breaking: compatible with $(git rev-parse --short "$base")"
