#!/bin/sh
# Trains the models that read queries, from the data sets to the folders that Triton serves.
# A run that was cut off is taken up; remove .wherefore/train to begin anew.
set -eu
cd "$(dirname "$0")/.."
python=${PYTHON:-.venv/bin/python}
runs=.wherefore/train

for recipe in zh_pretrain query_zh_first zh_pretrain_long zh_pretrain_longer query_zh query_en; do
  "$python" -m services.nlu.train "$recipe"
done
# The tables of windows and of n-grams, fitted apart and added.
"$python" -m services.nlu.train.window_start "$runs/query_zh/model" --out "$runs/query_zh/model"
"$python" -m services.nlu.train.ngram_start "$runs/query_zh/model" --out "$runs/query_zh/model"
"$python" -m services.nlu.train.calibrate "$runs/query_zh/model" sentiment_zh category_zh
"$python" -m services.nlu.train.calibrate "$runs/query_en/model" intents_en
"$python" -m services.nlu.train.cross_encoder --out "$runs/cross_en"
# What spelling and expansion learn from catalogues and the taxonomy.
"$python" -m services.nlu.train.spelling
"$python" -m services.nlu.train.related_terms
for model in query_zh query_en cross_en; do
  for file in weights.safetensors config.json labels.json tokenizer.json; do
    cp "$runs/$model/model/$file" "models/$model/1/$file"
  done
done
"$python" -m services.nlu.train.export
