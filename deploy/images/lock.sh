#!/bin/sh
# Writes requirements-*.txt, which the images install: every package with its version and its hashes.
# Run by `make locks` after a change of pyproject.toml, constraints.txt or an .in file here.
set -eu
cd "$(dirname "$0")/../.."

lock() {
  group=$1 python=$2
  shift 2
  uv pip compile --quiet --universal --python-version "$python" --generate-hashes --no-annotate \
    --custom-compile-command "make locks" --output-file "deploy/images/requirements-$group.txt" "$@"
}

lock services 3.11 --constraint constraints.txt --extra pictures --extra redis --extra tracing \
  pyproject.toml
lock ranking 3.11 --constraint constraints.txt --extra redis --extra tracing \
  pyproject.toml deploy/images/ranking.in
lock tools 3.11 --constraint constraints.txt --extra redis --extra tracing --extra plan \
  pyproject.toml
# torch is installed by itself, as its build depends on the machine.
lock train 3.11 --constraint constraints.txt --override deploy/images/without-torch.txt \
  --extra train --extra ranking --extra recommend --extra scale --extra redis --extra tracing \
  pyproject.toml deploy/images/train.in
lock build 3.11 --constraint constraints.txt deploy/images/build.in
# Flower's own versions, and the suite's of the rest. uv would install what an app asks for while it
# runs, which is turned off.
suite=$(mktemp)
trap 'rm -f "$suite"' EXIT
pinned=$(sed -n 's/==.*//p' shared/federated/requirements.txt | sed 's/[-_.]/[-_.]/g' | paste -sd'|' -)
grep -viE "^($pinned)==" constraints.txt > "$suite"
lock federated 3.11 --constraint "$suite" --constraint shared/federated/requirements.txt \
  --no-emit-package uv deploy/images/federated.in
# What counts the privacy of noise, which brings torch.
lock federated-private 3.11 --constraint "$suite" --constraint shared/federated/requirements.txt \
  --no-emit-package uv --override deploy/images/without-torch.txt \
  deploy/images/federated.in deploy/images/federated-private.in
# Python is the one of Triton's own image.
lock triton 3.12 deploy/images/triton.in
