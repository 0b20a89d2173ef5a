#!/bin/sh
# Trains the models that read queries, from the data sets to the folders that Triton serves.
# A run that was cut off is taken up; remove .wherefore/train to begin anew.
set -eu
cd "$(dirname "$0")/.."
python=${PYTHON:-.venv/bin/python}
runs=.wherefore/train

for recipe in zh_pretrain query_zh query_en; do
  "$python" -m services.nlu.train "$recipe"
done
"$python" -m services.nlu.train.cross_encoder
for model in query_zh query_en cross_en; do
  for file in weights.safetensors config.json labels.json tokenizer.json; do
    cp "$runs/$model/model/$file" "models/$model/1/$file"
  done
done
"$python" -m services.nlu.train.export
