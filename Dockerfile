# syntax=docker/dockerfile:1.7
# The images of Wherefore, a target each: docs/containers.md says how to build them.
ARG PYTHON_IMAGE=python:3.11.14-slim-bookworm
ARG TRITON_IMAGE=nvcr.io/nvidia/tritonserver:25.08-py3

FROM ${PYTHON_IMAGE} AS python
ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_ROOT_USER_ACTION=ignore
WORKDIR /app

# ---- Environments: what is installed is what the lock names, hash by hash, and no pip beside it.

FROM python AS services-environment
COPY deploy/images/requirements-services.txt /tmp/requirements.txt
RUN --mount=type=cache,target=/root/.cache/pip \
    python -m venv --without-pip /opt/venv \
    && pip --python /opt/venv/bin/python install --no-deps --require-hashes \
        --requirement /tmp/requirements.txt

FROM python AS ranking-environment
COPY deploy/images/requirements-ranking.txt /tmp/requirements.txt
RUN --mount=type=cache,target=/root/.cache/pip \
    python -m venv --without-pip /opt/venv \
    && pip --python /opt/venv/bin/python install --no-deps --require-hashes \
        --requirement /tmp/requirements.txt

FROM python AS tools-environment
COPY deploy/images/requirements-tools.txt /tmp/requirements.txt
RUN --mount=type=cache,target=/root/.cache/pip \
    python -m venv --without-pip /opt/venv \
    && pip --python /opt/venv/bin/python install --no-deps --require-hashes \
        --requirement /tmp/requirements.txt

FROM python AS federated-environment
COPY deploy/images/requirements-federated.txt /tmp/requirements.txt
RUN --mount=type=cache,target=/root/.cache/pip \
    python -m venv --without-pip /opt/venv \
    && pip --python /opt/venv/bin/python install --no-deps --require-hashes \
        --requirement /tmp/requirements.txt

# What counts the privacy of noise needs torch.
FROM python AS federated-private-environment
ARG TORCH_VERSION=2.13.0
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
COPY deploy/images/requirements-federated-private.txt /tmp/requirements.txt
RUN --mount=type=cache,target=/root/.cache/pip \
    python -m venv --without-pip /opt/venv \
    && pip --python /opt/venv/bin/python install --no-deps --require-hashes \
        --requirement /tmp/requirements.txt \
    && pip --python /opt/venv/bin/python install --index-url "${TORCH_INDEX}" \
        "torch==${TORCH_VERSION}"

# torch comes from the index of its builds: for processors as it stands; for GPUs name another.
FROM python AS train-environment
ARG TORCH_VERSION=2.13.0
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
COPY deploy/images/requirements-train.txt /tmp/requirements.txt
RUN --mount=type=cache,target=/root/.cache/pip \
    python -m venv --without-pip /opt/venv \
    && pip --python /opt/venv/bin/python install --no-deps --require-hashes \
        --requirement /tmp/requirements.txt \
    && pip --python /opt/venv/bin/python install --index-url "${TORCH_INDEX}" \
        "torch==${TORCH_VERSION}"

# ---- Made from the sources: the stubs of the contracts, the graphs of the models.

FROM python AS stubs
COPY deploy/images/requirements-build.txt /tmp/requirements.txt
RUN --mount=type=cache,target=/root/.cache/pip \
    python -m venv --without-pip /opt/venv \
    && pip --python /opt/venv/bin/python install --no-deps --require-hashes \
        --requirement /tmp/requirements.txt
COPY hatch_build.py ./
COPY protos/ protos/
RUN /opt/venv/bin/python hatch_build.py

FROM train-environment AS exports
ENV PATH=/opt/venv/bin:$PATH \
    HF_HUB_OFFLINE=1
COPY --from=stubs /app/wherefore/ wherefore/
COPY shared/ shared/
COPY services/ services/
COPY models/ models/
RUN python -m services.nlu.train.export && python -m services.nlu.train.crossmodal.export \
    && python -m services.reason.train graphs

# Weights are for training: services and Triton read graphs.
FROM exports AS models
RUN find models -name '*.safetensors' -delete

FROM exports AS models-gpu
RUN python -m services.nlu.train.export --precision fp32 \
    && find models -name '*.safetensors' -delete

# ---- Services: root owns the code, nobody may change it, /data and /tmp alone are written to.

FROM python AS service-base
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Wherefore" \
      org.opencontainers.image.description="Search and recommendation that says why" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="https://github.com/wherefore-search/wherefore" \
      org.opencontainers.image.licenses="Apache-2.0"
# Children are started anew, never forked, so gRPC need not be ready for that.
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONPATH=/app \
    HOME=/tmp \
    GRPC_ENABLE_FORK_SUPPORT=0 \
    WHEREFORE_SECURITY_DIR=/etc/wherefore/security \
    WHEREFORE_SECURITY_AUDIT_DIR=/data/audit
COPY --from=stubs /app/wherefore/ wherefore/
COPY shared/ shared/
COPY services/__init__.py services/
RUN python -m compileall -q wherefore shared services \
    && install -d -o 10001 -g 10001 /data
STOPSIGNAL SIGTERM

FROM service-base AS service
COPY --from=services-environment /opt/venv /opt/venv

FROM service AS nlu
COPY --from=models /app/models/query_en/ models/query_en/
COPY --from=models /app/models/query_zh/ models/query_zh/
COPY --from=models /app/models/cross_en/ models/cross_en/
COPY --from=models /app/models/cross_en_attribution/ models/cross_en_attribution/
COPY --from=models /app/models/pictures_luma/ models/pictures_luma/
COPY services/nlu/ services/nlu/
RUN python -m compileall -q services
ENV WHEREFORE_NLU_HOST=0.0.0.0 \
    WHEREFORE_NLU_METRICS_PORT=7791
EXPOSE 7701 7791
VOLUME /data
USER 10001:10001
ENTRYPOINT ["python", "-m", "services.nlu"]

FROM service AS retrieval
COPY services/retrieval/ services/retrieval/
RUN python -m compileall -q services
ENV WHEREFORE_RETRIEVAL_HOST=0.0.0.0 \
    WHEREFORE_RETRIEVAL_METRICS_PORT=7792 \
    WHEREFORE_RETRIEVAL_DATA_DIR=/data/retrieval
EXPOSE 7702 7792
VOLUME /data
USER 10001:10001
ENTRYPOINT ["python", "-m", "services.retrieval"]

# Learnt trees (lightgbm) want OpenMP.
FROM service-base AS ranking
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/*
COPY --from=ranking-environment /opt/venv /opt/venv
COPY services/ranking/ services/ranking/
RUN python -m compileall -q services
ENV WHEREFORE_RANKING_HOST=0.0.0.0 \
    WHEREFORE_RANKING_METRICS_PORT=7793 \
    WHEREFORE_RANKING_DATA_DIR=/data/ranking
EXPOSE 7703 7793
VOLUME /data
USER 10001:10001
ENTRYPOINT ["python", "-m", "services.ranking"]

FROM service AS reason
COPY --from=models /app/models/reason_small/ models/reason_small/
COPY --from=models /app/models/product_category/ models/product_category/
COPY services/reason/ services/reason/
RUN python -m compileall -q services
ENV WHEREFORE_REASON_HOST=0.0.0.0 \
    WHEREFORE_REASON_METRICS_PORT=7794
EXPOSE 7704 7794
VOLUME /data
USER 10001:10001
ENTRYPOINT ["python", "-m", "services.reason"]

FROM service AS recommend
COPY services/recommend/ services/recommend/
RUN python -m compileall -q services
ENV WHEREFORE_RECOMMEND_HOST=0.0.0.0 \
    WHEREFORE_RECOMMEND_METRICS_PORT=7795
EXPOSE 7705 7795
VOLUME /data
USER 10001:10001
ENTRYPOINT ["python", "-m", "services.recommend"]

FROM service AS orchestrator
COPY services/orchestrator/ services/orchestrator/
RUN python -m compileall -q services
ENV WHEREFORE_ORCHESTRATOR_HOST=0.0.0.0 \
    WHEREFORE_ORCHESTRATOR_METRICS_PORT=7790 \
    WHEREFORE_ORCHESTRATOR_DATA_DIR=/data/orchestrator
EXPOSE 7700 7706 7780 7790
VOLUME /data
USER 10001:10001
ENTRYPOINT ["python", "-m", "services.orchestrator"]

FROM service AS assistant
COPY services/assistant/ services/assistant/
RUN python -m compileall -q services
ENV WHEREFORE_ASSISTANT_HOST=0.0.0.0 \
    WHEREFORE_ASSISTANT_METRICS_PORT=7797 \
    WHEREFORE_ASSISTANT_DATA_DIR=/data/assistant
EXPOSE 7707 7797
VOLUME /data
USER 10001:10001
ENTRYPOINT ["python", "-m", "services.assistant"]

FROM service AS insight
COPY --from=models /app/models/opinion/ models/opinion/
COPY services/insight/ services/insight/
RUN python -m compileall -q services
ENV WHEREFORE_INSIGHT_HOST=0.0.0.0 \
    WHEREFORE_INSIGHT_METRICS_PORT=7798 \
    WHEREFORE_INSIGHT_DATA_DIR=/data/insight
EXPOSE 7708 7798
VOLUME /data
USER 10001:10001
ENTRYPOINT ["python", "-m", "services.insight"]

# ---- Jobs: the command line; training.

FROM service-base AS tools
COPY --from=tools-environment /opt/venv /opt/venv
COPY services/ services/
COPY deploy/images/wherefore /usr/local/bin/
RUN python -m compileall -q services
ENV WHEREFORE_HOME=/data
VOLUME /data
USER 10001:10001
ENTRYPOINT ["wherefore"]
CMD ["--help"]

FROM service-base AS train
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/*
COPY --from=train-environment /opt/venv /opt/venv
COPY --from=exports /app/models/ models/
COPY services/ services/
RUN python -m compileall -q services
ENV HF_HUB_OFFLINE=1 \
    WHEREFORE_HOME=/data \
    WHEREFORE_DATA=/data/sets
VOLUME /data
USER 10001:10001
ENTRYPOINT ["python", "-m"]
CMD ["services.nlu.train", "--help"]

# ---- Federated training: both sides, and the jobs of whoever runs it. What to run is the pod's command.

FROM service-base AS federated-base
ENV FLWR_TELEMETRY_ENABLED=0 \
    FLWR_DISABLE_UPDATE_CHECK=1 \
    FLWR_HOME=/tmp/flower
EXPOSE 7720 9092 9093
VOLUME /data
USER 10001:10001
ENTRYPOINT ["python", "-m", "shared.federated.flower"]
CMD ["--help"]

FROM federated-base AS federated
COPY --from=federated-environment /opt/venv /opt/venv

# For a server that adds noise.
FROM federated-base AS federated-private
COPY --from=federated-private-environment /opt/venv /opt/venv

# ---- Triton: NVIDIA's server, our models, what they import. The reason model finds its code
# beside the repository (models/README.md), so both lie below /app as they do in the sources.

FROM ${TRITON_IMAGE} AS triton-base
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Wherefore's Triton" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="https://github.com/wherefore-search/wherefore" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV PYTHONDONTWRITEBYTECODE=1 \
    HOME=/tmp
WORKDIR /app
COPY deploy/images/requirements-triton.txt /tmp/requirements.txt
RUN --mount=type=cache,target=/root/.cache/pip \
    PIP_CONSTRAINT="" pip install --break-system-packages --no-deps --require-hashes \
        --requirement /tmp/requirements.txt
COPY shared/__init__.py shared/
COPY shared/text/ shared/text/
COPY shared/inference/triton_model.py shared/inference/
COPY services/__init__.py services/
COPY services/reason/__init__.py services/reason/
COPY services/reason/wording/ services/reason/wording/
RUN python3 -m compileall -q shared services \
    && install -d -o 10001 -g 10001 /var/cache/wherefore/tensorrt
STOPSIGNAL SIGTERM
EXPOSE 7710 7711 7712
ENTRYPOINT ["/opt/tritonserver/bin/tritonserver", "--model-repository=/app/models"]

FROM triton-base AS triton
COPY --from=models /app/models/query_en/ models/query_en/
COPY --from=models /app/models/query_zh/ models/query_zh/
COPY --from=models /app/models/cross_en/ models/cross_en/
COPY --from=models /app/models/cross_en_attribution/ models/cross_en_attribution/
COPY --from=models /app/models/pictures_luma/ models/pictures_luma/
COPY --from=models /app/models/reason_small/ models/reason_small/
USER 10001:10001
CMD ["--model-control-mode=explicit", "--load-model=query_en", "--load-model=query_zh", \
    "--load-model=cross_en", "--load-model=cross_en_attribution", "--load-model=pictures_luma", \
    "--load-model=reason_small", \
    "--http-port=7710", "--grpc-port=7711", "--metrics-port=7712", "--exit-timeout-secs=20"]

FROM triton-base AS triton-gpu
COPY --from=models-gpu /app/models/query_en/ models/query_en/
COPY --from=models-gpu /app/models/query_zh/ models/query_zh/
COPY --from=models-gpu /app/models/cross_en/ models/cross_en/
COPY --from=models-gpu /app/models/cross_en_attribution/ models/cross_en_attribution/
COPY --from=models-gpu /app/models/pictures_luma/ models/pictures_luma/
COPY --from=models-gpu /app/models/reason_small/ models/reason_small/
VOLUME /var/cache/wherefore/tensorrt
USER 10001:10001
CMD ["--model-config-name=cuda", "--model-control-mode=explicit", "--load-model=query_en", \
    "--load-model=query_zh", "--load-model=cross_en", "--load-model=cross_en_attribution", \
    "--load-model=pictures_luma", "--load-model=reason_small", \
    "--http-port=7710", "--grpc-port=7711", "--metrics-port=7712", \
    "--exit-timeout-secs=20"]
